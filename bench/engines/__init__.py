"""Engines run the model; each is a folder, and `registry` has them by name.

In: a model source, a device, then requests. Out: answers, with phases and tokens announced to an observer,
and the instruments that watch the engine (`interface`, without tensors). `support` has the reasons why a
cell cannot run.
"""
