"""How figures of a comparison are written, in its sentences as in its tables."""

from typing import Final

_LEAST_P: Final = 0.0001


def p_text(p: float) -> str:
    """`p = 0.012`, and `p < 0.0001` for less: no test shows a p of 0."""
    return f"p < {_LEAST_P:g}" if p < _LEAST_P else f"p = {p:.2g}"
