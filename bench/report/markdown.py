"""Markdown for a pull request or a forum post: verdict first, then the tables."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from bench.report.basics import Fact
from bench.report.card_metrics import COLUMNS
from bench.report.interface import FrontierRow, Grid, GridCell, View

_SPECIAL: Final = re.compile(r"[\\`*\[\]{}|~#!$]|(?<![0-9A-Za-z])_|_(?![0-9A-Za-z])")
_ENTITIES: Final = {ord("&"): "&amp;", ord("<"): "&lt;", ord(">"): "&gt;"}
# A zero-width space keeps GitHub from pinging people and from linking addresses that a record names.
_ZERO_WIDTH: Final = "\u200b"
_LIVE: Final = re.compile(r"@|://|\bwww\.", re.IGNORECASE)
_COLUMNS: Final = (
    "time_to_first_token_s",
    "decode_tokens_per_s",
    "latency_s",
    "real_time_factor",
    "allocated_peak_bytes",
    "reserved_peak_bytes",
    "process_peak_bytes",
    "device_peak_bytes",
    "resident_peak_bytes",
    "energy_per_token_j",
    "energy_per_audio_second_j",
    "bandwidth_fraction",
    "bf16_fraction",
    "needed_bytes",
)


def render(view: View) -> str:
    """The post as text. Untrusted strings show as they are and do nothing."""
    blocks = [
        f"## {escape(view.verdict_word)}: {escape(view.identity.model)} on {escape(view.identity.gpu)}",
        f"**{escape(view.stamp)}**",
        escape(view.why),
        _list(view.caveats),
        _repeat(view),
        *_grids(view),
        *_frontier(view),
        _facts("The card", view.card) if view.card else "",
        *_metrics(view),
        *_misses(view),
        _facts("What was run", view.header),
        _facts("Environment", view.environment),
        f"Record `{view.identity.record_id}`, `{view.identity.content_hash}`",
    ]
    return "\n\n".join(filter(None, blocks)) + "\n"


def escape(text: str) -> str:
    """Untrusted text as Markdown that shows it literally, also inside a table."""
    escaped = _SPECIAL.sub(r"\\\g<0>", text.translate(_ENTITIES))
    return _LIVE.sub(lambda found: found[0][0] + _ZERO_WIDTH + found[0][1:], escaped)


def _list(items: Iterable[str]) -> str:
    return "\n".join(f"- {escape(item)}" for item in items)


def _repeat(view: View) -> str:
    runs = re.findall(r"`+", view.repeat_command)
    fence = "`" * max(3, *(len(run) + 1 for run in runs), 3)
    block = f"How to repeat this:\n\n{fence}sh\n{view.repeat_command}\n{fence}"
    notes = _list(view.repeat_notes)
    return f"{block}\n\n{notes}" if notes else block


def _grids(view: View) -> Iterator[str]:
    for grid in view.grids:
        yield f"### {escape(grid.title)}\n\n{escape(view.stamp)}"
        yield _uniform(grid) or _grid(grid)


def _uniform(grid: Grid) -> str:
    if grid.uniform is None:
        return ""
    return f"All {len(grid.rows)} cells: {escape(grid.uniform.word)} ({escape(grid.uniform.reason)})."


def _grid(grid: Grid) -> str:
    head = ["clip", *(f"{tokens} new tokens" for tokens in grid.columns)]
    lines = ([f"**{line.clip}**", *map(_grid_cell, line.cells)] for line in grid.lines)
    return _table(head, lines)


def _grid_cell(cell: GridCell | None) -> str:
    if cell is None:
        return ""
    row = cell.row
    if row.status.code != "measured":
        return escape(row.status.word)
    figures = row.figures
    label = f" ({escape(', '.join(row.marks))})" if row.marks else ""
    return f"**{figures['decode_tokens_per_s'].text}**{label}<br>{row.peak.text}"


def _metrics(view: View) -> Iterator[str]:
    ran = [row for row in view.rows if row.status.code == "measured"]
    if ran:
        shown = [
            m for m in COLUMNS if m.name in _COLUMNS and any(r.figures[m.name].value is not None for r in ran)
        ]
        head = ["attention", "clip × tokens", *(metric.heading for metric in shown)]
        lines = ([escape(r.variant), r.shape, *(r.figures[m.name].text for m in shown)] for r in ran)
        yield f"### Medians of the cells that ran\n\n{escape(view.stamp)}"
        yield _table(head, lines)


def _misses(view: View) -> Iterator[str]:
    if view.misses:
        yield "### Cells without figures"
        lines = ([*map(escape, (m.status.word, m.status.reason, ", ".join(m.cells)))] for m in view.misses)
        yield _table(["outcome", "reason", "cells"], lines)


def _frontier(view: View) -> Iterator[str]:
    if view.frontier:
        yield f"### Longest clip that fits\n\n{escape(view.stamp)}"
        desktop = ["longest beside a desktop"] if view.has_desktop_line else []
        head = ["attention", "new tokens", "longest that ran", *desktop, "smallest that did not fit"]
        yield _table(head, (_frontier_line(point, desktop=bool(desktop)) for point in view.frontier))


def _frontier_line(point: FrontierRow, *, desktop: bool) -> list[str]:
    beside = [point.longest_fit_with_desktop] if desktop else []
    tokens = f"{point.max_tokens:,}"
    return [escape(point.attention_words), tokens, point.longest_fit, *beside, point.smallest_misfit]


def _facts(title: str, facts: Sequence[Fact]) -> str:
    return f"### {title}\n\n" + _table(["", ""], ([escape(fact.label), escape(fact.text)] for fact in facts))


def _table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    rule = ["---"] * len(head)
    return "\n".join(f"| {' | '.join(line)} |" for line in (head, rule, *lines))
