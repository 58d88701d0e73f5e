"""Traces of one generation with tensors of the meta device: nothing is computed, and no memory is allocated.

In: a configuration, a `Setting`, the length of a clip and of its prompt. Out: a `Trace` with each allocation
and release in order (`tracer`). `recorder` records a shortened model, `folding` repeats its layers, `decode`
its decode steps, and `families` gives other lengths without running the model.
"""
