"""The question before a download, and its progress."""

import sys
from functools import partial
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Self

import click

from bench.cli.streams import can_ask
from bench.errors import UsageError
from bench.text import clean
from bench.units import both_units

if TYPE_CHECKING:
    from bench.run.run_spec import Plan
    from bench.run.runner import Weights

_TERMINAL_EVERY_S = 0.2
_PLAIN_EVERY_S = 10.0


def confirm_download(yes: bool, repo: str, missing_bytes: int, place: Path, *, may_ask: bool = True) -> None:
    """Ask whether to download, with size and place.

    Raises:
        UsageError: the answer was no, or nobody can be asked.
    """
    if yes:
        return
    other = "use --model DIR or --weights random"
    if not may_ask or not can_ask(f"Download {both_units(missing_bytes)} of {repo} to {place}?"):
        raise UsageError(
            f"{repo} has to be downloaded ({both_units(missing_bytes)} to {place})",
            hint=f"Add --yes, or {other}",
        )
    if not click.confirm("", default=True, err=True):
        raise UsageError("nothing was downloaded", hint=f"To run without a download, {other}")


class DownloadLine:
    """Shows progress in a rewritten line on a terminal, in a line every ten seconds elsewhere."""

    def __init__(self, *, plain: bool = False) -> None:
        self._terminal = not plain and sys.stderr.isatty()
        self._every_s = _TERMINAL_EVERY_S if self._terminal else _PLAIN_EVERY_S
        self._last = 0.0
        self._unfinished = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._unfinished:  # so that an error gets a line of its own
            click.echo(err=True)

    def __call__(self, label: str, done_bytes: int, total_bytes: int) -> None:
        """Show the progress, if the last line is old enough."""
        now = monotonic()
        finished = done_bytes >= total_bytes
        if now - self._last < self._every_s and not finished:
            return
        self._last = now
        share = f"{100 * done_bytes / total_bytes:3.0f} %" if total_bytes else ""
        text = f"{label}: {share} of {both_units(total_bytes)}"
        self._unfinished = self._terminal and not finished
        click.echo(f"\r\x1b[K{text}" if self._terminal else text, err=True, nl=not self._unfinished)


def show_note(line: str) -> None:
    """Print a note about the weights."""
    click.echo(clean(line), err=True)


def fetched(plan: "Plan", yes: bool, *, ci: bool = False) -> "Weights":
    """Return the weights of a plan, downloaded after a confirmation if they are not on this machine.

    With `ci` there are no questions and no rewritten lines.

    Raises:
        WeightsError: they are not available, damaged, or of another model.
        UsageError: the answer was no, or nobody can be asked.
    """
    from bench.run.fetch import fetch

    with DownloadLine(plain=ci) as progress:
        return fetch(plan.origin, partial(confirm_download, yes, may_ask=not ci), progress, show_note)
