"""Live bytes as the dispatcher sees them, and the limit of an emulated card."""

import gc
from collections.abc import Iterator

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from bench.measure.memory import MemoryWatch
from bench.measure.observer import CombinedObserver
from bench.measure.resident import Resident
from bench.measure.timeline import MOST
from bench.measure.tracker import AllocationTracker, EmulatedMemoryError, TimelineWatch
from bench.records.enums import Phase
from bench.records.reasons import EmulatedCardFull

KIB = 1024


@pytest.fixture
def tracker() -> Iterator[AllocationTracker]:
    with AllocationTracker() as entered:
        yield entered


def floats(count: int) -> torch.Tensor:
    return torch.zeros(count, dtype=torch.float32)


def test_a_tensor_counts_from_its_birth_to_its_end(tracker: AllocationTracker) -> None:
    tensor = floats(KIB)
    assert tracker.read().live == 4 * KIB
    del tensor
    assert tracker.read().live == 0
    assert tracker.read().peak == 4 * KIB


def test_views_and_writing_in_place_take_nothing_more(tracker: AllocationTracker) -> None:
    tensor = floats(KIB)
    views = [tensor[10:], tensor.view(2, -1), tensor.t(), tensor.detach(), *torch.split(tensor, 100)]
    tensor.add_(1).mul_(2).fill_(0)
    assert tracker.read().live == tracker.read().peak == 4 * KIB
    del tensor
    assert tracker.read().live == 4 * KIB  # a view keeps the whole storage
    del views
    assert tracker.read().live == 0


def test_what_a_function_needs_for_a_while_is_in_the_peak_only(tracker: AllocationTracker) -> None:
    def busy(tensor: torch.Tensor) -> torch.Tensor:
        wide = tensor.repeat(10)
        return wide.sum(0, keepdim=True)

    result = busy(floats(KIB))
    gc.collect()
    assert tracker.read().live == result.untyped_storage().nbytes() == 4
    assert tracker.read().peak == 4 * KIB + 40 * KIB + 4


def test_a_new_peak_starts_at_what_is_live(tracker: AllocationTracker) -> None:
    kept = floats(KIB)
    floats(100 * KIB)
    assert tracker.read().peak == 404 * KIB
    tracker.begin()
    assert tracker.read().peak == 4 * KIB
    floats(2 * KIB)
    assert tracker.read().peak == 12 * KIB
    assert kept.numel() == KIB


def test_tensors_that_were_there_before_are_adopted_once() -> None:
    layer = nn.Linear(16, 16)
    weights = [*layer.parameters()]
    tracker = AllocationTracker()
    for tensor in [*weights, *weights, weights[0].view(-1), weights[0].data]:
        tracker.adopt(tensor)
    assert tracker.read().live == (16 * 16 + 16) * 4
    with tracker, torch.no_grad():
        layer(torch.zeros(1, 16))
    del layer, weights, tensor
    gc.collect()
    assert tracker.read().live == 0


def test_operators_that_return_several_tensors_count_each(tracker: AllocationTracker) -> None:
    values, indices = floats(100).sort()
    del indices
    assert tracker.read().live == 400
    parts = torch.ops.aten.split_with_sizes_copy(values, [30, 70])
    assert tracker.read().live == 800
    del parts, values
    assert tracker.read().live == 0


def test_tensors_in_lists_in_tuples_count(tracker: AllocationTracker) -> None:
    library = torch.library.Library("bench_test", "DEF")  # type: ignore[no-untyped-call]
    library.define("nested(Tensor x) -> (Tensor, Tensor[])")  # type: ignore[no-untyped-call]
    library.impl("nested", lambda x: (x * 2, [x * 3, x * 4]), "CPU")  # type: ignore[no-untyped-call]
    given = floats(10)
    first, others = torch.ops.bench_test.nested(given)
    del given
    assert tracker.read().live == first.untyped_storage().nbytes() + sum(
        o.untyped_storage().nbytes() for o in others
    )
    assert tracker.read().live == 120


def test_a_storage_that_grows_is_counted_anew(tracker: AllocationTracker) -> None:
    tensor = floats(10)
    tensor.resize_(1000)
    assert tracker.read().live == 4000
    buffer = torch.empty(0)
    torch.cat([floats(10), floats(10)], out=buffer)
    assert tracker.read().live == 4080
    del tensor, buffer
    assert tracker.read().live == 0


def test_thousands_of_operators_leave_nothing_behind(tracker: AllocationTracker) -> None:
    tensor = floats(256)
    for _ in range(3000):
        tensor = torch.relu(tensor + 1)
    assert tracker.read().live == KIB
    assert len(tracker._known) == 1
    assert tracker.read().peak <= 3 * KIB


