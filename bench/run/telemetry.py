"""The driver's view of the card during a run: memory, power and labels of each cell.

A run on the CPU uses `NoWatch` instead, which reads nothing and waits for nothing.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import partial
from time import monotonic
from typing import Final, Literal, Protocol, Self

from bench.errors import DeviceError
from bench.hardware.readings import DriverGpu, DriverLost, Sample
from bench.hardware.state import device_state
from bench.hardware.system import this_system
from bench.measure.energy import Span, is_awaited
from bench.measure.load import during, is_contended, is_limit_lowered, is_throttled, power_of
from bench.measure.sampler import Observation, Sampler
from bench.measure.timeline import trace_of_repeat
from bench.records.card import DeviceMemory, DeviceState, Power
from bench.records.cell import MemoryTrace
from bench.records.enums import Label
from bench.run.protocol import Finished
from bench.units import MIB

TOLERANCE_BYTES: Final = 32 * MIB
_PROCESSES: Final = "NVML compute running processes"
_POLL_S: Final = 0.1
_COUNTER_LIMIT_S: Final = 0.3
"""The slowest energy counters change every 100 ms."""

Rest = Callable[[float], bool]
"""Waits so many seconds; returns False at once if a signal asks the run to stop."""


@dataclass(frozen=True)
class LeftoverMemory:
    """Memory in use on the card after a worker ended, against the baseline of the run."""

    residue_bytes: int | None = None
    back_at_baseline: bool | None = None
    waited_s: float | None = None


@dataclass(frozen=True)
class CellTelemetry:
    """Memory, power and labels of one cell, as the driver reported them.

    `spills_from_bytes`: what a worker takes beyond this lies in system memory; None where it runs out.
    """

    memory: DeviceMemory | None = None
    power: Power | None = None
    memory_trace: MemoryTrace | None = None
    labels: tuple[str, ...] = ()
    spills_from_bytes: int | None = None

    def after(self, leftover: LeftoverMemory) -> Self:
        """Return this telemetry with the memory that the cell's worker left."""
        if self.memory is None:
            return self
        return replace(self, memory=self.memory.model_copy(update=asdict(leftover)))


class Watch(Protocol):
    """Watches the card of a session, which reports the begin and end of cells and workers."""

    @property
    def state(self) -> DeviceState | None:
        """State of the card before the run's first worker."""

    @property
    def lost(self) -> str | None:
        """The driver's error when it stopped answering; None while it answers."""

    def cell_begins(self) -> None:
        """Start to watch a cell, before the worker gets it."""

    def cell_ends(self, worker: int | None, finished: Finished | None) -> CellTelemetry:
        """Return the telemetry of the cell that ended. `worker` is the pid of its worker."""

    def settle(self, rest: Rest, limit_s: float) -> LeftoverMemory:
        """Wait after a worker's end until the card's memory is at its baseline, for at most `limit_s`."""


class NoWatch:
    """The `Watch` of a device without a driver."""

    state: DeviceState | None = None
    lost: str | None = None

    def cell_begins(self) -> None:
        """Do nothing."""

    def cell_ends(self, worker: int | None, finished: Finished | None) -> CellTelemetry:  # noqa: ARG002
        """Return empty telemetry."""
        return CellTelemetry()

    def settle(self, rest: Rest, limit_s: float) -> LeftoverMemory:  # noqa: ARG002
        """Return at once."""
        return LeftoverMemory()


@contextmanager
def watching(uuid: str | None) -> Iterator[Watch]:
    """Watch the card with this UUID for a whole run, beginning before its first worker; None for a CPU.

    Raises:
        DeviceError: the driver does not answer, or has no such card.
    """
    if uuid is None:
        yield NoWatch()
        return
    from bench.hardware import nvml

    gpu = next((gpu for gpu in nvml.gpus() if gpu.uuid == uuid), None)
    if gpu is None:
        raise DeviceError("the graphics card is no longer available", hint="Check it with nvidia-smi")
    try:
        probe = nvml.open_probe(uuid)
    except DriverLost as error:
        raise DeviceError(str(error), hint="Check it with nvidia-smi") from error
    telemetry = Telemetry(gpu, Sampler(probe))
    try:
        yield telemetry
    finally:
        telemetry.close()


