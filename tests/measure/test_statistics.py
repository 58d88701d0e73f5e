from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.measure.statistics import coefficient_of_variation, is_noisy, statistic
from bench.records.base import Interval
from tests.samples.records import round_repeat as repeat

VALUES = st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=12)


def test_figures_worked_out_by_hand() -> None:
    result = statistic([4.0, 1.0, 2.0, 3.0, 10.0])
    assert result.median == 3.0
    assert result.p10 == pytest.approx(1.4)  # between 1 and 2, at 0.1 * 4 = 0.4 of the way
    assert result.p90 == pytest.approx(7.6)  # between 4 and 10, at 0.6 of the way
    assert result.cv == pytest.approx(12.5**0.5 / 4)  # squares 9 + 4 + 1 + 0 + 36 over 4, mean 4
    assert result.n == 5


def test_the_median_of_an_even_number_is_between_the_middle_two() -> None:
    assert statistic([1.0, 2.0, 4.0, 100.0]).median == 3.0


def test_what_too_few_values_cannot_tell_is_none() -> None:
    one, two = statistic([2.0]), statistic([2.0, 3.0])
    assert (one.median, one.cv, one.interval, one.interval_kind, one.n) == (2.0, None, None, None, 1)
    assert two.cv is not None
    with pytest.raises(ValueError, match="at least one"):
        statistic([])


@pytest.mark.parametrize("values", [[2.0, 3.0], [5.0, 2.0, 3.0], [4.0, 3.0, 2.0, 9.0]])
def test_the_interval_of_few_values_is_their_range(values: list[float]) -> None:
    few = statistic(values)
    assert (few.interval, few.interval_kind) == (Interval(low=min(values), high=max(values)), "range")


def test_five_values_have_a_bootstrap_interval() -> None:
    assert statistic([1.0, 2.0, 3.0, 4.0, 5.0]).interval_kind == "bootstrap_95"


@pytest.mark.parametrize(("n", "kind"), [(3, "range"), (4, "range"), (5, "bootstrap_95")])
def test_an_older_record_does_not_state_the_kind_and_it_is_known_by_the_number(n: int, kind: str) -> None:
    newer = statistic([float(value) for value in range(n)])
    older = newer.model_copy(update={"interval_kind": None})
    assert (newer.kind, older.kind) == (kind, kind)


def test_equal_values_have_no_spread() -> None:
    result = statistic([0.1] * 5)
    assert (result.median, result.p10, result.p90, result.cv) == (0.1, 0.1, 0.1, 0.0)
    assert result.interval == Interval(low=0.1, high=0.1)


def test_a_mean_of_zero_has_no_coefficient_of_variation() -> None:
    assert coefficient_of_variation([-1.0, 1.0]) is None


@given(VALUES)
def test_everything_lies_within_the_sample(values: list[float]) -> None:
    result = statistic(values)
    low, high = min(values), max(values)
    assert low <= result.p10 <= result.median <= result.p90 <= high
    assert (result.interval is None) == (len(values) < 2)
    if result.interval is not None:
        assert low <= result.interval.low <= result.median <= result.interval.high <= high


@given(VALUES.flatmap(lambda values: st.tuples(st.just(values), st.permutations(values))))
def test_the_order_of_the_repeats_changes_nothing(pair: tuple[list[float], list[float]]) -> None:
    assert statistic(pair[0]) == statistic(pair[1])


@given(st.lists(st.floats(0.5, 2), min_size=2, max_size=8), st.sampled_from([0.25, 2.0, 1024.0]))
def test_seconds_or_milliseconds_vary_alike(values: list[float], factor: float) -> None:
    scaled = coefficient_of_variation([value * factor for value in values])
    assert scaled == pytest.approx(coefficient_of_variation(values))


def test_a_wide_sample_has_a_wide_interval() -> None:
    narrow, wide = statistic([9.9, 10.0, 10.1, 10.0, 10.0]), statistic([5.0, 15.0, 10.0, 8.0, 12.0])
    assert narrow.interval is not None
    assert wide.interval is not None
    assert wide.interval.high - wide.interval.low > 10 * (narrow.interval.high - narrow.interval.low)


@pytest.mark.parametrize(
    ("latencies", "noisy"),
    [([1.0, 1.01, 0.99], False), ([1.0, 1.5, 0.5], True), ([1.0], False), ([1.0, 1.0], False)],
)
def test_noise_is_judged_by_the_spread_of_the_latency(latencies: Sequence[float], noisy: bool) -> None:
    repeats = [repeat(latency) for latency in latencies]
    assert is_noisy(repeats, 0.05) is noisy
