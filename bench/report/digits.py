"""Figures of `check.json`, with no more digits than they mean."""

import math


def rounded(value: float, digits: int) -> float:
    """`47.3917, 3` -> `47.4`. The largest floats stay as they are: rounded up they would be infinite."""
    short = float(f"{value:.{digits}g}")
    return short if math.isfinite(short) else value
