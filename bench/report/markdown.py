"""A report as Markdown for a pull request or a forum post: verdict first, then the tables."""

import re
from collections.abc import Iterator
from typing import Final

from bench.records.enums import Provenance
from bench.records.metrics import FIGURES, Section
from bench.report.answer import Answer, Way
from bench.report.basics import Fact
from bench.report.grid import ceiling_lines
from bench.report.interface import (
    FrontierRow,
    FrontierTable,
    Grid,
    GridCell,
    LengthWords,
    Merged,
    Row,
    Source,
    View,
)
from bench.report.markdown_syntax import bullets, escape, facts, misses, some_grids, table, uniform
from bench.report.prediction import CEILINGS, MEANING, TERMS, Derived, Prediction
from bench.units import NOT_AVAILABLE

# The energy of a whole answer says less than that of a token: a post shows one of them.
_METRICS: Final = [
    metric for metric in FIGURES.values() if metric.section is not Section.STEPS and metric.name != "energy_j"
]
_LENGTHS: Final = ("fits up to", "likely fits up to", "does not fit from")
_Predicted = list[tuple[Row, Prediction]]
_IN_FULL: Final = "check.json has all of them"


def render(view: View) -> str:
    """The post as text. Untrusted strings show as they are and do nothing."""
    blocks = [
        f"## {escape(view.headline)}: {escape(view.identity.model)} on {escape(view.identity.gpu)}",
        f"**{escape(view.headline_stamp)}**",
        *(_answer(view, view.answer) if view.answer is not None else ()),
        escape(view.why) if view.answer is None or not view.is_predicted else "",
        escape(view.derived.units_line) if view.derived else "",
        bullets(view.caveats),
        _repeat(view),
        *(_measured(view) if view.derived is None else _derived(view, view.derived)),
        facts("What was derived" if view.derived else "What was run", view.header),
        facts("Environment", view.environment),
        *(_record(view) if view.merged is None else _records(view, view.merged)),
    ]
    return "\n\n".join(filter(None, blocks)) + "\n"


def _answer(view: View, found: Answer) -> Iterator[str]:
    """The clip lengths that fit, and what to type."""
    for provenance in found.provenances:
        head = ["way to run it", "budget", "fits up to", "likely fits up to", "does not fit from"]
        ways = found.of(provenance)
        yield f"{escape(view.stamp_of_answer(provenance).text)}; {found.tokens_words}"
        yield table(head, (line for way in ways for line in _way(way)), elsewhere=_IN_FULL)
    yield f"Type: `{found.command}`. {found.reason}" if found.command else ""


def _way(way: Way) -> Iterator[list[str]]:
    name = escape(" on ".join(filter(None, (way.name, way.system))))
    for budget, strip in (("headless", way.headless), ("with a desktop", way.desktop)):
        if strip is not None:
            yield [name, budget, strip.fits, strip.likely, strip.misfit]


def _measured(view: View) -> Iterator[str]:
    yield from some_grids(view, lambda grid: _blocks(grid, view))
    yield from _frontier(view)
    yield facts("The card", view.card) if view.card else ""
    yield from _metrics(view)
    yield from misses(view)
    yield from _predicted_figures(view)


def _record(view: View) -> Iterator[str]:
    yield f"Record `{view.identity.record_id}`, `{view.identity.content_hash}`"


def _records(view: View, merged: Merged) -> Iterator[str]:
    """The disagreements of a merged view, and its records."""
    if merged.disagreements:
        yield f"### Where records disagree\n\n{escape(view.stamp)}"
        lines = ([*map(escape, (one.cell, one.what, one.found))] for one in merged.disagreements)
        more = merged.disagreements_left_out
        yield table(["cell", "figure", "found"], lines, elsewhere=_IN_FULL, also_left_out=more)
    yield f"### Records\n\n{escape(merged.basis)}"
    head = ["record", "date (UTC)", "machine", "verdict", "provenance", "weights", "suite", "content"]
    more = merged.sources_left_out
    yield table(head, map(_source, merged.sources), elsewhere=_IN_FULL, also_left_out=more)


