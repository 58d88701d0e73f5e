"""How figures of a comparison are written, in its sentences as in its tables."""

from typing import Final

from bench.records.base import Interval
from bench.records.comparison import CellComparison, LoneCell
from bench.records.enums import ATTENTION_NAMES
from bench.units import clip_length

_LEAST_P: Final = 0.0001


def cell_name(cell: CellComparison | LoneCell) -> str:
    """`10 s × 128 (SDPA)`: length of the clip, most new tokens, attention."""
    return f"{clip_length(cell.clip_seconds)} × {cell.max_tokens:,} ({ATTENTION_NAMES[cell.attention]})"


def percent(change: float) -> str:
    """`-2.9 %`; of less than that, such as of some bytes of memory, its first digit."""
    return f"{100 * change:+.1g} %" if 0 < abs(change) < 0.0005 else f"{100 * change:+.1f} %"


def share(of: float) -> str:
    """`4.7 %`: a share that has no way."""
    return f"{100 * of:.1f} %"


def between(interval: Interval) -> str:
    """`-5.0 to +1.2 %`."""
    return f"{100 * interval.low:+.1f} to {100 * interval.high:+.1f} %"


def p_text(p: float) -> str:
    """`p = 0.012`, and `p < 0.0001` for less: no test shows a p of 0."""
    return f"p < {_LEAST_P:g}" if p < _LEAST_P else f"p = {p:.2g}"
