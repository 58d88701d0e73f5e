"""Audio files to mono 16 kHz samples, and the clips that a suite asks for."""
