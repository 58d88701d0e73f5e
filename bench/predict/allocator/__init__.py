"""A model of torch's CUDA caching allocator, and what it reserves for a trace.

In: a `Trace`, the model's tensors, the workspace of kernels. Out: the reserved bytes of answers of any length
(`reserved`), by the allocator model of `caching`. `recorded` compares that model with allocators of real
cards. Only recording imports torch.
"""
