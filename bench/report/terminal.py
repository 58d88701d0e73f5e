"""A report in the terminal, after `bench run` and `bench plan`; plain text of a bounded width in a pipe."""

import io
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from bench.records.enums import Verdict
from bench.report.answer import Answer
from bench.report.basics import Tone
from bench.report.interface import FrontierRow, Grid, GridCell, GridLine, Row, View
from bench.report.prediction import Derived
from bench.report.terminal_answer import answer_lines
from bench.wording.labels import ATTENTIONS

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table
    from rich.text import Text

WIDTH: Final = 100
_MAX_REASON: Final = 160
STYLES: Final = {Tone.GOOD: "green", Tone.WARN: "yellow", Tone.BAD: "red", Tone.MUTED: "dim"}
_DERIVED_WIDTH: Final = 80
_GAP: Final = 1
# "too close to call" is the longest text of a cell.
_CELL: Final = 17


def as_text(view: View) -> str:
    """The summary as plain text without colours, for pipes and logs."""
    return plain(summary(view), WIDTH if view.derived is None else _DERIVED_WIDTH)


def brief_text(view: View, width: int = _DERIVED_WIDTH) -> str:
    """The answer as plain text without colours; the summary where there is no answer."""
    return as_text(view) if view.answer is None else plain(brief(view, width), width)


def brief(view: View, width: int) -> "RenderableType":
    """The answer alone: headline, the ways to run the model, and what to type. Without one the summary."""
    from rich.console import Group

    return summary(view) if view.answer is None else Group(*_answer(view, view.answer, width), *_rest(view))


def _answer(view: View, found: Answer, width: int) -> Iterator["RenderableType"]:
    from rich.text import Text

    yield Text(view.headline, style=f"bold {STYLES[view.verdict_tone]}")
    yield Text(f"{view.identity.model} on {view.identity.gpu}")
    yield from answer_lines(found, width)
    yield Text("")
    for fact in view.highlights:
        yield Text(f"{fact.label}: {fact.text}{f' ({fact.note})' if fact.note else ''}")


def _rest(view: View) -> Iterator["RenderableType"]:
    """Cells without figures, and the option that prints the details."""
    from rich.text import Text

    for miss in view.misses:
        yield Text(f"{miss.status.word}: {_shorten(', '.join(miss.cells))}", style=STYLES[miss.status.tone])
    if view.caveats:
        caveats = f"{len(view.caveats)} caveat{'' if len(view.caveats) == 1 else 's'}"
        yield Text(f"Add -v for {caveats} and every cell")


def plain(shown: "RenderableType", width: int) -> str:
    """Text without colours, at most `width` columns wide, without spaces at the end of a line."""
    from rich.console import Console

    sink = io.StringIO()
    Console(file=sink, width=width, color_system=None, force_terminal=False).print(shown)
    return "".join(f"{line.rstrip()}\n" for line in sink.getvalue().splitlines())


def summary(view: View, width: int = _DERIVED_WIDTH) -> "RenderableType":
    """The summary for a rich console: one line per cell, then the verdict. Markup in a record has no effect.

    A prediction begins with the answer of `width` columns, and without one with the verdict; its grids have
    at most `_DERIVED_WIDTH` columns of text.
    """
    from rich.console import Group

    if view.derived is None:
        return Group(*_parts(view))
    return Group(*_predicted(view, view.derived, width))


def _parts(view: View) -> Iterator["RenderableType"]:
    from rich.text import Text

    # A line of its own: a table's title would be wrapped at the table's width.
    yield Text(f"{view.identity.model} on {view.identity.gpu} ({view.headline_stamp})")
    yield _table(view)
    yield from _misses(view)
    yield Text("\n").append_text(_headline(view))
    for line in view.card_lines:
        yield Text(line)
    for caveat in view.caveats:
        yield Text(f"- {caveat}", style="yellow")


def _predicted(view: View, derived: Derived, width: int) -> Iterator["RenderableType"]:
    from rich.text import Text

    if view.answer is not None:
        yield from _answer(view, view.answer, width)
        profiles = ", ".join(dict.fromkeys(row.profile for row in view.rows))
        yield Text(f"\nCells, profile {profiles} ({view.headline_stamp})")
    else:
        yield Text(f"{view.identity.model} on {view.identity.gpu} ({view.headline_stamp})")
        yield _headline(view)
    yield from _derived_parts(view, derived)
    yield from _misses(view)
    for caveat in view.caveats:
        yield Text(f"- {caveat}", style="yellow")


def _headline(view: View) -> "Text":
    from rich.text import Text

    headline = Text(f"{view.verdict_word}: ", style=f"bold {STYLES[view.verdict_tone]}")
    return headline.append(view.why, style="not bold default")


def _misses(view: View) -> Iterator["Text"]:
    from rich.text import Text

    for miss in view.misses:
        reason = f": {_shorten(miss.status.reason)}" if miss.status.reason else ""
        cells = _shorten(", ".join(miss.cells))
        yield Text(f"{miss.status.word}{reason} ({cells})", style=STYLES[miss.status.tone])


