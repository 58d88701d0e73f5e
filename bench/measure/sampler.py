"""Samples of a card, taken in a thread of the parent process, which is idle while a worker measures.

One `Sampler` watches one card for a whole run. `seen` returns the samples since `begin`: sums, peaks, and a
timeline in bounded memory.
"""

import threading
from array import array
from contextlib import closing
from dataclasses import dataclass
from time import perf_counter
from typing import Final, Protocol

import numpy as np

from bench.hardware.readings import DriverLost, Sample, SlowSample
from bench.measure.energy import Trace
from bench.measure.timeline import Segments, Timeline
from bench.records.card import Sampled

PERIOD_S: Final = 0.020
SLOW_EVERY: Final = 10  # fast samples: temperature, clocks and link change within seconds
ANSWER_LIMIT_S: Final = 5.0

_MOST_FAST: Final = 2**17  # 44 minutes at 20 ms, in 3 MB
_MOST_SLOW: Final = 2**14
_MOST_SEGMENTS: Final = 2**14  # of the card, and of each process on it: 5 minutes at 20 ms, in 400 kB


class Probe(Protocol):
    """Repeated readings of one card. Every method may raise DriverLost."""

    def fast(self) -> Sample:
        """Memory, processes, power, energy."""

    def slow(self) -> SlowSample:
        """Temperature, clocks, link, and who draws."""

    def close(self) -> None:
        """Release the driver."""


@dataclass(frozen=True)
class Observation:
    """The samples since the last `begin`.

    Memory of the card and of each process on it, by pid (empty where the driver lists one without its bytes),
    power and energy, and the values that change slowly. `drawing` are the pids that drew at any of them.
    """

    sampled: Sampled
    device: Segments
    processes: dict[int, Segments]
    trace: Trace
    slow: tuple[SlowSample, ...]
    drawing: frozenset[int]
    lost: str | None

    def process(self, pid: int | None) -> Segments | None:
        """Memory of one process; None where the driver never reported it."""
        timeline = self.processes.get(pid) if pid is not None else None
        return timeline if timeline is not None and timeline.peak is not None else None


class Sampler:
    """Samples a probe in a thread, and closes it at the end. Times are those of `time.perf_counter`."""

    def __init__(self, probe: Probe, period_s: float = PERIOD_S) -> None:
        self._probe = probe
        self._period_s = period_s
        self._news = threading.Condition()
        self._stopped = threading.Event()
        self._log = _Log(perf_counter(), period_s)
        self._lost: str | None = None
        self._wants_slow = False
        self._thread = threading.Thread(target=self._run, name="sampler", daemon=True)
        self._thread.start()

    def begin(self) -> None:
        """Discard the samples so far."""
        with self._news:
            self._log = _Log(perf_counter(), self._period_s)

    def seen(self) -> Observation:
        """Return the samples since `begin`."""
        with self._news:
            return self._log.seen(self._lost)

    @property
    def lost(self) -> str | None:
        """The error with which the driver stopped answering; None while it answers."""
        return self._lost

    def fresh(self) -> Sample | None:
        """A sample that is not older than this call; None where the driver does not answer any more.

        The values that change slowly are read with it.
        """
        asked = perf_counter()
        with self._news:
            self._wants_slow = True
            has_news = self._news.wait_for(
                lambda: self._lost is not None or self._log.is_since(asked), ANSWER_LIMIT_S
            )
            if not has_news:
                self._lost = f"the graphics card stopped answering: nothing for {ANSWER_LIMIT_S:g} s"
            return self._log.last if self._log.is_since(asked) else None

    def close(self) -> None:
        """Stop, and release the driver; a driver that hangs is not waited for."""
        self._stopped.set()
        self._thread.join(ANSWER_LIMIT_S)

    def _run(self) -> None:
        with closing(self._probe):
            try:
                self._sample()
            except DriverLost as error:
                with self._news:
                    self._lost = str(error)
                    self._news.notify_all()

    def _sample(self) -> None:
        """Sample at the period. Where the driver is slower than that, rest a little and do not catch up."""
        due, number = perf_counter(), 0
        while self._lost is None and not self._stopped.wait(max(0.0, due - perf_counter())):
            with self._news:
                wants_slow, self._wants_slow = self._wants_slow or number % SLOW_EVERY == 0, False
            fast = self._probe.fast()
            slow = self._probe.slow() if wants_slow else None
            with self._news:
                self._log.add(fast, slow)
                self._news.notify_all()
            number += 1
            due = max(due + self._period_s, perf_counter() + self._period_s / 4)


