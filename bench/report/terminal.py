"""The table at the end of `bench run`: at most 100 columns, plain text in a pipe."""

import io
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from bench.report.basics import Tone
from bench.report.interface import Row, View

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table
    from rich.text import Text

WIDTH: Final = 100
_MAX_REASON: Final = 160
_STYLES: Final = {Tone.GOOD: "green", Tone.WARN: "yellow", Tone.BAD: "red", Tone.MUTED: "dim"}


def as_text(view: View) -> str:
    """The summary as plain text without colours, for pipes and logs."""
    from rich.console import Console

    sink = io.StringIO()
    console = Console(file=sink, width=WIDTH, color_system=None, force_terminal=False)
    console.print(summary(view))
    return "".join(f"{line.rstrip()}\n" for line in sink.getvalue().splitlines())


def summary(view: View) -> "RenderableType":
    """One line per cell, then the verdict, for a rich console. No markup is read from a record."""
    from rich.console import Group

    return Group(*_parts(view))


def _parts(view: View) -> Iterator["RenderableType"]:
    from rich.text import Text

    # A line of its own: a table's title would be wrapped at the table's width.
    yield Text(f"{view.identity.model} on {view.identity.gpu} ({view.stamp})")
    yield _table(view)
    for miss in view.misses:
        reason = f": {_shorten(miss.status.reason)}" if miss.status.reason else ""
        cells = _shorten(", ".join(miss.cells))
        yield Text(f"{miss.status.word}{reason} ({cells})", style=_STYLES[miss.status.tone])
    headline = Text(f"\n{view.verdict_word}: ", style=f"bold {_STYLES[view.verdict_tone]}")
    yield headline.append(view.why, style="not bold default")
    for line in view.card_lines:
        yield Text(line)
    for caveat in view.caveats:
        yield Text(f"- {caveat}", style="yellow")


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
