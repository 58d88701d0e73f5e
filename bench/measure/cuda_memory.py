"""The CUDA caching allocator's own counters."""

import gc
from typing import Any

import torch

from bench.measure.memory import Counts


class CudaAllocated:
    """Counters that the allocator keeps on the host: exact, and read without waiting for the device."""

    source = "CUDA caching allocator"

    def __init__(self, device: torch.device) -> None:
        self._device = device

    def wait(self) -> None:
        """Wait for all kernels and copies that were issued."""
        torch.cuda.synchronize(self._device)

    def give_back(self) -> None:
        """Return cached blocks to the driver, so that a peak contains nothing of earlier work."""
        gc.collect()
        self.wait()
        torch.cuda.empty_cache()

    def begin(self) -> None:
        """Start new peaks."""
        torch.cuda.reset_peak_memory_stats(self._device)

    def read(self) -> Counts:
        """Return the peaks since `begin`, and the live bytes."""
        statistics = self._statistics()
        allocated, reserved = statistics["allocated_bytes"]["all"], statistics["reserved_bytes"]["all"]
        return Counts(
            peak=int(allocated["peak"]), live=int(allocated["current"]), reserved_peak=int(reserved["peak"])
        )

    def retries(self) -> int:
        """Number of times that cudaMalloc failed, so that the cache was released before another attempt."""
        return int(self._statistics()["num_alloc_retries"])

    def reserved(self) -> int:
        """Bytes that the allocator holds now."""
        return int(torch.cuda.memory_reserved(self._device))

    def _statistics(self) -> dict[str, Any]:
        # Nested: torch.cuda.memory_stats flattens a hundred entries in Python on every call.
        return torch.cuda.memory_stats_as_nested_dict(self._device)