class _Log:
    """Sums and peaks of all samples since `begun_s`, and evenly thinned columns of them."""

    def __init__(self, begun_s: float, period_s: float) -> None:
        self.last: Sample | None = None
        self._begun_s = begun_s
        self._period_s = period_s
        self._samples = 0
        self._largest_gap_s: float | None = None
        self._device = Timeline(_MOST_SEGMENTS)
        self._processes: dict[int, Timeline] = {}
        self._columns = (array("d"), array("d"), array("d"))
        self._stride = 1
        self._slow: list[SlowSample] = []
        self._slow_at_s = begun_s
        self._drawing: set[int] = set()
        self._slow_stride = 1
        self._slow_samples = 0

    def is_since(self, time_s: float) -> bool:
        """Whether the last samples of both kinds are as late as this time, or later."""
        return self.last is not None and self.last.at_s >= time_s and self._slow_at_s >= time_s

    def add(self, fast: Sample, slow: SlowSample | None) -> None:
        """Add a sample; one that began before the log is left out."""
        if fast.at_s < self._begun_s:
            return
        if self.last is not None:
            self._largest_gap_s = max(self._largest_gap_s or 0.0, fast.at_s - self.last.at_s)
        self.last = fast
        self._keep_memory(fast)
        self._keep(fast)
        self._samples += 1
        if slow is not None:
            self._keep_slow(slow)

    def _keep_memory(self, fast: Sample) -> None:
        _add(self._device, fast.at_s, fast.used_bytes)
        for pid, used in (fast.processes or {}).items():
            _add(self._processes.setdefault(pid, Timeline(_MOST_SEGMENTS)), fast.at_s, used)

    def _keep(self, fast: Sample) -> None:
        if self._samples % self._stride == 0:
            for column, value in zip(self._columns, _row(fast), strict=True):
                column.append(value)
        if len(self._columns[0]) == _MOST_FAST:
            self._columns = (self._columns[0][::2], self._columns[1][::2], self._columns[2][::2])
            self._stride *= 2

    def _keep_slow(self, slow: SlowSample) -> None:
        self._slow_at_s = slow.at_s
        self._drawing |= slow.drawing
        if self._slow_samples % self._slow_stride == 0:
            self._slow.append(slow)
        self._slow_samples += 1
        if len(self._slow) == _MOST_SLOW:
            del self._slow[1::2]
            self._slow_stride *= 2

    def seen(self, lost: str | None) -> Observation:
        """Return everything; the last sample is never thinned out, as it may follow the last repeat."""
        return Observation(
            sampled=Sampled(
                period_s=self._period_s, samples=self._samples, largest_gap_s=self._largest_gap_s
            ),
            device=self._device.segments(),
            processes={pid: timeline.segments() for pid, timeline in self._processes.items()},
            trace=self._trace(),
            slow=tuple(self._slow),
            drawing=frozenset(self._drawing),
            lost=lost,
        )

    def _trace(self) -> Trace:
        columns = [np.array(column, dtype=np.float64) for column in self._columns]
        if self.last is not None and columns[0][-1] < self.last.at_s:
            columns = [
                np.append(column, value) for column, value in zip(columns, _row(self.last), strict=True)
            ]
        return Trace(*columns)


def _row(sample: Sample) -> tuple[float, float, float]:
    return (
        sample.at_s,
        np.nan if sample.power_w is None else sample.power_w,
        np.nan if sample.energy_j is None else sample.energy_j,
    )


def _add(timeline: Timeline, at_s: float, size_bytes: int | None) -> None:
    if size_bytes is not None:
        timeline.add(at_s, size_bytes, size_bytes)