def _table(view: View) -> "Table":
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    table.add_column("Attention", no_wrap=True)
    for heading in ("Clip", "Tokens", "Decode", "First", "Latency", "RTF", "Memory"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("Outcome")  # its marks may wrap; a figure that is cut short would be another figure
    for grid in view.grids:
        for row in () if grid.uniform else grid.rows:
            table.add_row(*_cells(row))
    return table


def _cells(row: Row) -> Iterator["Text"]:
    from rich.text import Text

    names = ("decode_tokens_per_s", "time_to_first_token_s", "latency_s", "real_time_factor")
    figures = [row.figures[name] for name in names]
    texts = [figure.text if figure.value is not None else "" for figure in (*figures, row.peak)]
    variant = row.variant.replace("FlashAttention 2", "FA2")  # the table has 100 columns at most
    yield from (Text(text) for text in (variant, row.clip, row.tokens, *texts))
    yield Text(", ".join([row.status.word, *row.marks]), style=STYLES[row.status.tone])


def _shorten(text: str) -> str:
    return text if len(text) <= _MAX_REASON else text[: _MAX_REASON - 1] + "…"


# --- predictions: grids of words and ranges ---------------------------------------------------------------


def _derived_parts(view: View, derived: Derived) -> Iterator["RenderableType"]:
    """Grids, then the longest clips, the budget and the sources of the figures."""
    from rich.text import Text

    for grid in view.shared_grids:
        yield Text(f"\n{grid.title}", style="bold")
        if grid.uniform is None:
            yield from _grid(grid)
            yield Text(_at_peak(grid), style="dim")
    points = _not_in_the_answer(view) if derived.has_frontier else ()
    if points:
        of_others = ", other numbers of new tokens" if view.answer is not None else ""
        yield Text(f"\nThe longest clip{of_others}", style="bold")
        yield _frontier(points)
    yield Text("")
    yield Text(derived.units_line)
    if derived.room_line and view.answer is None:
        yield Text(f"Budget: {derived.room_line}.")
    for line in derived.how_lines:
        yield Text(line, style="dim")
    if derived.inside_line:
        yield Text(derived.inside_line)
    for entry in derived.compared:
        inside = "" if entry.comparison.inside is None else f", {entry.inside} inside the range"
        cells = _counted(entry.comparison.cells)
        yield Text(
            f"Compared with record {entry.record} ({cells}): {entry.metric}, measured / predicted "
            f"{entry.factor} ({entry.spread}){inside}"
        )


def _counted(count: int) -> str:
    return f"{count} cell{'' if count == 1 else 's'}"


def _at_peak(grid: Grid) -> str:
    """`At the peak: encode: stem GELU (11 cells); prefill: logits of every position (1 cell).`"""
    found = Counter(row.prediction.at_peak for row in grid.rows if row.prediction and row.prediction.at_peak)
    parts = (f"{words} ({_counted(count)})" for words, count in found.most_common())
    kernels = f" {grid.kernels.capitalize()}." if grid.kernels else ""
    return (f"At the peak: {'; '.join(parts)}." if found else "") + kernels


def _grid(grid: Grid) -> Iterator["Table"]:
    """The grid in as many tables as its columns need to stay within the width."""
    clip = max(len("Clip"), *(len(line.clip) for line in grid.lines))
    at_once = max(1, (_DERIVED_WIDTH - clip) // (_CELL + _GAP))
    for first in range(0, len(grid.columns), at_once):
        yield _block(grid, range(first, min(first + at_once, len(grid.columns))))


def _block(grid: Grid, columns: range) -> "Table":
    from rich.table import Table

    table = Table(box=None, padding=(0, _GAP, 0, 0), pad_edge=False, header_style="bold")
    table.add_column("Clip", no_wrap=True)
    for at in columns:
        noun = "token" if grid.columns[at] == "1" else "tokens"
        table.add_column(f"{grid.columns[at]} {noun}")
    for line in grid.lines:
        table.add_row(*_grid_line(line, columns))
    return table


def _grid_line(line: GridLine, columns: range) -> Iterator["Text"]:
    from rich.text import Text

    yield Text(line.clip)
    for at in columns:
        yield _grid_cell(line.cells[at])


def _grid_cell(cell: GridCell | None) -> "Text":
    from rich.text import Text

    if cell is None:
        return Text("")
    found = cell.row.prediction
    if found is None:
        return Text(cell.row.status.word, style=STYLES[cell.row.status.tone])
    word = Text(found.fit.word, style=STYLES[found.fit.tone])
    likely = "\ndesktop: likely" if found.verdict is Verdict.RUNS_HEADLESS and found.desktop_likely else ""
    return word.append(f"\n{found.peak}{likely}", style="default")


def _not_in_the_answer(view: View) -> tuple[FrontierRow, ...]:
    """The lines of other numbers of tokens than those of the answer; all without an answer."""
    answer = view.answer
    return tuple(point for point in view.frontier if answer is None or point.line.max_tokens != answer.tokens)


def _frontier(points: Sequence[FrontierRow]) -> "Table":
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold")
    table.add_column("Attention")
    table.add_column("Tokens", justify="right", no_wrap=True)
    table.add_column("Budget", no_wrap=True)
    for heading in ("Fits up to", "Likely fits up to", "Does not fit from"):
        table.add_column(heading, justify="right", no_wrap=True)
    for titles, point in _alike_lines(points):
        names = [titles, f"{point.line.max_tokens:,}"]
        for budget, found in (("headless", point.headless), ("desktop", point.desktop)):
            if found is not None:
                table.add_row(*map(Text, (*names, budget, found.fits, found.likely, found.misfit)))
                names = ["", ""]
    return table


def _alike_lines(points: Sequence[FrontierRow]) -> Iterator[tuple[str, FrontierRow]]:
    """Lines with their attentions; lines with equal limits for one number of tokens are joined.

    Settings in which these lines do not differ are left out.
    """
    is_one_way = len({point.line.variant for point in points}) == 1
    groups: dict[tuple[object, ...], list[FrontierRow]] = {}
    for point in points:
        key = (point.line.max_tokens, point.headless, point.desktop)
        groups.setdefault(key, []).append(point)
    for group in groups.values():
        names = (ATTENTIONS[point.line.attention] if is_one_way else point.attention_words for point in group)
        yield ", ".join(names).replace("FlashAttention 2", "FA2"), group[0]
