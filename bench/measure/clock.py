"""Times of one generation: the host's clock on a CPU; on a GPU CUDA events, and that clock beside them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from time import perf_counter
from typing import Protocol

import torch

from bench.errors import BenchError
from bench.records.enums import Phase
from bench.records.record import Repeat

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
        # Under Windows a recorded event may wait in a buffer until more is issued, and miss the host's work
        # up to then; asking after it sends it off, and waits for nothing.
        event.query()  # type: ignore[no-untyped-call]
        self._events.append(event)

    def read(self) -> list[float]:
        """Wait for the last event, then every moment in seconds since the first."""
        self._events[-1].synchronize()
        return [self._events[0].elapsed_time(event) / 1000 for event in self._events]


@dataclass(frozen=True)
class HostTimes:
    """When first and last token were there by the host's clock, in seconds since the first phase began."""

    first_token_s: float
    last_token_s: float


class HostEdges:
    """The host's clock beside a device's own: at the begin, at the first token and at the end.

    Only at these edges does it wait for the device. At the first token that takes nothing from the run:
    `generate` waits there itself some lines later, to learn whether this token was the last.
    """

    def __init__(self, wait: Callable[[], None], now: Callable[[], float] = perf_counter) -> None:
        self._wait = wait
        self._now = now
        self._edges: list[float] = []

    def take(self) -> None:
        """Wait for the device, then look at the clock."""
        self._wait()
        self._edges.append(self._now())

    def read(self) -> HostTimes | None:
        """The times; None before all three edges were there."""
        if len(self._edges) != 3:
            return None
        begin, first, last = self._edges
        return HostTimes(first - begin, last - begin)


@dataclass(frozen=True)
class StopwatchReading:
    """When each phase began and each token was there, in seconds since the first phase began."""

    begins: dict[Phase, float]
    tokens: tuple[float, ...]
    host: HostTimes | None = None


class Stopwatch:
    """An observer that takes the times of one generation; `host` where the ticks are not the host's own."""

    def __init__(self, ticks: Ticks, host: HostEdges | None = None) -> None:
        self._ticks = ticks
        self._host = host
        self._names: list[Phase | None] = []

    def begin(self, phase: Phase) -> None:
        """A phase starts; the first one on an idle device."""
        if self._host is not None and not self._names:
            self._host.take()
        self._names.append(phase)
        self._ticks.mark()

    def token(self) -> None:
        """A token is there."""
        is_first = self._host is not None and None not in self._names
        self._names.append(None)
        self._ticks.mark()
        if self._host is not None and is_first:
            self._host.take()

    def end(self) -> None:
        """The last token was the end: nothing is left to time."""
        if self._host is not None:
            self._host.take()

    def read(self) -> StopwatchReading:
        """The times, once the device is done."""
        times = self._ticks.read()
        begins = {name: time for name, time in zip(self._names, times, strict=True) if name is not None}
        tokens = [time for name, time in zip(self._names, times, strict=True) if name is None]
        return StopwatchReading(begins, tuple(tokens), self._host.read() if self._host is not None else None)


def stopwatch(device: torch.device) -> Stopwatch:
    """A stopwatch with the clock that suits the device."""
    if device.type != "cuda":
        return Stopwatch(HostTicks())
    return Stopwatch(CudaTicks(), HostEdges(partial(torch.cuda.synchronize, device)))


def repeat_of(moments: StopwatchReading, *, clip_seconds: float, stopped_early: bool) -> Repeat:
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
        host_time_to_first_token_s=moments.host.first_token_s if moments.host is not None else None,
        host_latency_s=moments.host.last_token_s if moments.host is not None else None,
    )
