"""The rank tests, against scipy and against counting by hand."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from bench.compare.ranks import (
    ALPHA,
    rank_sum_interval,
    rank_sum_p,
    signed_rank_interval,
    signed_rank_p,
    smallest_rank_sum_p,
    smallest_signed_rank_p,
    t_quantile,
)

distinct = st.lists(st.integers(-1000, 1000), min_size=2, max_size=14, unique=True)
tied = st.lists(st.integers(0, 3).map(float), min_size=1, max_size=5)


@given(distinct, st.data())
def test_the_rank_sum_test_is_scipys_exact_one(values: list[int], data: st.DataObject) -> None:
    cut = data.draw(st.integers(1, len(values) - 1))
    base, new = values[:cut], values[cut:]
    expected = stats.mannwhitneyu(base, new, method="exact").pvalue
    assert rank_sum_p(base, new) == pytest.approx(expected)


@given(tied, tied)
def test_with_ties_it_counts_every_way_to_deal_the_ranks(base: list[float], new: list[float]) -> None:
    ranks = stats.rankdata([*base, *new])
    sums = [sum(dealt) for dealt in combinations(ranks, len(base))]
    seen = sum(ranks[: len(base)])
    tails = (sum(one <= seen for one in sums), sum(one >= seen for one in sums))
    assert rank_sum_p(base, new) == pytest.approx(min(1.0, 2 * min(tails) / len(sums)))


def test_large_samples_take_the_normal_approximation_of_scipy() -> None:
    random = np.random.default_rng(1)
    base, new = random.integers(0, 40, 60).tolist(), random.integers(6, 46, 50).tolist()
    expected = stats.mannwhitneyu(base, new, method="asymptotic").pvalue
    assert rank_sum_p(base, new) == pytest.approx(expected)


def test_three_against_three_can_show_nothing() -> None:
    assert smallest_rank_sum_p(3, 3) == pytest.approx(0.1)
    assert smallest_rank_sum_p(4, 4) == pytest.approx(2 / 70)
    assert smallest_rank_sum_p(1, 1) == 1.0
    assert smallest_signed_rank_p(5) > 0.05 > smallest_signed_rank_p(6)


@given(st.lists(st.integers(-1000, 1000).filter(bool), min_size=1, max_size=25, unique_by=abs))
def test_the_signed_rank_test_is_scipys_exact_one(values: list[int]) -> None:
    assert signed_rank_p(values) == pytest.approx(stats.wilcoxon(values, method="exact").pvalue)


@pytest.mark.parametrize("shift", [0.0, 0.15, -0.3])
def test_many_pairs_take_the_normal_approximation_with_ties_and_zeros(shift: float) -> None:
    values = np.round(np.random.default_rng(3).normal(shift, 1, 400), 1).tolist()
    expected = stats.wilcoxon(values, zero_method="wilcox", correction=True, method="asymptotic").pvalue
    assert signed_rank_p(values) == pytest.approx(expected)


def test_the_approximation_meets_the_exact_test() -> None:
    values = np.random.default_rng(5).normal(0.1, 1, 201).tolist()
    assert signed_rank_p(values) == pytest.approx(stats.wilcoxon(values, method="exact").pvalue, rel=0.02)


def test_differences_of_nothing_are_no_evidence() -> None:
    assert signed_rank_p([0.0, 0.0]) == 1.0
    assert signed_rank_p([]) == 1.0
    assert signed_rank_p([0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]) == pytest.approx(2 / 2**6)


# --- intervals --------------------------------------------------------------------------------------------

apart = st.lists(st.floats(-50, 50).map(lambda value: round(value, 6)), min_size=6, max_size=24, unique=True)


def excludes_zero(found: tuple[float, float] | None) -> bool:
    return found is not None and (found[0] > 0 or found[1] < 0)


@given(apart, st.data())
def test_the_interval_excludes_none_where_the_rank_sum_test_rejects_it(
    values: list[float], data: st.DataObject
) -> None:
    cut = data.draw(st.integers(1, len(values) - 1))
    base, new = values[:cut], values[cut:]
    assert excludes_zero(rank_sum_interval(base, new)) == (rank_sum_p(base, new) <= ALPHA)


@given(st.lists(st.integers(-(10**6), 10**6).filter(bool), min_size=5, max_size=16, unique_by=abs))
def test_the_interval_excludes_none_where_the_signed_rank_test_rejects_it(values: list[int]) -> None:
    assert excludes_zero(signed_rank_interval(values)) == (signed_rank_p(values) <= ALPHA)


@given(apart, st.data())
def test_a_smaller_level_makes_it_wider_or_none_at_all(values: list[float], data: st.DataObject) -> None:
    cut = data.draw(st.integers(1, len(values) - 1))
    for wide, narrow in (
        (rank_sum_interval(values[:cut], values[cut:], 0.01), rank_sum_interval(values[:cut], values[cut:])),
        (signed_rank_interval(values, 0.01), signed_rank_interval(values)),
    ):
        if wide is not None:
            assert narrow is not None
            assert wide[0] <= narrow[0] + 1e-9
            assert narrow[1] <= wide[1] + 1e-9


def test_the_fewest_values_span_the_whole_interval() -> None:
    assert rank_sum_interval([1, 2, 3, 4], [11, 12, 13, 15]) == (7, 14)
    assert rank_sum_interval([1, 2, 3], [11, 12, 13]) is None
    assert signed_rank_interval([1, 2, 3, 4, 5, 9]) == (1, 9)
    assert signed_rank_interval([1, 2, 3, 4, 5]) is None


def test_of_many_values_it_is_that_of_all_differences() -> None:
    random = np.random.default_rng(2)
    base, new = random.normal(0, 1, 60), random.normal(1, 1, 50)
    found = rank_sum_interval(base.tolist(), new.tolist())
    assert found is not None
    every = np.sort(np.subtract.outer(new, base).ravel())
    for end in found:
        assert np.abs(every - end).min() < 1e-9
    middle = stats.mannwhitneyu(base, new - found[0], method="asymptotic").pvalue
    assert middle == pytest.approx(ALPHA, abs=0.01)
    many = signed_rank_interval(random.normal(0.3, 1, 300).tolist())
    assert many is not None
    assert 0.1 < many[0] < 0.3 < many[1] < 0.5


def test_values_that_are_all_alike_have_an_interval_of_nothing() -> None:
    assert rank_sum_interval([2.0] * 5, [2.0] * 5) == (0.0, 0.0)
    assert signed_rank_interval([0.0] * 8) == (0.0, 0.0)


# --- quantiles --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("degrees", range(1, 31))
def test_the_quantile_is_scipys(degrees: int) -> None:
    assert t_quantile(degrees) == pytest.approx(stats.t.ppf(0.975, degrees), abs=0.0006)


def test_beyond_the_table_the_quantile_is_a_little_too_careful() -> None:
    exact = stats.t.ppf(0.975, 10_000)
    assert exact < t_quantile(10_000) < 1.05 * exact
