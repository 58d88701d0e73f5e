from collections.abc import Iterator

import pytest
import torch

from bench.measure.memory import Counts, MemoryWatch, largest
from bench.measure.resident import Resident
from bench.measure.tracker import AllocationTracker
from bench.records.cell import PhaseMemory
from bench.records.enums import Phase

KIB = 1024


@pytest.fixture
def tracker() -> Iterator[AllocationTracker]:
    with AllocationTracker() as entered:
        yield entered


def floats(count: int) -> torch.Tensor:
    return torch.zeros(count, dtype=torch.float32)


def test_each_phase_has_its_own_peak_and_end(tracker: AllocationTracker) -> None:
    watch = MemoryWatch(tracker, Resident())
    watch.begin(Phase.ENCODE)
    floats(100 * KIB)
    kept = floats(KIB)
    watch.begin(Phase.PREFILL)
    watch.token()
    floats(10 * KIB)
    watch.begin(Phase.DECODE)
    watch.token()
    watch.end()
    watch.end()
    encode, prefill, decode = (watch.phases[phase] for phase in (Phase.ENCODE, Phase.PREFILL, Phase.DECODE))
    assert (encode.allocated_peak_bytes, encode.allocated_end_bytes) == (400 * KIB, 4 * KIB)
    assert (prefill.allocated_peak_bytes, prefill.allocated_end_bytes) == (44 * KIB, 4 * KIB)
    assert (decode.allocated_peak_bytes, decode.allocated_end_bytes) == (4 * KIB, 4 * KIB)
    assert {phase.reserved_peak_bytes for phase in watch.phases.values()} == {None}
    assert encode.resident_end_bytes
    assert kept.numel() == KIB


def test_nothing_announced_is_nothing_measured() -> None:
    watch = MemoryWatch(AllocationTracker(), Resident())
    watch.token()
    watch.end()
    assert watch.phases == {}


class Counters:
    """An allocator whose counters were written down before: peak, live, reserved peak."""

    source = "written down"

    def __init__(self, *counts: tuple[int, int, int]) -> None:
        self._counts = list(counts)

    def begin(self) -> None:
        pass

    def read(self) -> Counts:
        return Counts(*self._counts.pop(0))


def test_over_several_generations_the_largest_of_each_phase_counts() -> None:
    watch = MemoryWatch(Counters((50, 10, 64), (90, 20, 96), (70, 5, 80), (80, 30, 128)), Resident())
    for _ in range(2):
        watch.begin(Phase.PREFILL)
        watch.begin(Phase.DECODE)
        watch.end()
    prefill, decode = watch.phases[Phase.PREFILL], watch.phases[Phase.DECODE]
    assert (prefill.allocated_peak_bytes, prefill.allocated_end_bytes) == (70, 10)
    assert (decode.allocated_peak_bytes, decode.allocated_end_bytes) == (90, 30)
    assert (prefill.reserved_peak_bytes, decode.reserved_peak_bytes) == (80, 128)


def test_not_known_is_neither_0_nor_the_end_of_what_is_known() -> None:
    known, unknown = PhaseMemory(allocated_peak_bytes=5), PhaseMemory()
    assert largest(known, unknown) == largest(unknown, known) == known
    assert largest(unknown, unknown) == unknown
