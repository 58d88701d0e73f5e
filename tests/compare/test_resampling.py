"""The bootstrap, against drawing every sample in full."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.compare.resampling import interval, log_ratios, median_draws

VALUES = st.lists(st.floats(1, 100), min_size=3, max_size=12)


@pytest.mark.parametrize("size", [3, 4, 9, 10])
def test_medians_are_distributed_as_those_of_whole_samples(size: int) -> None:
    values = np.random.default_rng(size).normal(100, 5, size)
    whole = np.median(np.random.default_rng(1).choice(values, (20_000, size)), axis=1)
    drawn = median_draws(values.tolist(), seed=1)
    assert drawn is not None
    assert drawn.mean() == pytest.approx(whole.mean(), abs=0.1 * whole.std())
    assert drawn.std() == pytest.approx(whole.std(), rel=0.1)
    if size % 2:
        assert set(drawn) <= set(values)


@given(VALUES, VALUES)
def test_the_interval_lies_within_what_the_values_allow(base: list[float], new: list[float]) -> None:
    found = interval(log_ratios(base, new, seed=7))
    assert found is not None
    assert min(new) / max(base) - 1 - 1e-9 <= found.low <= found.high <= max(new) / min(base) - 1 + 1e-9


@given(VALUES, VALUES)
def test_it_depends_on_the_values_and_not_on_their_order(base: list[float], new: list[float]) -> None:
    assert interval(log_ratios(base, new, seed=7)) == interval(log_ratios(base[::-1], sorted(new), seed=7))


def test_two_values_have_no_interval() -> None:
    assert interval(log_ratios([1.0, 2.0], [1.0, 2.0, 3.0], seed=7)) is None
    assert interval(median_draws([1.0, 2.0], seed=7)) is None
