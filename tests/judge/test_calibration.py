"""Prediction against measurement: only cells that are alike in all that decides memory meet."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.judge.calibration import COMPARED, compare, errors
from bench.records.base import ByteInterval
from bench.records.cell import CellResult, Requested
from bench.records.enums import Attention, EncoderAttention, Phase, Profile, Provenance, WeightMode
from bench.records.metrics import METRICS, Summary
from bench.records.record import DeviceInfo, Record
from tests.samples import cards
from tests.samples import predictions as derived
from tests.samples import records as sample

RESERVED = ByteInterval(low=10_000_000_000, high=12_000_000_000)
DEVICE = ByteInterval(low=11_000_000_000, high=13_000_000_000)
ALLOCATED = 9_000_000_000


def predicted(wanted: Requested, device: DeviceInfo = derived.RTX_4070) -> CellResult:
    """Round figures: reserved 10 to 12 GB, on the device 11 to 13 GB, allocated 9 GB of which 1 GB work."""
    cell = derived.predicted(wanted, device)
    assert cell.envelope is not None
    peak = derived.phase(Phase.PREFILL, 0, 0, 0, "aten::mm").model_copy(
        update={"allocated_peak_bytes": ALLOCATED, "workspace_bytes": 1_000_000_000}
    )
    loading = peak.model_copy(update={"allocated_peak_bytes": ALLOCATED - 1})
    on_card = device.kind == "cuda"
    figures = {
        "reserved_peak_bytes": RESERVED if on_card else None,
        "device_peak_bytes": DEVICE if on_card else None,
        "allocated_peak_bytes": ALLOCATED,
        "phases": {Phase.LOAD: loading, Phase.PREFILL: peak},
        "peak_phase": Phase.PREFILL,
    }
    return cell.model_copy(update={"envelope": cell.envelope.model_copy(update=figures)})


def plan(*wants: Requested, device: DeviceInfo = derived.RTX_4070) -> Record:
    return derived.derived_record([predicted(want, device) for want in wants], device=device)


def summary(
    cell: CellResult,
    reserved: int | None = 11_000_000_000,
    process: int | None = 12_000_000_000,
    allocated: int | None = ALLOCATED,
) -> Summary:
    assert cell.summary is not None
    figures = {
        "reserved_peak_bytes": reserved,
        "process_peak_bytes": process,
        "allocated_peak_bytes": allocated,
    }
    return cell.summary.model_copy(update=figures)


def ran(
    wanted: Requested,
    reserved: int | None = 11_000_000_000,
    process: int | None = 12_000_000_000,
    allocated: int | None = ALLOCATED,
    *,
    device: DeviceInfo = derived.RTX_4070,
) -> CellResult:
    cell = sample.measured(wanted, device=device, repeats=1)
    return cell.model_copy(update={"summary": summary(cell, reserved, process, allocated)})


def run(*cells: CellResult) -> Record:
    return sample.record(cells)


WANTED = sample.requested()


def test_a_model_of_the_same_name_and_another_shape_is_another_model() -> None:
    record = run(ran(WANTED))
    assert errors(plan(WANTED), [record])
    other = record.model.model_copy(update={"config_sha256": "0" * 64})
    assert errors(plan(WANTED), [record.model_copy(update={"model": other})]) == ()


def test_each_metric_is_held_against_its_own_prediction() -> None:
    record = run(ran(WANTED, reserved=12_100_000_000, process=12_600_000_000, allocated=9_900_000_000))
    found = compare(plan(WANTED), [record])
    assert [comparison.metric for comparison in found] == list(COMPARED)
    assert [(c.cells, c.inside) for c in found] == [(1, 0), (1, 1), (1, None)]
    assert [c.ratio_median for c in found] == [1.1, 1.05, 1.1]
    assert {(c.record_id, c.content_hash) for c in found} == {(record.record_id, record.content_hash)}


def test_the_spread_over_the_cells_of_a_record() -> None:
    wants = [sample.requested(10.0 * nth) for nth in range(1, 5)]
    seen = [
        ran(want, reserved=size)
        for want, size in zip(
            wants, (9_900_000_000, 11_000_000_000, 11_550_000_000, 12_100_000_000), strict=True
        )
    ]
    reserved = compare(plan(*wants), [run(*seen)])[0]
    assert (reserved.cells, reserved.inside) == (4, 2)
    assert (reserved.ratio_low, reserved.ratio_median, reserved.ratio_high) == (0.9, 1.025, 1.1)


@pytest.mark.parametrize(("beyond_bytes", "inside"), [(24 * 2**20, 1), (24 * 2**20 + 1, 0)])
def test_reserved_memory_is_inside_to_within_what_equal_builds_differ_by(
    beyond_bytes: int, inside: int
) -> None:
    record = run(ran(WANTED, reserved=round(RESERVED.high) + beyond_bytes))
    assert compare(plan(WANTED), [record])[0].inside == inside


def test_every_cell_of_it_for_a_table() -> None:
    record = run(ran(WANTED, reserved=12_100_000_000))
    first, second, third = errors(plan(WANTED), [record])
    assert (first.record, first.cell) == (record, record.cells[0])
    assert (first.metric, first.predicted, first.measured_bytes) == (
        "reserved_peak_bytes",
        RESERVED,
        12_100_000_000,
    )
    assert (first.ratio, first.is_inside) == (1.1, False)
    assert (second.predicted, second.is_inside) == (DEVICE, True)
    assert (third.predicted, third.is_inside) == (ByteInterval(low=ALLOCATED, high=ALLOCATED), None)


@pytest.mark.parametrize(
    "update",
    [
        {"weight_mode": WeightMode.RANDOM},
        {"seed": 7},
        {"sampling": sample.SAMPLED},
        {"clip_source_sha256": sample.sha("other speech")},
    ],
)
def test_what_does_not_decide_memory_may_differ(update: dict[str, object]) -> None:
    assert len(compare(plan(WANTED), [run(ran(WANTED.model_copy(update=update)))])) == 3


@pytest.mark.parametrize(
    "update",
    [
        {"clip_seconds": 11.0},
        {"max_tokens": 127},
        {"attention": Attention.EAGER},
        {"encoder_attention": EncoderAttention.SDPA},
        {"profile": Profile.LEAN},
        {"dtype": "float16"},
        {"prompt": "Transcribe."},
        {"time_markers": False},
        {"model": "MOSS-Audio-8B-Instruct"},
    ],
)
def test_what_decides_memory_may_not(update: dict[str, object]) -> None:
    other = ran(WANTED.model_copy(update=update))
    other = sample.with_kernels(other, "audio_encoder", attention=other.requested.encoder_attention.value)
    assert compare(plan(WANTED), [run(other)]) == ()
    assert len(compare(plan(other.requested), [run(other)])) == 3


def labelled(cell: CellResult, label: str) -> CellResult:
    assert cell.summary is not None
    return cell.model_copy(update={"summary": cell.summary.model_copy(update={"labels": (label,)})})


def beside_another(cell: CellResult) -> CellResult:
    seen = cards.on_card(cell).device_memory
    assert seen is not None
    return cell.model_copy(update={"device_memory": seen.model_copy(update={"contended": True})})


def fell_back(cell: CellResult) -> CellResult:
    return cards.with_kernels(cell, "sdpa (unfused)")


def encoder_fell_back(cell: CellResult) -> CellResult:
    return sample.with_kernels(cell, "audio_encoder", attention="sdpa")


@pytest.mark.parametrize(
    "spoiled",
    [
        lambda cell: labelled(cell, "contended"),
        lambda cell: labelled(cell, "spilled"),
        beside_another,
        fell_back,
        encoder_fell_back,
        lambda cell: cell.model_copy(update={"effective": None}),
        lambda cell: cell.model_copy(update={"summary": None}),
        lambda cell: sample.out_of_memory(cell.requested),
    ],
)
def test_a_cell_that_was_disturbed_or_ran_otherwise_is_left_out(
    spoiled: Callable[[CellResult], CellResult],
) -> None:
    other = sample.requested(20.0)
    found = compare(plan(WANTED, other), [run(spoiled(ran(WANTED)), ran(other))])
    assert [comparison.cells for comparison in found] == [1, 1, 1]


@pytest.mark.parametrize(
    ("attention", "kernel", "cells"),
    [
        ("sdpa", "flash", [1, 1, 1]),
        ("sdpa", "cudnn", [1, 1, 1]),  # allocates as flash does
        ("sdpa", None, [1, 1, 1]),  # an older record: only its attention is known
        ("sdpa", "memory_efficient", []),
        ("sdpa (unfused)", "math", []),
    ],
)
def test_a_cell_that_ran_on_another_kernel_than_predicted_is_left_out(
    attention: str, kernel: str | None, cells: list[int]
) -> None:
    measured = sample.with_kernels(ran(WANTED), attention=attention, kernel=kernel)
    assert [comparison.cells for comparison in compare(on_kernel("flash"), [run(measured)])] == cells


@pytest.mark.parametrize("kernel", ["math", None])
def test_math_meets_a_prediction_for_math(kernel: str | None) -> None:
    measured = sample.with_kernels(ran(WANTED), attention="sdpa (unfused)", kernel=kernel)
    assert [comparison.cells for comparison in compare(on_kernel("math"), [run(measured)])] == [1, 1, 1]


def on_kernel(kernel: str) -> Record:
    cell = predicted(WANTED)
    assert cell.envelope is not None
    envelope = cell.envelope.model_copy(update={"attention_kernel": kernel})
    return derived.derived_record([cell.model_copy(update={"envelope": envelope})], device=derived.RTX_4070)


def test_noise_and_throttling_do_not_touch_memory() -> None:
    assert len(compare(plan(WANTED), [run(labelled(labelled(ran(WANTED), "noisy"), "throttled"))])) == 3


def test_records_of_something_else_are_left_out() -> None:
    cell = ran(WANTED)
    others = [
        sample.record([cell], provenance=Provenance.EMULATED),
        sample.record([cell], provenance=Provenance.SMOKE),
        sample.record([cell], weight_mode=WeightMode.TINY),
        sample.record([cell], model="MOSS-Audio-8B-Instruct"),
        sample.record([cell], device=derived.RTX_5060_TI),
        cards.with_card([cell], emulation=cards.PLAYED),
        plan(WANTED),
    ]
    assert compare(plan(WANTED), others) == ()
    assert len(compare(plan(WANTED), [*others, run(cell)])) == 3


def test_a_card_whose_cells_computed_elsewhere_is_left_out() -> None:
    cell = ran(WANTED)
    assert cell.effective is not None
    moved = cell.model_copy(update={"effective": cell.effective.model_copy(update={"device": "cpu"})})
    assert compare(plan(WANTED), [run(moved)]) == ()


def test_a_figure_that_nobody_read_is_no_cell() -> None:
    found = compare(plan(WANTED), [run(ran(WANTED, process=None))])
    assert [comparison.metric for comparison in found] == ["reserved_peak_bytes", "allocated_peak_bytes"]


@pytest.mark.parametrize("name", ["PYTORCH_CUDA_ALLOC_CONF", "PYTORCH_ALLOC_CONF"])
@pytest.mark.parametrize("is_set_for_the_plan", [False, True])
def test_an_allocator_that_was_set_up_otherwise_is_compared_by_its_tensors_only(
    name: str, is_set_for_the_plan: bool
) -> None:
    def set_up(record: Record) -> Record:
        variables = {name: "expandable_segments:True"}
        changed = record.environment.model_copy(update={"variables": variables})
        return record.model_copy(update={"environment": changed})

    planned = set_up(plan(WANTED)) if is_set_for_the_plan else plan(WANTED)
    found = compare(planned, [set_up(run(ran(WANTED)))])
    assert [comparison.metric for comparison in found] == ["allocated_peak_bytes"]


def test_where_loading_is_the_peak_of_all_only_the_tensors_of_a_generation_are_compared() -> None:
    record = plan(WANTED)
    (cell,) = record.cells
    assert cell.envelope is not None
    loading = cell.envelope.phases[Phase.LOAD].model_copy(update={"allocated_peak_bytes": 18_000_000_000})
    figures = {
        "peak_phase": Phase.LOAD,
        "allocated_peak_bytes": 18_000_000_000,
        "phases": {**cell.envelope.phases, Phase.LOAD: loading},
    }
    heavy = cell.model_copy(update={"envelope": cell.envelope.model_copy(update=figures)})
    (only,) = compare(record.model_copy(update={"cells": (heavy,)}), [run(ran(WANTED))])
    assert (only.metric, only.ratio_median) == ("allocated_peak_bytes", 1.0)


def test_a_cpu_counts_tensors_without_the_workspace_of_its_kernels() -> None:
    cell = ran(WANTED, None, None, 8_080_000_000, device=sample.CPU)
    record = sample.record([cell], device=sample.CPU)
    (only,) = compare(plan(WANTED, device=sample.CPU), [record])
    assert (only.metric, only.cells, only.inside) == ("allocated_peak_bytes", 1, None)
    assert only.ratio_median == 1.01  # of 9 GB less 1 GB


def test_several_records_stand_one_after_another_and_none_twice() -> None:
    first, second = run(ran(WANTED)), run(ran(WANTED, reserved=11_100_000_000))
    found = compare(plan(WANTED), [first, second, first])
    assert [c.content_hash for c in found] == [first.content_hash] * 3 + [second.content_hash] * 3


def test_nothing_measured_nothing_compared() -> None:
    assert compare(plan(WANTED), []) == ()


@given(st.lists(st.integers(1, 10**11), min_size=1, max_size=8))
def test_the_factor_lies_between_the_extremes(sizes: list[int]) -> None:
    wants = [sample.requested(10.0 * nth) for nth in range(1, len(sizes) + 1)]
    cells = [ran(want, reserved=size) for want, size in zip(wants, sizes, strict=True)]
    reserved = compare(plan(*wants), [run(*cells)])[0]
    assert reserved.ratio_low <= reserved.ratio_median <= reserved.ratio_high
    assert reserved.ratio_low == min(sizes) / 11_000_000_000
    noise = METRICS["reserved_peak_bytes"].noise_bytes
    assert reserved.inside == sum(RESERVED.low - noise <= size <= RESERVED.high + noise for size in sizes)
    assert reserved.cells == len(sizes)