def test_an_independent_witness_sees_the_same_peak() -> None:
    """torch's own profiler counts every allocation and release of the CPU allocator."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(256, 1024), nn.GELU(), nn.Linear(1024, 512), nn.LayerNorm(512))
    inputs = torch.randn(64, 256)
    tracker = AllocationTracker()
    for tensor in [*model.parameters(), inputs]:
        tracker.adopt(tensor)
    before = tracker.read().live
    with torch.no_grad():
        model(inputs)
        with torch.profiler.profile(
            profile_memory=True, activities=[torch.profiler.ProfilerActivity.CPU]
        ) as seen:
            model(inputs)
        with tracker:
            model(inputs)
    assert seen.profiler is not None
    events = [event for event in seen.profiler.kineto_results.events() if event.name() == "[memory]"]
    live = peak = 0
    for event in sorted(events, key=lambda event: event.start_ns()):
        live += event.nbytes()
        peak = max(peak, live)
    assert peak > 64 * 1024 * 4
    assert tracker.read().peak - before == pytest.approx(peak, rel=0.02)
    assert tracker.read().live == before


# --- the limit of an emulated card ------------------------------------------------------------------------


def chain(sizes: list[int]) -> None:
    """Two tensors alive at a time, of these numbers of floats."""
    before = floats(1)
    for size in sizes:
        now = floats(size)
        before = now
    assert before.numel() == sizes[-1]


@given(st.lists(st.integers(1, 500), min_size=1, max_size=8))
def test_what_was_measured_is_exactly_what_is_needed(sizes: list[int]) -> None:
    with AllocationTracker() as free:
        chain(sizes)
    peak = free.read().peak
    with AllocationTracker(peak) as enough:
        chain(sizes)
    assert enough.read().peak == peak
    with AllocationTracker(peak - 1), pytest.raises(EmulatedMemoryError):
        chain(sizes)


def test_the_error_is_the_frameworks_and_says_what_was_there() -> None:
    with AllocationTracker(100 * KIB):
        kept = floats(20 * KIB)
        with pytest.raises(torch.OutOfMemoryError, match="tried to allocate") as raised:
            floats(10 * KIB)
    error = raised.value
    assert isinstance(error, EmulatedMemoryError)
    assert error.reason == EmulatedCardFull(
        requested_bytes=40 * KIB, free_bytes=20 * KIB, limit_bytes=100 * KIB
    )
    assert kept.numel() == 20 * KIB


def test_what_was_freed_can_be_had_again() -> None:
    with AllocationTracker(5 * KIB) as tracker:
        for _ in range(10):
            floats(KIB)
        with pytest.raises(EmulatedMemoryError):
            floats(2 * KIB)
        gc.collect()
        assert floats(KIB).numel() == KIB
    assert tracker.read().live == 0


def test_weights_that_cannot_fit_are_known_before_they_are_made() -> None:
    tracker = AllocationTracker(1000)
    tracker.require(1000)
    with pytest.raises(EmulatedMemoryError) as raised:
        tracker.require(1001)
    assert raised.value.reason.free_bytes == 1000
    layer = nn.Linear(15, 16)
    with pytest.raises(EmulatedMemoryError):
        tracker.adopt_all(layer.parameters())


# --- the timeline of a generation ---------------------------------------------------------------------------


def test_each_operator_is_a_segment_with_what_was_released_before_it() -> None:
    tracker = AllocationTracker()
    tracker.adopt(floats(KIB))  # gone at once
    with tracker:
        kept = floats(KIB)
        watch = TimelineWatch(tracker)
        tracker.begin()
        watch.begin(Phase.ENCODE)
        floats(10 * KIB)
        floats(2 * KIB)
        tracker.begin()
        watch.begin(Phase.PREFILL)
        watch.token()
        other = floats(3 * KIB)
        watch.end()
        floats(100 * KIB)  # after the end
    trace = watch.trace()
    assert trace is not None
    assert trace.low_bytes == (4 * KIB, 4 * KIB, 4 * KIB, 4 * KIB, 4 * KIB)
    assert trace.high_bytes == (4 * KIB, 44 * KIB, 12 * KIB, 4 * KIB, 16 * KIB)
    assert trace.phases == {Phase.ENCODE: trace.times_s[0], Phase.PREFILL: trace.times_s[3]}
    assert trace.times_s[0] == 0.0
    assert kept.numel() + other.numel() == 4 * KIB


def test_thousands_of_operators_are_few_segments_with_the_peak_of_each_phase() -> None:
    tracker = AllocationTracker()
    peaks, timeline = MemoryWatch(tracker, Resident()), TimelineWatch(tracker)
    watch = CombinedObserver(peaks, timeline)
    with tracker:
        for phase, largest in ((Phase.PREFILL, 700), (Phase.DECODE, 300)):
            watch.begin(phase)
            for number in range(3000):
                floats(1 + number * 7919 % largest)
        watch.end()
    trace = timeline.trace()
    assert trace is not None
    assert MOST // 2 < len(trace.times_s) <= MOST
    border = trace.phases[Phase.DECODE]
    rows = list(zip(trace.times_s, trace.high_bytes, strict=True))
    assert max(high for at, high in rows if at < border) == 700 * 4
    assert max(high for at, high in rows if at >= border) == 300 * 4
    assert [seen.allocated_peak_bytes for seen in peaks.phases.values()] == [700 * 4, 300 * 4]


def test_before_the_end_and_without_a_generation_there_is_no_trace() -> None:
    tracker = AllocationTracker()
    watch = TimelineWatch(tracker)
    assert watch.trace() is None
    watch.begin(Phase.ENCODE)
    assert watch.trace() is None
    unannounced = TimelineWatch(tracker)
    unannounced.end()
    assert unannounced.trace() is None