class Telemetry:
    """The `Watch` of one card. Its baseline is the memory in use when the run began."""

    def __init__(self, gpu: DriverGpu, sampler: Sampler) -> None:
        self._wddm = this_system().wddm
        self.state: DeviceState | None = device_state(gpu, wddm=self._wddm)
        self._source = gpu.memory.source if gpu.memory else None
        self._baseline = gpu.memory.used_bytes if gpu.memory else None
        self._before = frozenset(process.pid for process in gpu.processes or ())
        self._drawing = frozenset(process.pid for process in gpu.processes or () if process.graphics)
        self._free = gpu.memory.free_bytes if gpu.memory else None
        self._workers: set[int] = set()
        self._sampler = sampler

    @property
    def lost(self) -> str | None:
        """The driver's error when it stopped answering; None while it answers."""
        return self._sampler.lost

    def close(self) -> None:
        """Release the driver."""
        self._sampler.close()

    def cell_begins(self) -> None:
        """Discard earlier samples."""
        self._sampler.begin()

    def cell_ends(self, worker: int | None, finished: Finished | None) -> CellTelemetry:
        """Return the memory of the cell; for a finished one, power and labels too."""
        spans = [(span.begin_s, span.end_s) for span in finished.spans] if finished else []
        now, seen = self._after(spans)
        # A pid that existed before our first worker is a process of the host: this is a container.
        own = None if worker in self._before else worker
        if own is not None:
            self._workers.add(own)
        memory = self._memory(seen, own)
        if finished is None:
            return CellTelemetry(memory)
        context, source = self._context(now, own, finished.reserved_bytes)
        return CellTelemetry(
            memory.model_copy(update={"context_bytes": context, "context_source": source}),
            power_of(seen.trace, seen.slow, spans, seen.sampled.period_s),
            self._memory_trace(seen, own, finished),
            self._labels(seen, spans, contended=memory.contended is True),
            # Where Windows does not manage a card's memory (TCC), the driver reports it by process.
            self._free if self._wddm and memory.process_peak_bytes is None else None,
        )

    def _after(self, spans: Sequence[Span]) -> tuple[Sample | None, Observation]:
        """Return a sample after the last repeat, and all samples up to the counter's next change."""
        limit = monotonic() + _COUNTER_LIMIT_S
        now, seen = self._sampler.fresh(), self._sampler.seen()
        while now is not None and spans and is_awaited(seen.trace, spans[-1][1]) and monotonic() < limit:
            now, seen = self._sampler.fresh(), self._sampler.seen()
        return now, seen

    def settle(self, rest: Rest, limit_s: float) -> LeftoverMemory:
        """Poll until the memory in use is near the baseline; return at once if it is unknown."""
        began = monotonic()
        while True:
            now = self._sampler.fresh()
            waited = monotonic() - began
            if now is None or now.used_bytes is None or self._baseline is None:
                return LeftoverMemory()
            left = now.used_bytes - self._baseline
            if left <= TOLERANCE_BYTES or waited >= limit_s:
                return LeftoverMemory(left, left <= TOLERANCE_BYTES, waited)
            if not rest(_POLL_S):
                return LeftoverMemory(left, None, waited)

    def _memory(self, seen: Observation, own: int | None) -> DeviceMemory:
        process = seen.process(own)
        return DeviceMemory(
            source=self._source,
            sampler=seen.sampled,
            baseline_bytes=self._baseline,
            device_peak_bytes=seen.device.peak,
            process_peak_bytes=process.peak if process else None,
            context_bytes=None,
            context_source=None,
            residue_bytes=None,
            back_at_baseline=None,
            waited_s=None,
            driver_error=seen.lost,
            contended=self._contended(seen, own),
        )

    def _memory_trace(self, seen: Observation, own: int | None, finished: Finished) -> MemoryTrace | None:
        """Return the trace of the last timed repeat; None if the driver was lost."""
        if seen.lost is not None or not finished.spans:
            return None
        of_repeat = partial(trace_of_repeat, repeat=finished.repeats[-1], begin_s=finished.spans[-1].begin_s)
        process = seen.process(own)
        if process is not None:
            return of_repeat(process, what="process", source=_PROCESSES)
        return of_repeat(seen.device, what="device", source=self._source) if self._source else None

    def _context(
        self, now: Sample | None, own: int | None, reserved_bytes: int | None
    ) -> tuple[int | None, Literal["process", "device"] | None]:
        """Return the worker's memory beyond its allocator; if the worker is not listed, the card's."""
        if now is None or reserved_bytes is None:
            return None, None
        process = (now.processes or {}).get(own) if own is not None else None
        if process is not None:
            return _not_negative(process - reserved_bytes, "process")
        if now.used_bytes is None or self._baseline is None:
            return None, None
        return _not_negative(now.used_bytes - self._baseline - reserved_bytes, "device")

    def _contended(self, seen: Observation, own: int | None) -> bool | None:
        """Whether another program computed on the card; None if the driver did not list our own worker."""
        # Under Windows the list includes programs that draw, also those that opened since.
        others = set(seen.processes) - self._drawing - seen.drawing
        if is_contended(others, self._before, self._workers):
            return True
        return False if own in seen.processes else None

    def _labels(self, seen: Observation, spans: Sequence[Span], *, contended: bool) -> tuple[str, ...]:
        throttled = is_throttled(during(seen.slow, spans), limit_lowered=is_limit_lowered(self.state))
        return (*((Label.CONTENDED,) if contended else ()), *((Label.THROTTLED,) if throttled else ()))


def _not_negative(
    size_bytes: int, source: Literal["process", "device"]
) -> tuple[int | None, Literal["process", "device"] | None]:
    """Return None for a negative size: another program freed memory meanwhile."""
    return (size_bytes, source) if size_bytes >= 0 else (None, None)
