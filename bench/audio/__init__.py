"""Audio files and clips, as mono 16 kHz float32 samples.

In: the shipped speech or a file in any format of libsndfile. Out: samples (`decoding`), and clips of the
lengths of a suite, cut or looped, with a hash (`clips`); or one clear error for a bad file.
"""
