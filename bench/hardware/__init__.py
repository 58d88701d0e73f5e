"""The devices of this machine and of the catalog.

In: the NVIDIA driver (NVML), the system, `bench/data/gpus.csv`. Out: a `Device` to run on (`device`), its
readings while it works (`nvml`), its state before a run (`state`), the `Card` of the catalog (`catalog`), the
bytes that are available on it (`budget`), and the software around it (`environment`). Nothing is computed on
a device here.
"""
