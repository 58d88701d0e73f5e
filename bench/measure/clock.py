"""Times of one generation on the host's clock; `cuda` has the clock of a GPU."""

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Protocol

from bench.errors import BenchError
from bench.records.cell import Repeat
from bench.records.enums import Phase

_DECIMALS = 6  # a microsecond per token is kept, no more, so that records stay small


class Ticks(Protocol):
    """Marks of time that cost the device nothing, read afterwards."""

    def mark(self) -> None:
        """Take the next mark."""

    def read(self) -> list[float]:
        """Return the times of all marks, in seconds since the first."""


class HostTicks:
    """Marks on the host's monotonic clock: exact if work is done when a call returns."""

    def __init__(self) -> None:
        self._marks: list[float] = []

    def mark(self) -> None:
        """Take the next mark."""
        self._marks.append(perf_counter())

    def read(self) -> list[float]:
        """Return the times of all marks, in seconds since the first."""
        return [time - self._marks[0] for time in self._marks]


@dataclass(frozen=True)
class HostTimes:
    """Times of the first and last token on the host's clock, in seconds since the first phase began."""

    first_token_s: float
    last_token_s: float


class HostEdges:
    """The host's clock in addition to a device's: at the begin, the first token and the end.

    It waits for the device at these edges only. At the first token that costs nothing: `generate` itself
    waits there, to learn whether this token was the last.
    """

    def __init__(self, wait: Callable[[], None], now: Callable[[], float] = perf_counter) -> None:
        self._wait = wait
        self._now = now
        self._edges: list[float] = []

    def take(self) -> None:
        """Wait for the device, then read the clock."""
        self._wait()
        self._edges.append(self._now())

    def read(self) -> HostTimes | None:
        """Return the times; None before all three edges were taken."""
        if len(self._edges) != 3:
            return None
        begin, first, last = self._edges
        return HostTimes(first - begin, last - begin)


@dataclass(frozen=True)
class StopwatchReading:
    """Begin of each phase and time of each token, in seconds since the first phase began."""

    begins: dict[Phase, float]
    tokens: tuple[float, ...]
    host: HostTimes | None = None


class Stopwatch:
    """An observer that takes the times of one generation, by default on the host's clock.

    `host` is given if the ticks are those of a device.
    """

    def __init__(self, ticks: Ticks | None = None, host: HostEdges | None = None) -> None:
        self._ticks = HostTicks() if ticks is None else ticks
        self._host = host
        self._names: list[Phase | None] = []

    def begin(self, phase: Phase) -> None:
        """Mark the begin of a phase; the first one begins on an idle device."""
        if self._host is not None and not self._names:
            self._host.take()
        self._names.append(phase)
        self._ticks.mark()

    def token(self) -> None:
        """Mark a token."""
        is_first = self._host is not None and None not in self._names
        self._names.append(None)
        self._ticks.mark()
        if self._host is not None and is_first:
            self._host.take()

    def end(self) -> None:
        """End the generation."""
        if self._host is not None:
            self._host.take()

    def read(self) -> StopwatchReading:
        """Return the times; waits for the device."""
        times = self._ticks.read()
        begins = {name: time for name, time in zip(self._names, times, strict=True) if name is not None}
        tokens = [time for name, time in zip(self._names, times, strict=True) if name is None]
        return StopwatchReading(begins, tuple(tokens), self._host.read() if self._host is not None else None)


def repeat_of(
    reading: StopwatchReading, *, generated_tokens: int, clip_seconds: float, stopped_early: bool
) -> Repeat:
    """Return the raw figures of one generation.

    `decode_tokens_per_s` is (n - 1) / (t_last - t_first): the first token belongs to the prefill. Time to
    first token and latency start at the prepared waveform: preprocessing is inside both, outside `encode_s`.
    A phase that was not announced has no time. Where tokens came in chunks, there is no rate and no time of
    each token.

    Raises:
        BenchError: the generation produced no token.
    """
    if not reading.begins:
        raise BenchError("the engine did not announce where a generation begins")
    if not reading.tokens:
        raise BenchError("the engine produced no token")
    first, last = reading.tokens[0], reading.tokens[-1]
    encode, prefill = reading.begins.get(Phase.ENCODE), reading.begins.get(Phase.PREFILL)
    one_by_one = len(reading.tokens) == generated_tokens
    return Repeat(
        preprocess_s=encode,
        encode_s=prefill - encode if prefill is not None and encode is not None else None,
        time_to_first_token_s=first,
        decode_tokens_per_s=(
            (generated_tokens - 1) / (last - first)
            if one_by_one and generated_tokens > 1 and last > first
            else None
        ),
        latency_s=last,
        real_time_factor=last / clip_seconds,
        generated_tokens=generated_tokens,
        stop_reason="eos" if stopped_early else "length",
        token_times_s=(tuple(round(time, _DECIMALS) for time in reading.tokens) if one_by_one else None),
        host_time_to_first_token_s=reading.host.first_token_s if reading.host is not None else None,
        host_latency_s=reading.host.last_token_s if reading.host is not None else None,
    )