def _source(source: Source) -> list[str]:
    name = f"[{source.record_id}]({source.link})" if source.link else source.record_id
    texts = (source.date, source.machine, source.verdict, source.provenance, source.weights, source.suite)
    return [name, *map(escape, texts), f"`{source.content_hash[:19]}`"]


def _repeat(view: View) -> str:
    runs = re.findall(r"`+", view.repeat_command)
    fence = "`" * max(3, *(len(run) + 1 for run in runs), 3)
    block = f"How to repeat this:\n\n{fence}sh\n{view.repeat_command}\n{fence}"
    notes = bullets(view.repeat_notes)
    return f"{block}\n\n{notes}" if notes else block


def _blocks(grid: Grid, view: View) -> Iterator[str]:
    title = f"{escape(grid.title)}: what fits" if view.derived else escape(grid.title)
    words = ", ".join(filter(None, (view.stamp_of(grid.provenance).text, grid.kernels)))
    yield f"### {title}\n\n{escape(words)}"
    yield uniform(grid) or _grid(grid)


def _grid(grid: Grid) -> str:
    head = ["clip", *(f"{tokens} new tokens" for tokens in grid.columns)]
    lines = ([f"**{line.clip}**", *map(_grid_cell, line.cells)] for line in grid.lines)
    return table(head, lines)


def _grid_cell(cell: GridCell | None) -> str:
    if cell is None:
        return ""
    row = cell.row
    if row.prediction is not None:
        return _predicted_cell(row.prediction)
    if row.status.code != "measured":
        return escape(row.status.word)
    figures = row.figures
    label = f" ({escape(', '.join(row.marks))})" if row.marks else ""
    return f"**{figures['decode_tokens_per_s'].text}**{label}<br>{row.peak.text}"


def _metrics(view: View) -> Iterator[str]:
    ran = [row for row in view.rows if row.status.code == "measured"]
    if ran:
        shown = [
            metric for metric in _METRICS if any(row.figures[metric.name].value is not None for row in ran)
        ]
        head = ["attention", "clip × tokens", *(metric.heading for metric in shown)]
        lines = ([escape(r.variant), r.shape, *(r.figures[m.name].text for m in shown)] for r in ran)
        yield f"### Medians of the cells that ran\n\n{escape(view.stamp)}"
        yield table(head, lines)


def _frontier(view: View) -> Iterator[str]:
    if view.frontier:
        yield "### Longest clip that fits"
        for part in view.frontiers:
            yield from _predicted_lines(part, view) if part.is_predicted else _lines_of_runs(part, view)


def _lines_of_runs(part: FrontierTable, view: View) -> Iterator[str]:
    desktop = ["longest with a desktop"] if part.shows_desktop else []
    head = [*_head(part), "longest that ran", *desktop, "smallest that did not fit"]
    yield escape(view.stamp_of(part.provenance).text)
    yield table(head, (_frontier_line(point, part) for point in part.lines))


def _head(part: FrontierTable) -> list[str]:
    return ["attention", *(["kernel"] if part.shows_kernel else []), "new tokens"]


def _names(point: FrontierRow, part: FrontierTable) -> list[str]:
    """The columns of `_head` of one line."""
    kernel = [point.kernel or NOT_AVAILABLE] if part.shows_kernel else []
    return [_attention(point), *kernel, f"{point.line.max_tokens:,}"]


def _frontier_line(point: FrontierRow, part: FrontierTable) -> list[str]:
    return [
        *_names(point, part),
        point.longest_fit,
        *([point.longest_fit_with_desktop] if part.shows_desktop else []),
        point.smallest_misfit,
    ]


# --- predictions ------------------------------------------------------------------------------------------


def _derived(view: View, derived: Derived) -> Iterator[str]:
    """Grids, frontier, terms, ceilings, sources, and the comparison with measured records."""
    yield facts("The card and its budget", [Fact(t.label, f"{t.text} ({t.note})") for t in derived.tiles])
    yield from some_grids(view, lambda grid: _blocks(grid, view))
    yield from misses(view)
    yield from _predicted_frontier(view, derived)
    yield from _predicted_figures(view)
    yield facts("How it was derived", derived.how) if derived.how else ""
    yield from _compared(view, derived)


