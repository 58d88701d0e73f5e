"""What a cell needs against what the card has, the name of its peak, and full cards that read slowly."""

from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.hardware.budget import desktop_cost
from bench.judge.memory import (
    CardMemory,
    _median_without,
    card_memory,
    cliffs,
    fits_with_desktop,
    needed_bytes,
    peak_of,
)
from bench.judge.verdict import judge
from bench.records.caveats import SomeCells
from bench.records.cell import CellResult
from bench.records.enums import Attention, Provenance
from tests.samples import cards
from tests.samples import records as sample


def without(cell: CellResult, *names: str) -> CellResult:
    """The cell without some figures of its summary or of the driver."""
    assert cell.summary is not None
    assert cell.device_memory is not None
    absent = dict.fromkeys(names)
    return cell.model_copy(
        update={
            "summary": cell.summary.model_copy(update=absent),
            "device_memory": cell.device_memory.model_copy(update=absent),
        }
    )


def test_the_process_is_what_a_card_must_hold() -> None:
    cell = cards.measured()
    assert cell.summary is not None
    assert needed_bytes(cell, None) == cell.summary.process_peak_bytes


def test_without_it_reserved_and_context_then_the_growth_of_the_card() -> None:
    cell = cards.measured()
    assert cell.summary is not None
    assert cell.summary.reserved_peak_bytes is not None
    assert cell.summary.device_peak_bytes is not None
    hidden = without(cell, "process_peak_bytes")
    assert needed_bytes(hidden, None) == cell.summary.reserved_peak_bytes + cards.CONTEXT
    less = without(hidden, "context_bytes")
    assert needed_bytes(less, None) == cell.summary.device_peak_bytes - cards.BASELINE
    assert needed_bytes(without(less, "baseline_bytes"), None) is None


def test_what_did_not_run_needs_nothing_that_is_known() -> None:
    assert needed_bytes(sample.out_of_memory(sample.requested()), None) is None


def test_a_played_card_has_its_own_context_and_budget() -> None:
    cell, record = cards.measured(), cards.emulated()
    assert cell.summary is not None
    assert cell.summary.reserved_peak_bytes is not None
    assert needed_bytes(cell, cards.PLAYED) == cell.summary.reserved_peak_bytes + cards.CONTEXT
    assert card_memory(record) == CardMemory(
        headless_bytes=cards.HEADLESS,
        desktop_bytes=cards.HEADLESS - desktop_cost("linux").typical_bytes,
        now_bytes=None,
        emulated_bytes=12_878_610_432,
    )


def test_a_card_that_a_cpu_played_counts_the_tensors() -> None:
    cell = sample.measured(sample.requested(), device=sample.CPU)
    assert cell.summary is not None
    assert cell.summary.allocated_peak_bytes is not None
    played = cards.PLAYED.model_copy(update={"enforced_by": "allocation tracker"})
    assert needed_bytes(cell, played) == cell.summary.allocated_peak_bytes + cards.CONTEXT


def test_no_budget_no_answer() -> None:
    record = sample.record([cards.measured()], provenance=Provenance.MEASURED)
    assert card_memory(record) == CardMemory()
    assert fits_with_desktop(record.cells[0], card_memory(record), None) is None


def test_what_spilled_fits_nowhere() -> None:
    cell = cards.measured()
    assert cell.summary is not None
    spilled = cell.model_copy(update={"summary": cell.summary.model_copy(update={"labels": ("spilled",)})})
    record = cards.with_card([cell, spilled])
    assert [fits_with_desktop(each, card_memory(record), None) for each in (cell, spilled)] == [True, False]


# --- the named peak ----------------------------------------------------------------------------------------


def test_a_gpu_is_judged_by_the_process_a_cpu_by_what_is_resident() -> None:
    on_gpu = peak_of(sample.measured(sample.requested()), sample.RTX_4070)
    on_cpu = peak_of(sample.measured(sample.requested(), device=sample.CPU), sample.CPU)
    assert on_gpu is not None
    assert on_cpu is not None
    assert (on_gpu.metric, on_cpu.metric) == ("process_peak_bytes", "resident_peak_bytes")


def test_where_the_driver_does_not_tell_the_next_best_stands_in_under_its_own_name() -> None:
    ran = sample.measured(sample.requested())
    assert ran.summary is not None
    hidden = ran.summary.model_copy(update={"process_peak_bytes": None, "device_peak_bytes": None})
    peak = peak_of(ran.model_copy(update={"summary": hidden}), sample.RTX_4070)
    assert peak is not None
    assert (peak.metric, peak.size_bytes) == ("reserved_peak_bytes", hidden.reserved_peak_bytes)


def test_nothing_read_is_none_not_zero() -> None:
    assert peak_of(sample.out_of_memory(sample.requested()), sample.RTX_4070) is None


# --- a full card that reads slowly -------------------------------------------------------------------------

TOTAL = 12_878_610_432


def filled(clip_s: float, peak_bytes: int | None, fraction: float | None) -> CellResult:
    ran = cards.measured(clip_s)
    assert ran.summary is not None
    figures = {"device_peak_bytes": peak_bytes, "bandwidth_fraction": fraction}
    return ran.model_copy(update={"summary": ran.summary.model_copy(update=figures)})


ORDINARY = [filled(10.0, TOTAL // 2, 0.7), filled(30.0, TOTAL * 8 // 10, 0.65)]


def test_full_and_slow_is_a_sign() -> None:
    fallen = filled(60.0, TOTAL * 98 // 100, 0.1)
    record = cards.with_card([*ORDINARY, fallen])
    assert cliffs(record) == (fallen,)
    assert SomeCells(code="cells_read_slowly", count=1, cells=3) in judge(record).caveats


def test_full_alone_or_slow_alone_is_none() -> None:
    full, slow = filled(60.0, TOTAL * 98 // 100, 0.5), filled(120.0, TOTAL // 2, 0.1)
    assert cliffs(cards.with_card([*ORDINARY, full, slow])) == ()


def test_nothing_to_compare_with_is_no_sign() -> None:
    fallen = filled(60.0, TOTAL, 0.01)
    assert cliffs(cards.with_card([fallen])) == ()
    other = cards.measured(10.0, attention=Attention.EAGER)
    assert cliffs(cards.with_card([fallen, other])) == ()


def test_figures_that_are_missing_are_no_sign() -> None:
    assert cliffs(cards.with_card([*ORDINARY, filled(60.0, None, 0.01), filled(120.0, TOTAL, None)])) == ()


@given(st.lists(st.floats(0, 10), min_size=2), st.data())
def test_the_median_of_the_others(values: list[float], data: st.DataObject) -> None:
    ordered, left_out = sorted(values), data.draw(st.sampled_from(values))
    others = list(values)
    others.remove(left_out)
    assert _median_without(ordered, left_out) == pytest.approx(median(others))
