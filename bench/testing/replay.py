"""Replays the generations that a worker timed as rounds of pytest-benchmark.

pytest-benchmark times a function in its own process, by its own clock. A cell runs in a worker process, where
the latency is read off the device's events and leaves out the loading and the warm-up. So the fixture gets a
timer of ours, which its `timer` option is for, and a function that moves this timer on by one measured
latency: the fixture then books exactly what the record holds, and its JSON names the timer.
"""

from collections.abc import Callable, Sequence
from typing import Any, Protocol


class Fixture(Protocol):
    """The used part of pytest-benchmark's `benchmark`, whose own types are incomplete."""

    extra_info: dict[str, Any]
    disabled: bool

    def pedantic(self, target: Callable[[], None], *, setup: Callable[[], None], rounds: int) -> None:
        """Call `setup` and time `target`, so many times."""
        ...


class Replay:
    """A clock that starts at 0 and jumps to the latency of the next generation."""

    def __init__(self) -> None:
        self._latencies_s: Sequence[float] = ()
        self._next = 0
        self._now_s = 0.0

    def load(self, latencies_s: Sequence[float]) -> None:
        """Set the latencies in seconds, one for each round."""
        self._latencies_s = latencies_s
        self._next = 0

    def latency_s(self) -> float:
        """Return the time of this clock: the fixture's timer, whose name is in its JSON."""
        return self._now_s

    def rewind(self) -> None:
        """Set the clock to 0 before each round, so that the booked latency has no rounding error."""
        self._now_s = 0.0

    def generation(self) -> None:
        """Advance the clock by one latency; further calls, of a profiler, take no time."""
        if self._next < len(self._latencies_s):
            self._now_s = self._latencies_s[self._next]
            self._next += 1
