import gc
import sys
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import nn

from bench.measure.memory import AllocationTracker, MemoryWatch, Resident
from bench.records.words import Phase

KIB = 1024


@pytest.fixture
def tracker() -> Iterator[AllocationTracker]:
    with AllocationTracker() as entered:
        yield entered


def floats(count: int) -> torch.Tensor:
    return torch.zeros(count, dtype=torch.float32)


# --- the framework's live bytes ---------------------------------------------------------------------------


def test_a_tensor_counts_from_its_birth_to_its_end(tracker: AllocationTracker) -> None:
    tensor = floats(KIB)
    assert tracker.now() == 4 * KIB
    del tensor
    assert tracker.now() == 0
    assert tracker.peak() == 4 * KIB


def test_views_and_writing_in_place_take_nothing_more(tracker: AllocationTracker) -> None:
    tensor = floats(KIB)
    views = [tensor[10:], tensor.view(2, -1), tensor.t(), tensor.detach(), *torch.split(tensor, 100)]
    tensor.add_(1).mul_(2).fill_(0)
    assert tracker.now() == tracker.peak() == 4 * KIB
    del tensor
    assert tracker.now() == 4 * KIB  # a view keeps the whole storage
    del views
    assert tracker.now() == 0


def test_what_a_function_needs_for_a_while_is_in_the_peak_only(tracker: AllocationTracker) -> None:
    def busy(tensor: torch.Tensor) -> torch.Tensor:
        wide = tensor.repeat(10)
        return wide.sum(0, keepdim=True)

    result = busy(floats(KIB))
    gc.collect()
    assert tracker.now() == result.untyped_storage().nbytes() == 4
    assert tracker.peak() == 4 * KIB + 40 * KIB + 4


def test_a_new_peak_starts_at_what_is_live(tracker: AllocationTracker) -> None:
    kept = floats(KIB)
    floats(100 * KIB)
    assert tracker.peak() == 404 * KIB
    tracker.begin()
    assert tracker.peak() == 4 * KIB
    floats(2 * KIB)
    assert tracker.peak() == 12 * KIB
    assert kept.numel() == KIB


def test_tensors_that_were_there_before_are_adopted_once() -> None:
    layer = nn.Linear(16, 16)
    weights = [*layer.parameters()]
    tracker = AllocationTracker()
    for tensor in [*weights, *weights, weights[0].view(-1), weights[0].data]:
        tracker.adopt(tensor)
    assert tracker.now() == (16 * 16 + 16) * 4
    with tracker, torch.no_grad():
        layer(torch.zeros(1, 16))
    del layer, weights, tensor
    gc.collect()
    assert tracker.now() == 0


def test_operators_that_return_several_tensors_count_each(tracker: AllocationTracker) -> None:
    values, indices = floats(100).sort()
    del indices
    assert tracker.now() == 400
    parts = torch.ops.aten.split_with_sizes_copy(values, [30, 70])
    assert tracker.now() == 800
    del parts, values
    assert tracker.now() == 0


def test_tensors_in_lists_in_tuples_count(tracker: AllocationTracker) -> None:
    library = torch.library.Library("bench_test", "DEF")  # type: ignore[no-untyped-call]
    library.define("nested(Tensor x) -> (Tensor, Tensor[])")  # type: ignore[no-untyped-call]
    library.impl("nested", lambda x: (x * 2, [x * 3, x * 4]), "CPU")  # type: ignore[no-untyped-call]
    given = floats(10)
    first, others = torch.ops.bench_test.nested(given)
    del given
    assert tracker.now() == first.untyped_storage().nbytes() + sum(
        o.untyped_storage().nbytes() for o in others
    )
    assert tracker.now() == 120


def test_a_storage_that_grows_is_counted_anew(tracker: AllocationTracker) -> None:
    tensor = floats(10)
    tensor.resize_(1000)
    assert tracker.now() == 4000
    buffer = torch.empty(0)
    torch.cat([floats(10), floats(10)], out=buffer)
    assert tracker.now() == 4080
    del tensor, buffer
    assert tracker.now() == 0


def test_thousands_of_operators_leave_nothing_behind(tracker: AllocationTracker) -> None:
    tensor = floats(256)
    for _ in range(3000):
        tensor = torch.relu(tensor + 1)
    assert tracker.now() == KIB
    assert len(tracker._known) == 1
    assert tracker.peak() <= 3 * KIB


def test_an_independent_witness_sees_the_same_peak() -> None:
    """torch's own profiler counts every allocation and release of the CPU allocator."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(256, 1024), nn.GELU(), nn.Linear(1024, 512), nn.LayerNorm(512))
    inputs = torch.randn(64, 256)
    tracker = AllocationTracker()
    for tensor in [*model.parameters(), inputs]:
        tracker.adopt(tensor)
    before = tracker.now()
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
    assert tracker.peak() - before == pytest.approx(peak, rel=0.02)
    assert tracker.now() == before


# --- the resident set -------------------------------------------------------------------------------------

linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux keeps a peak that can be reset")
SIZE = 200 * 2**20


@linux
def test_the_resident_peak_rises_with_what_is_written_and_starts_anew() -> None:
    resident = Resident()
    resident.begin()
    before = resident.now()
    block = np.ones(SIZE // 8)
    assert resident.now() - before == pytest.approx(SIZE, rel=0.05)
    del block
    peak = resident.peak()
    assert peak is not None
    assert peak - before == pytest.approx(SIZE, rel=0.05)
    resident.begin()
    after = resident.peak()
    assert after is not None
    assert after < peak - SIZE / 2


@linux
def test_where_the_peak_cannot_be_reset_it_is_none_not_a_guess(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    resident = Resident()
    assert resident.source is None
    assert resident.peak() is None
    assert resident.now() > 0


# --- per phase --------------------------------------------------------------------------------------------


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
