"""Figures far from those of other keys, against a definition that looks at every record."""

from collections.abc import Sequence
from itertools import product
from statistics import median
from typing import Final

import pytest
from hypothesis import given

from bench.check.summarise import summarise
from bench.validate.outliers import COMPARED, FEWEST_OTHERS, compared, far, figures_of, outliers
from tests.validate.figures import Drawn, record, records
from tests.validate.good import ordinary

FACTOR: Final = 1.35


@given(records)
def test_outliers_are_those_that_are_far_from_the_median_of_the_other_keys(drawn: list[Drawn]) -> None:
    keys = [key for _, key, _, _ in drawn]
    unsuspicious = frozenset(nth for nth, one in enumerate(drawn) if one[3])
    figures = figures_of((nth, record(one[0])) for nth, one in enumerate(drawn))
    found = {(owner, each.path) for owner, each in outliers(keys, figures, unsuspicious, FACTOR)}
    expected = set()
    for (nth, one), place, metric in product(enumerate(drawn), range(2), COMPARED):
        others: dict[str | None, list[float]] = {}
        for other_nth, other in enumerate(drawn):
            if other[1] != one[1] and other_nth in unsuspicious and metric in other[0][place]:
                others.setdefault(other[1], []).append(other[0][place][metric])
        if metric not in one[0][place] or len(others) < FEWEST_OTHERS:
            continue
        middle = median(median(values) for values in others.values())
        if far(metric, one[0][place][metric], middle, FACTOR) is not None:
            expected.add((nth, f"cells[{place}].summary.{metric}"))
    assert found == expected


def test_a_cell_that_did_not_run_has_no_figures() -> None:
    cells = summarise(ordinary()).cells
    assert figures_of([(0, compared(cells))])
    ended = [cell.model_copy(update={"status": "failed"}) for cell in cells]
    assert figures_of([(0, compared(ended))]) == {}


def odd_ones(keys: Sequence[str | None], values: Sequence[float]) -> set[int]:
    """Return which of these latencies are outliers, each of a record of one of these keys."""
    figures = figures_of((nth, record(({"latency_s": each},))) for nth, each in enumerate(values))
    every = frozenset(range(len(keys)))
    return {owner for owner, _ in outliers(keys, figures, every, FACTOR)}


def test_an_outlier_needs_enough_other_keys() -> None:
    assert odd_ones(["a", "b", "odd"], [1.0, 1.0, 9.0]) == set()
    assert odd_ones(["a", "b", "c", "odd"], [1.0, 1.0, 1.0, 9.0]) == {3}
    assert odd_ones(["a", "b", None, "odd"], [1.0, 1.0, 1.0, 9.0]) == {3}
    assert odd_ones(["a", None, None, "odd"], [1.0, 1.0, 1.0, 9.0]) == set()


@pytest.mark.parametrize("many", ["d", None])
def test_many_records_of_one_key_hold_nobody(many: str | None) -> None:
    keys = ["a", "b", *[many] * 6, "c"]
    assert odd_ones(keys, [1.0, 1.0, *[1.6] * 6, 1.0]) == set(range(2, 8))
