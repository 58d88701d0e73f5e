"""A GPU's clock (CUDA events) and memory (the counters of torch's caching allocator) in one generation."""

import gc
from functools import partial
from typing import Any

import torch

from bench.measure.clock import HostEdges, Stopwatch
from bench.measure.memory import Counts


class CudaTicks:
    """CUDA events on the current stream: they cost no synchronisation until they are read.

    An event recorded on an idle stream carries the host's time of recording, so that host work between two
    events (preprocessing, sampling on the host) is inside their distance.
    """

    def __init__(self) -> None:
        self._events: list[torch.cuda.Event] = []

    def mark(self) -> None:
        """Record an event behind all work issued so far."""
        event = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
        event.record()
        # Under Windows a recorded event may wait in a buffer until more is issued, and miss the host's work
        # up to then; a query sends it, and waits for nothing.
        event.query()  # type: ignore[no-untyped-call]
        self._events.append(event)

    def read(self) -> list[float]:
        """Wait for the last event, and return the times of all marks in seconds since the first."""
        self._events[-1].synchronize()
        return [self._events[0].elapsed_time(event) / 1000 for event in self._events]


def cuda_stopwatch(device: torch.device) -> Stopwatch:
    """Return a stopwatch on CUDA events, with the host's times too."""
    return Stopwatch(CudaTicks(), HostEdges(partial(torch.cuda.synchronize, device)))


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