def _predicted_figures(view: View) -> Iterator[str]:
    """Terms and ceilings of every predicted cell; nothing if there is none."""
    rows = [(row, row.prediction) for row in view.rows if row.prediction is not None]
    if rows:
        stamp = escape(view.stamp_of(Provenance.DERIVED).text)
        yield from _terms(rows, stamp)
        yield from _ceilings(rows, stamp)


def _predicted_cell(found: Prediction) -> str:
    """The word for its fit, the memory that it needs, and the operator at the peak."""
    parts = (f"**{escape(found.fit.word)}**", found.peak, escape(found.also), escape(found.at_peak))
    return "<br>".join(filter(None, parts))


def _predicted_frontier(view: View, derived: Derived) -> Iterator[str]:
    if derived.has_frontier:
        yield "### The longest clip"
        for part in view.frontiers:
            yield from _predicted_lines(part, view)


def _predicted_lines(part: FrontierTable, view: View) -> Iterator[str]:
    """The predicted lines: three lengths for each budget."""
    head = _head(part)
    head += [f"headless: {name}" for name in _LENGTHS] if part.shows_headless else []
    head += [f"with a desktop: {name}" for name in _LENGTHS] if part.shows_desktop else []
    yield escape(view.stamp_of(part.provenance).text)
    lines = (_predicted_line(point, part) for point in part.lines)
    yield table([*head, "model's context"], lines)


def _attention(point: FrontierRow) -> str:
    """`SDPA, profile lean (3 machines)`."""
    return escape(f"{point.attention_words} ({point.basis})" if point.basis else point.attention_words)


def _predicted_line(point: FrontierRow, part: FrontierTable) -> list[str]:
    line = _names(point, part)
    line += _lengths(point.headless) if part.shows_headless else []
    line += _lengths(point.desktop) if part.shows_desktop else []
    return [*line, point.context or "n/a"]


def _lengths(found: LengthWords | None) -> list[str]:
    return [NOT_AVAILABLE] * len(_LENGTHS) if found is None else [found.fits, found.likely, found.misfit]


def _terms(rows: _Predicted, stamp: str) -> Iterator[str]:
    names = [name for name in TERMS if any(found.terms[name] != NOT_AVAILABLE for _, found in rows)]
    most = any(found.dominant for _, found in rows)
    head = ["Attention", "Clip × tokens", *(TERMS[name] for name in names)]
    yield f"### Term by term\n\n{stamp}\n\n{MEANING}"
    lines = (
        [
            escape(row.variant),
            row.shape,
            *(found.terms[name] for name in names),
            found.dominant if most else escape(found.at_peak),
        ]
        for row, found in rows
    )
    yield table([*head, "Most apart from the weights" if most else "At the peak"], lines)


def _ceilings(rows: _Predicted, stamp: str) -> Iterator[str]:
    names = [name for name in CEILINGS if any(found.ceiling[name] != NOT_AVAILABLE for _, found in rows)]
    if not names:
        return
    head = ["Attention", "Clip × tokens", *(CEILINGS[name] for name in names)]
    yield f"### Ceiling of speed (roofline), not a forecast\n\n{stamp}"
    lines = (
        [escape(line.title), line.shape, *(line.figures[name] for name in names)]
        for line in ceiling_lines(row for row, _ in rows)
    )
    yield table(head, lines)


def _compared(view: View, derived: Derived) -> Iterator[str]:
    if derived.compared:
        yield f"### Prediction against measurement\n\n{escape(view.stamp)}"
        yield escape(derived.inside_line)
        head = ["record", "memory", "cells", "inside the range", "measured / predicted", "least to most"]
        lines = (
            [escape(entry.record), entry.metric, entry.cells, entry.inside, entry.factor, entry.spread]
            for entry in derived.compared
        )
        yield table(head, lines)
