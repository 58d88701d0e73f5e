"""Outliers and reproduction, against definitions that look at every pair."""

from collections.abc import Sequence
from itertools import product
from statistics import median
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.check.summary import CellSummary, Estimate
from bench.records.metrics import METRICS
from bench.site.card_figures import Owner, figures_of, outliers, reproduction
from bench.site.interface import MOST_COUNTED, MOST_LINKS, Reproduction
from bench.validate.against import COMPARED, FEWEST_OTHERS, far
from tests.site.entries import cells
from tests.validate.good import ordinary

FACTOR: Final = 1.35
_CELL: Final = cells(ordinary())[0]
Values = tuple[dict[str, float], ...]
"""The values of a record's cells by metric."""


def record(values: Values) -> list[CellSummary]:
    """Return cells with these figures."""
    return [
        _CELL.model_copy(
            update={
                "cell_id": f"{place:016x}",
                "figures": {metric: Estimate(value) for metric, value in found.items()},
            }
        )
        for place, found in enumerate(values)
    ]


_figure = st.sampled_from([1.0, 1.1, 1.3, 1.35, 1.5, 2.0, 3.0, 40.0])
_size = st.sampled_from([1e9, 1.01e9, 1.2e9, 1.5e9, 3e9])
_cell = st.fixed_dictionaries(
    {}, optional={"decode_tokens_per_s": _figure, "latency_s": _figure, "reserved_peak_bytes": _size}
)
_key = st.sampled_from([None, "a", "b", "c", "d"])
_record = st.tuples(st.tuples(_cell, _cell), _key, st.sampled_from([None, "m", "n", "o"]), st.booleans())
_records = st.lists(_record, min_size=1, max_size=12)
Drawn = tuple[Values, str | None, str | None, bool]


def agree(metric: str, first: float, second: float) -> bool:
    """Whether two figures agree: the definition."""
    low, high = sorted((first, second))
    return high <= low * FACTOR + METRICS[metric].noise_bytes


def shared(drawn: Sequence[Drawn], own: int) -> list[tuple[str, float, list[tuple[int, float]]]]:
    """Return each figure of a record, and those of the same cell and metric that count against it."""
    (values, key, *_) = drawn[own]
    found = []
    for place, metric in product(range(2), COMPARED):
        if metric in values[place]:
            others = [
                (nth, other[0][place][metric])
                for nth, other in enumerate(drawn)
                if metric in other[0][place] and other[1] is not None and other[1] != key and other[3]
            ]
            found.append((metric, values[place][metric], others))
    return found


@given(_records)
def test_reproduction_counts_each_other_key_that_agrees_with_the_worst_figure(drawn: list[Drawn]) -> None:
    owners = [Owner(str(nth), key, machine) for nth, (_, key, machine, _) in enumerate(drawn)]
    published = frozenset(nth for nth, one in enumerate(drawn) if one[3])
    figures = figures_of((nth, record(one[0])) for nth, one in enumerate(drawn))
    found = reproduction(owners, figures, published, FACTOR)
    for own, (_, _, machine, _) in enumerate(drawn):
        every = shared(drawn, own)
        assert (own in found) == bool(every)
        if not every:
            continue
        sides = [
            (
                [nth for nth, value in others if agree(metric, own_value, value)],
                [nth for nth, value in others if not agree(metric, own_value, value)],
            )
            for metric, own_value, others in every
        ]
        keys = [len({drawn[nth][1] for nth in inside}) for inside, _ in sides]
        assert found[own].unconfirmed == min(keys)
        assert found[own].confirmed == 0
        assert (found[own].cards is None) == (machine is None)
        # A key with a figure on each side agrees in one of its records.
        lacking = [
            len({drawn[nth][1] for nth in outside} - {drawn[nth][1] for nth in inside})
            for inside, outside in sides
        ]
        assert found[own].disagreeing == max(lacking)
        links = {int(each) for each in found[own].agreeing_ids}
        assert any(links <= set(inside) for inside, _ in sides)


