"""Times of one generation: host clock on the CPU, CUDA events on a GPU, read once the generation is over."""

from dataclasses import dataclass
from time import perf_counter
from typing import Protocol

import torch

from bench.errors import BenchError
from bench.records.schema import Repeat
from bench.records.words import Phase

_DECIMALS = 6  # a microsecond per token is kept, no more, so that records stay small


class Ticks(Protocol):
    """A way to take moments that costs the device nothing, and to read them afterwards."""

    def mark(self) -> None:
        """Take the next moment."""

    def read(self) -> list[float]:
        """Every moment taken, in seconds since the first."""


class HostTicks:
    """Moments on the host's monotonic clock: exact where work is done by the time a call returns."""

    def __init__(self) -> None:
        self._moments: list[float] = []

    def mark(self) -> None:
        """Take the next moment."""
        self._moments.append(perf_counter())

    def read(self) -> list[float]:
        """Every moment, in seconds since the first."""
        return [moment - self._moments[0] for moment in self._moments]


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
        self._events.append(event)

    def read(self) -> list[float]:
        """Wait for the last event, then every moment in seconds since the first."""
        self._events[-1].synchronize()
        return [self._events[0].elapsed_time(event) / 1000 for event in self._events]


@dataclass(frozen=True)
class Moments:
    """When each phase began and each token was there, in seconds since the first phase began."""

    begins: dict[Phase, float]
    tokens: tuple[float, ...]


class Stopwatch:
    """An observer that takes the times of one generation."""

    def __init__(self, ticks: Ticks) -> None:
        self._ticks = ticks
        self._names: list[Phase | None] = []

    def begin(self, phase: Phase) -> None:
        """A phase starts."""
        self._names.append(phase)
        self._ticks.mark()

    def token(self) -> None:
        """A token is there."""
        self._names.append(None)
        self._ticks.mark()

    def end(self) -> None:
        """The last token was the end: nothing is left to time."""

    def read(self) -> Moments:
        """The times; on a GPU this is the one place that waits for it."""
        times = self._ticks.read()
        begins = {name: time for name, time in zip(self._names, times, strict=True) if name is not None}
        tokens = [time for name, time in zip(self._names, times, strict=True) if name is None]
        return Moments(begins, tuple(tokens))


def stopwatch(device: torch.device) -> Stopwatch:
    """A stopwatch with the clock that suits the device."""
    return Stopwatch(CudaTicks() if device.type == "cuda" else HostTicks())


def repeat_of(moments: Moments, *, clip_seconds: float, stopped_early: bool) -> Repeat:
    """The raw figures of one generation.

    `decode_tokens_per_s` is (n - 1) / (t_last - t_first): the first token belongs to the prefill. Time to
    first token and latency start at the prepared waveform: preprocessing is inside both, outside `encode_s`.

    Raises:
        BenchError: the generation produced no token.
    """
    if not moments.tokens:
        raise BenchError("the engine produced no token")
    first, last = moments.tokens[0], moments.tokens[-1]
    count = len(moments.tokens)
    return Repeat(
        preprocess_s=moments.begins[Phase.ENCODE],
        encode_s=moments.begins[Phase.PREFILL] - moments.begins[Phase.ENCODE],
        time_to_first_token_s=first,
        decode_tokens_per_s=(count - 1) / (last - first) if count > 1 and last > first else None,
        latency_s=last,
        real_time_factor=last / clip_seconds,
        generated_tokens=count,
        stop_reason="eos" if stopped_early else "length",
        token_times_s=tuple(round(time, _DECIMALS) for time in moments.tokens),
    )
