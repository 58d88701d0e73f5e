"""A full card that suddenly reads slowly."""

from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.judge.memory import _median_without, cliffs
from bench.judge.verdict import judge
from bench.records.caveats import SomeCells
from bench.records.enums import Attention
from bench.records.record import CellResult
from tests.samples import cards

TOTAL = 12_878_610_432


def cell(clip_s: float, peak_bytes: int | None, fraction: float | None) -> CellResult:
    ran = cards.measured(clip_s)
    assert ran.summary is not None
    figures = {"device_peak_bytes": peak_bytes, "bandwidth_fraction": fraction}
    return ran.model_copy(update={"summary": ran.summary.model_copy(update=figures)})


ORDINARY = [cell(10.0, TOTAL // 2, 0.7), cell(30.0, TOTAL * 8 // 10, 0.65)]


def test_full_and_slow_is_a_sign() -> None:
    fallen = cell(60.0, TOTAL * 98 // 100, 0.1)
    record = cards.with_card([*ORDINARY, fallen])
    assert cliffs(record) == (fallen,)
    assert SomeCells(code="cells_read_slowly", count=1, cells=3) in judge(record).caveats


def test_full_alone_or_slow_alone_is_none() -> None:
    full, slow = cell(60.0, TOTAL * 98 // 100, 0.5), cell(120.0, TOTAL // 2, 0.1)
    assert cliffs(cards.with_card([*ORDINARY, full, slow])) == ()


def test_nothing_to_compare_with_is_no_sign() -> None:
    fallen = cell(60.0, TOTAL, 0.01)
    assert cliffs(cards.with_card([fallen])) == ()
    other = cards.measured(10.0, attention=Attention.EAGER)
    assert cliffs(cards.with_card([fallen, other])) == ()


def test_figures_that_are_missing_are_no_sign() -> None:
    assert cliffs(cards.with_card([*ORDINARY, cell(60.0, None, 0.01), cell(120.0, TOTAL, None)])) == ()


@given(st.lists(st.floats(0, 10), min_size=2), st.data())
def test_the_median_of_the_others(values: list[float], data: st.DataObject) -> None:
    ordered, left_out = sorted(values), data.draw(st.sampled_from(values))
    others = list(values)
    others.remove(left_out)
    assert _median_without(ordered, left_out) == pytest.approx(median(others))
