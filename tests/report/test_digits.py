"""Rounding for `check.json`."""

import math
import sys

from hypothesis import given
from hypothesis import strategies as st

from bench.units import rounded


def test_digits_that_mean_nothing_are_left_out() -> None:
    assert rounded(47.391738, 3) == 47.4


@given(st.floats(allow_nan=False, allow_infinity=False), st.integers(1, 9))
def test_what_is_finite_stays_finite_and_close(value: float, digits: int) -> None:
    short = rounded(value, digits)
    assert math.isfinite(short)
    assert math.isclose(short, value, rel_tol=1.0, abs_tol=sys.float_info.min)
