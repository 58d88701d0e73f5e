"""The bootstrap, against drawing every sample in full."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.compare.resampling import ends, log_range, log_ratios

VALUES = st.lists(st.floats(1, 100), min_size=3, max_size=12)


@pytest.mark.parametrize("size", [3, 4, 9, 10])
def test_medians_are_distributed_as_those_of_whole_samples(size: int) -> None:
    values = np.random.default_rng(size).normal(100, 5, size)
    whole = np.median(np.random.default_rng(1).choice(values, (20_000, size)), axis=1)
    logs = log_ratios([1.0, 1.0, 1.0], values.tolist(), seed=1)
    drawn = np.exp(logs)
    assert drawn.mean() == pytest.approx(whole.mean(), abs=0.1 * whole.std())
    assert drawn.std() == pytest.approx(whole.std(), rel=0.1)
    if size % 2:
        assert all(np.isclose(values, one).any() for one in np.unique(drawn))


@given(VALUES, VALUES)
def test_the_interval_lies_within_what_the_values_allow(base: list[float], new: list[float]) -> None:
    logs = log_ratios(base, new, seed=7)
    low, high = ends(logs)
    assert math.log(min(new) / max(base)) - 1e-9 <= low <= high <= math.log(max(new) / min(base)) + 1e-9


@given(VALUES, VALUES)
def test_it_depends_on_the_values_and_not_on_their_order(base: list[float], new: list[float]) -> None:
    there, again = (log_ratios(*values, seed=7) for values in ((base, new), (base[::-1], sorted(new))))
    assert ends(there) == ends(again)


@given(VALUES, VALUES)
def test_the_range_is_that_of_all_ratios(base: list[float], new: list[float]) -> None:
    ratios = [math.log(one / other) for one in new for other in base]
    assert log_range(base, new) == pytest.approx((min(ratios), max(ratios)))
