"""Markdown syntax: escaping, lists and bounded tables."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Final

from bench.report.basics import Fact
from bench.report.interface import Grid, View

MAX_LINES: Final = 60
MAX_COLUMNS: Final = 16
MAX_GRIDS: Final = 12
_MAX_CELLS: Final = 50
_SPECIAL: Final = re.compile(r"[\\`*\[\]{}|~#!$]|(?<![0-9A-Za-z])_|_(?![0-9A-Za-z])")
_ENTITIES: Final = {ord("&"): "&amp;", ord("<"): "&lt;", ord(">"): "&gt;"}
# A zero-width space keeps GitHub from pinging people and from linking addresses that a record names.
_ZERO_WIDTH: Final = "\u200b"
_LIVE: Final = re.compile(r"@|://|\bwww\.", re.IGNORECASE)


def escape(text: str) -> str:
    """Untrusted text as Markdown that shows it literally, also inside a table."""
    escaped = _SPECIAL.sub(r"\\\g<0>", text.translate(_ENTITIES))
    return _LIVE.sub(lambda found: found[0][0] + _ZERO_WIDTH + found[0][1:], escaped)


def bullets(items: Iterable[str]) -> str:
    """A list, one escaped line each; empty without items."""
    return "\n".join(f"- {escape(item)}" for item in items)


def facts(title: str, facts: Sequence[Fact]) -> str:
    """Labels and values under a heading."""
    return f"### {title}\n\n" + table(["", ""], ([escape(fact.label), escape(fact.text)] for fact in facts))


def table(
    head: Sequence[str],
    lines: Iterable[Sequence[str]],
    *,
    elsewhere: str = "the CSV has every cell",
    also_left_out: int = 0,
) -> str:
    """A table of escaped cells, bounded in lines and columns.

    A sentence below it counts the rest, `also_left_out` lines included, and `elsewhere` says where it is.
    """
    lines = iter(lines)
    shown = [line[:MAX_COLUMNS] for line in islice(lines, MAX_LINES)]
    drawn = "\n".join(f"| {' | '.join(line)} |" for line in (*_head(head[:MAX_COLUMNS]), *shown))
    left_out = (
        _more(also_left_out + sum(1 for _ in lines), "line"),
        _more(len(head) - MAX_COLUMNS, "column"),
    )
    more = " and ".join(filter(None, left_out))
    return f"{drawn}\n\n{more} left out here: {elsewhere}." if more else drawn


def _head(head: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    return head, ["---"] * len(head)


def _more(count: int, what: str) -> str:
    return f"{count:,} more {what}{'' if count == 1 else 's'}" if count > 0 else ""


def some_grids(view: View, blocks: Callable[[Grid], Iterator[str]]) -> Iterator[str]:
    """The blocks of the first `MAX_GRIDS` grids, and how many more there are."""
    for grid in view.grids[:MAX_GRIDS]:
        yield from blocks(grid)
    more = _more(len(view.grids) - MAX_GRIDS, "table")
    if more:
        yield f"{more} of this kind left out here: the CSV has every cell."


def uniform(grid: Grid) -> str:
    """One sentence for a grid whose cells share one outcome; else empty."""
    if grid.uniform is None:
        return ""
    return f"All {len(grid.rows)} cells: {escape(grid.uniform.word)} ({escape(grid.uniform.reason)})."


def misses(view: View) -> Iterator[str]:
    """A table of the cells without figures, with reasons."""
    if view.misses:
        yield "### Cells without figures"
        lines = ([*map(escape, (m.status.word, m.status.reason, _some(m.cells)))] for m in view.misses)
        yield table(["outcome", "reason", "cells"], lines)


def _some(cells: Sequence[str]) -> str:
    more = _more(len(cells) - _MAX_CELLS, "cell")
    return ", ".join(cells[:_MAX_CELLS]) + (f", and {more}" if more else "")
