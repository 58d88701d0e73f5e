"""The table of quantiles, against scipy."""

import pytest
from scipy import stats

from bench.compare.ranks import t_quantile


@pytest.mark.parametrize("degrees", range(1, 31))
def test_it_is_scipys_quantile(degrees: int) -> None:
    assert t_quantile(degrees) == pytest.approx(stats.t.ppf(0.975, degrees), abs=0.0006)


def test_beyond_the_table_it_is_a_little_too_careful() -> None:
    exact = stats.t.ppf(0.975, 10_000)
    assert exact < t_quantile(10_000) < 1.05 * exact
