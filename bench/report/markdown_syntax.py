"""Markdown's own syntax: what is escaped, and what a table is."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from bench.report.basics import Fact
from bench.report.interface import Grid, View

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


def table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """A table of cells that are escaped already."""
    rule = ["---"] * len(head)
    return "\n".join(f"| {' | '.join(line)} |" for line in (head, rule, *lines))


def uniform(grid: Grid) -> str:
    """One sentence for a grid whose cells all came out alike; empty for another."""
    if grid.uniform is None:
        return ""
    return f"All {len(grid.rows)} cells: {escape(grid.uniform.word)} ({escape(grid.uniform.reason)})."


def misses(view: View) -> Iterator[str]:
    """The cells without figures, and why."""
    if view.misses:
        yield "### Cells without figures"
        lines = ([*map(escape, (m.status.word, m.status.reason, ", ".join(m.cells)))] for m in view.misses)
        yield table(["outcome", "reason", "cells"], lines)
