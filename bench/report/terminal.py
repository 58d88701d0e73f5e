"""The table at the end of `bench run` and of `bench plan`: plain text in a pipe, of a bounded width."""

import io
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from bench.report.derived import terminal as predicted
from bench.report.derived.interface import Derived
from bench.report.interface import Row, View

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table
    from rich.text import Text

WIDTH: Final = 100
_MAX_REASON: Final = 160
_STYLES: Final = predicted.STYLES


def as_text(view: View) -> str:
    """The summary as plain text without colours, for pipes and logs."""
    from rich.console import Console

    sink = io.StringIO()
    width = WIDTH if view.derived is None else predicted.WIDTH
    console = Console(file=sink, width=width, color_system=None, force_terminal=False)
    console.print(summary(view))
    return "".join(f"{line.rstrip()}\n" for line in sink.getvalue().splitlines())


def summary(view: View) -> "RenderableType":
    """One line per cell, then the verdict, for a rich console. No markup is read from a record.

    Of a prediction: the verdict first, then the grids, in `predicted.WIDTH` columns.
    """
    from rich.console import Group

    if view.derived is None:
        return Group(*_parts(view))
    return Group(*_predicted(view, view.derived))


def _parts(view: View) -> Iterator["RenderableType"]:
    from rich.text import Text

    # A line of its own: a table's title would be wrapped at the table's width.
    yield Text(f"{view.identity.model} on {view.identity.gpu} ({view.stamp})")
    yield _table(view)
    yield from _misses(view)
    yield Text("\n").append_text(_headline(view))
    for line in view.card_lines:
        yield Text(line)
    for caveat in view.caveats:
        yield Text(f"- {caveat}", style="yellow")


def _predicted(view: View, derived: Derived) -> Iterator["RenderableType"]:
    from rich.text import Text

    yield Text(f"{view.identity.model} on {view.identity.gpu} ({view.stamp})")
    yield _headline(view)
    yield from predicted.parts(view, derived)
    yield from _misses(view)
    for caveat in view.caveats:
        yield Text(f"- {caveat}", style="yellow")


def _headline(view: View) -> "Text":
    from rich.text import Text

    headline = Text(f"{view.verdict_word}: ", style=f"bold {_STYLES[view.verdict_tone]}")
    return headline.append(view.why, style="not bold default")


def _misses(view: View) -> Iterator["Text"]:
    from rich.text import Text

    for miss in view.misses:
        reason = f": {_shorten(miss.status.reason)}" if miss.status.reason else ""
        cells = _shorten(", ".join(miss.cells))
        yield Text(f"{miss.status.word}{reason} ({cells})", style=_STYLES[miss.status.tone])


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
    yield Text(", ".join([row.status.word, *row.marks]), style=_STYLES[row.status.tone])


def _shorten(text: str) -> str:
    return text if len(text) <= _MAX_REASON else text[: _MAX_REASON - 1] + "…"
