"""Predicts the memory and speed of cells from the architecture, without a device.

In: the cells of a suite and the configuration of their model (`source`), a card or the CPU (`target`). Out:
a derived record (`planner`) with the predicted memory of each cell (`cells`, `prediction`) and the longest
clip that fits (`frontier`, `search`). On the way: the model's traces (`traced_model`, `tracing`), the peak of
each phase (`peaks`), the workspace of kernels (`cpu_workspace`, `cuda_workspace`), torch's allocator
(`allocator`), and the bounds of speed (`roofline`).
"""
