"""A model of torch's CUDA caching allocator, and what a cell allocates and reserves through it.

In: a `Trace`, the model's tensors, the workspace of kernels. Out: the peaks of a cell's whole protocol
(`protocol`), by generations (`replay`) through the allocator model (`caching`). `recorded` compares that
model with allocators of real cards. Only recording imports torch.
"""
