"""Types of a plot: a figure of the page with its words, its key and its spec. Nothing here draws.

Every string that comes from a record is data or escaped by the template; specs hold numbers of series and
cells in their expressions, never words of a record.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from bench.text import clean

Datum = dict[str, "str | int | float | list[int] | list[str]"]
"""One row of a dataset. Values that are not available are left out: a plot skips them and draws no 0."""

Spec = dict[str, object]
"""A Vega-Lite spec as JSON. Its data are named, and shared by all plots."""


@dataclass(frozen=True, slots=True)
class KeyEntry:
    """One entry of a plot's key: a symbol, a line or a swatch, whose style is a class of the page."""

    kind: Literal["symbol", "line", "swatch"]
    style: str
    label: str
    symbol: str = ""


@dataclass(frozen=True, slots=True)
class Plot:
    """One figure. `summary` says in words what it shows, `table` is the anchor of the same numbers."""

    name: str
    title: str
    summary: str
    note: str
    table: str
    table_words: str
    key: tuple[KeyEntry, ...]
    spec: Spec
    is_wide: bool = False

    @property
    def shows_prediction(self) -> bool:
        """True if it shows predicted bands, alone or with cells that ran."""
        return any(entry.style == "band" for entry in self.key)


@dataclass(frozen=True, slots=True)
class Plots:
    """All figures of a page, the data that they share, and what was left out of them, in words."""

    figures: tuple[Plot, ...] = ()
    data: Mapping[str, list[Datum]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def counted(cells: int) -> str:
    """`1 cell`, `1,200 cells`."""
    return f"{cells:,} cell{'' if cells == 1 else 's'}"


def joined(parts: list[str]) -> str:
    """`a`, `a and b`, `a, b and c`: for sentences; cut after six."""
    shown = [clean(part, 80) for part in parts[:6]]
    if len(parts) > len(shown):
        shown.append(f"{len(parts) - len(shown):,} more")
    return " and ".join(filter(None, (", ".join(shown[:-1]), *shown[-1:])))
