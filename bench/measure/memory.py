"""Memory per phase of a generation: the framework's live bytes and the process's resident set."""

from dataclasses import dataclass
from typing import Protocol

from bench.measure.resident import Resident
from bench.records.cell import PhaseMemory
from bench.records.enums import Phase


@dataclass(frozen=True, slots=True)
class Counts:
    """One reading of the framework's counters, in bytes.

    `reserved_peak` is None where there is no caching allocator.
    """

    peak: int
    live: int
    reserved_peak: int | None


class Allocated(Protocol):
    """The framework's own count of live bytes."""

    source: str

    def begin(self) -> None:
        """Start new peaks at the live bytes."""

    def read(self) -> Counts:
        """Return the peaks since `begin`, and the live bytes."""


class CachingAllocator(Allocated, Protocol):
    """An allocator that keeps what was freed, and counts by itself."""

    def wait(self) -> None:
        """Wait for all issued work."""

    def give_back(self) -> None:
        """Return cached blocks to the driver, so that a peak contains nothing of earlier work."""

    def retries(self) -> int:
        """Number of times that the device was full, so that the cache was released before another attempt."""

    def reserved(self) -> int:
        """Bytes that the allocator holds now."""


class MemoryWatch:
    """An observer that takes the peaks of each phase; over several generations, the largest of each."""

    def __init__(self, allocated: Allocated, resident: Resident) -> None:
        self._allocated = allocated
        self._resident = resident
        self._current: Phase | None = None
        self.phases: dict[Phase, PhaseMemory] = {}

    def begin(self, phase: Phase) -> None:
        """Close the phase before, and start new peaks."""
        self._close()
        self._current = phase
        self._allocated.begin()
        self._resident.begin()

    def token(self) -> None:
        """Tokens change no phase here: the engine begins `decode` after the first."""

    def end(self) -> None:
        """Close the last phase."""
        self._close()
        self._current = None

    def _close(self) -> None:
        if self._current is None:
            return
        seen = phase_memory(self._allocated.read(), self._resident)
        before = self.phases.get(self._current)
        self.phases[self._current] = seen if before is None else largest(before, seen)


def phase_memory(counts: Counts, resident: Resident) -> PhaseMemory:
    """Return the memory of a phase, at its end."""
    return PhaseMemory(
        allocated_peak_bytes=counts.peak,
        allocated_end_bytes=counts.live,
        reserved_peak_bytes=counts.reserved_peak,
        resident_peak_bytes=resident.peak(),
        resident_end_bytes=resident.now(),
    )


def largest(one: PhaseMemory, other: PhaseMemory) -> PhaseMemory:
    """Return the larger of each field, or the only one that is known."""
    pairs = {name: (getattr(one, name), getattr(other, name)) for name in PhaseMemory.model_fields}
    known = {name: [size for size in sizes if size is not None] for name, sizes in pairs.items()}
    return PhaseMemory(**{name: max(sizes, default=None) for name, sizes in known.items()})
