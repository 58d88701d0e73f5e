"""Times of one generation on a GPU: CUDA events, with the host's clock for comparison."""

from functools import partial

import torch

from bench.measure.clock import HostEdges, Stopwatch


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
        # up to then; asking after it sends it off, and waits for nothing.
        event.query()  # type: ignore[no-untyped-call]
        self._events.append(event)

    def read(self) -> list[float]:
        """Wait for the last event, then every moment in seconds since the first."""
        self._events[-1].synchronize()
        return [self._events[0].elapsed_time(event) / 1000 for event in self._events]


def cuda_stopwatch(device: torch.device) -> Stopwatch:
    """A stopwatch on CUDA events, with the host's times too."""
    return Stopwatch(CudaTicks(), HostEdges(partial(torch.cuda.synchronize, device)))