@given(_records)
def test_outliers_are_those_that_are_far_from_the_median_of_the_other_keys(drawn: list[Drawn]) -> None:
    owners = [Owner(str(nth), key, machine) for nth, (_, key, machine, _) in enumerate(drawn)]
    unsuspicious = frozenset(nth for nth, one in enumerate(drawn) if one[3])
    figures = figures_of((nth, record(one[0])) for nth, one in enumerate(drawn))
    found = {(owner, each.path) for owner, each in outliers(owners, figures, unsuspicious, FACTOR)}
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


def test_unsigned_records_count_for_nothing() -> None:
    owners = [Owner("mine", "key", "m"), *(Owner(str(nth), None, None) for nth in range(5))]
    same = ({"latency_s": 1.0},)
    figures = figures_of((nth, record(same)) for nth in range(6))
    found = reproduction(owners, figures, frozenset(range(6)), FACTOR)
    assert found[0].unconfirmed == 0
    assert found[1].unconfirmed == 1, "the signed one agrees with an unsigned one"


def test_reruns_under_one_key_are_no_reproduction() -> None:
    owners = [Owner(str(nth), "key", f"machine {nth}") for nth in range(5)]
    figures = figures_of((nth, record(({"latency_s": 1.0},))) for nth in range(5))
    assert reproduction(owners, figures, frozenset(range(5)), FACTOR)[0].unconfirmed == 0


def test_many_records_have_few_links() -> None:
    count = 500
    owners = [Owner(str(nth), f"key {nth}", None) for nth in range(count)]
    values = [{"latency_s": 1.0 + (nth % 2) * 9 + nth / 1e6} for nth in range(count)]
    figures = figures_of((nth, record((each,))) for nth, each in enumerate(values))
    found = reproduction(owners, figures, frozenset(range(count)), FACTOR)[100]
    assert (found.unconfirmed, found.disagreeing) == (MOST_COUNTED, MOST_COUNTED)
    assert 0 < len(found.agreeing_ids) <= MOST_LINKS
    assert 0 < len(found.disagreeing_ids) <= MOST_LINKS
    assert all(int(each) % 2 == 0 for each in found.agreeing_ids)


def test_one_record_more_leaves_most_of_many_as_they_are() -> None:
    count = 300

    def found(records: int) -> dict[int, Reproduction]:
        owners = [Owner(str(nth), f"key {nth}", f"machine {nth}") for nth in range(records)]
        values = [{"latency_s": 1.0 + (nth * 0.618 % 1) / 10} for nth in range(records)]
        figures = figures_of((nth, record((each,))) for nth, each in enumerate(values))
        return reproduction(owners, figures, frozenset(range(records)), FACTOR)

    before, after = found(count), found(count + 1)
    assert sum(before[nth] != after[nth] for nth in before) <= MOST_LINKS


def test_a_cell_that_did_not_run_has_no_figures() -> None:
    ended = [cell.model_copy(update={"status": "failed"}) for cell in record(({"latency_s": 1.0},))]
    assert figures_of([(0, ended)]) == {}


def odd_ones(keys: Sequence[str | None], values: Sequence[float]) -> set[int]:
    """Return which of these latencies are outliers, each of a record of one of these keys."""
    owners = [Owner(str(nth), key, None) for nth, key in enumerate(keys)]
    figures = figures_of((nth, record(({"latency_s": each},))) for nth, each in enumerate(values))
    every = frozenset(range(len(keys)))
    return {owner for owner, _ in outliers(owners, figures, every, FACTOR)}


def test_an_outlier_needs_enough_other_keys() -> None:
    assert odd_ones(["a", "b", "odd"], [1.0, 1.0, 9.0]) == set()
    assert odd_ones(["a", "b", "c", "odd"], [1.0, 1.0, 1.0, 9.0]) == {3}
    assert odd_ones(["a", "b", None, "odd"], [1.0, 1.0, 1.0, 9.0]) == {3}
    assert odd_ones(["a", None, None, "odd"], [1.0, 1.0, 1.0, 9.0]) == set()


@pytest.mark.parametrize("many", ["d", None])
def test_many_records_of_one_key_hold_nobody(many: str | None) -> None:
    keys = ["a", "b", *[many] * 6, "c"]
    assert odd_ones(keys, [1.0, 1.0, *[1.6] * 6, 1.0]) == set(range(2, 8))
