"""Showing how a download or a check of files goes."""

import sys
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Self

import click

from bench.units import both_units

if TYPE_CHECKING:
    from bench.run.run_spec import Plan
    from bench.run.runner import Weights

_TERMINAL_EVERY_S = 0.2
_PLAIN_EVERY_S = 10.0


class DownloadLine:
    """One line that is rewritten on a terminal; a line every ten seconds elsewhere."""

    def __init__(self, *, plain: bool = False) -> None:
        self._terminal = not plain and sys.stderr.isatty()
        self._every_s = _TERMINAL_EVERY_S if self._terminal else _PLAIN_EVERY_S
        self._last = 0.0
        self._unfinished = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._unfinished:  # an error that comes now gets a line of its own
            click.echo(err=True)

    def __call__(self, label: str, done_bytes: int, total_bytes: int) -> None:
        """Show it, if it is time again."""
        now = monotonic()
        finished = done_bytes >= total_bytes
        if now - self._last < self._every_s and not finished:
            return
        self._last = now
        share = f"{100 * done_bytes / total_bytes:3.0f} %" if total_bytes else ""
        text = f"{label}: {share} of {both_units(total_bytes)}"
        self._unfinished = self._terminal and not finished
        click.echo(f"\r\x1b[K{text}" if self._terminal else text, err=True, nl=not self._unfinished)


def fetched(plan: "Plan", yes: bool, *, ci: bool = False) -> "Weights":
    """The weights of a plan on this machine, downloaded after one confirmation where they have to be.

    `ci`: nobody is asked, and no line is rewritten.

    Raises:
        WeightsError: they cannot be had, or are not what they should be.
        UsageError: the answer was no, or nobody can be asked.
    """
    from bench.cli.prompts import confirm_download
    from bench.run.fetch import fetch

    with DownloadLine(plain=ci) as progress:
        return fetch(plan.origin, partial(confirm_download, yes, may_ask=not ci), progress)
