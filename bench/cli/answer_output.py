"""A report on standard output, after `bench plan` and `bench run`."""

from typing import TYPE_CHECKING

import click

from bench.cli.streams import echo

if TYPE_CHECKING:
    from bench.report.interface import View

verbose_option = click.option(
    "-v", "--verbose", is_flag=True, help="Also print every cell, the caveats and the assumptions."
)


def print_view(view: "View", *, verbose: bool, plain: bool = False) -> None:
    """Print the answer, or with `verbose` the details; without colours if `plain` or not on a terminal."""
    from rich.console import Console

    from bench.report.terminal import as_text, brief, brief_text, summary

    console = Console()
    if console.is_terminal and not plain:
        console.print(summary(view, console.width) if verbose else brief(view, console.width))
    else:
        echo(as_text(view) if verbose else brief_text(view), nl=False)
