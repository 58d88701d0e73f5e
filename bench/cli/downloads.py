"""Asking before a download, and showing how it goes."""

import sys
from pathlib import Path
from time import monotonic

import click

from bench.errors import UsageError
from bench.units import both_units

_PLAIN_EVERY_S = 10.0


def confirm(yes: bool, repo: str, missing_bytes: int, place: Path) -> None:
    """One question that names size and place.

    Raises:
        UsageError: nobody can be asked.
        click.Abort: the answer was no.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError(
            f"{repo} has to be downloaded ({both_units(missing_bytes)})",
            hint="Add --yes, or use --weights random",
        )
    click.confirm(
        f"Download {both_units(missing_bytes)} of {repo} to {place}?", default=True, abort=True, err=True
    )


class DownloadLine:
    """One line that is rewritten on a terminal; a line every ten seconds elsewhere."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._last = 0.0

    def __call__(self, label: str, done_bytes: int, total_bytes: int) -> None:
        """Show it, if it is time again."""
        now = monotonic()
        finished = done_bytes >= total_bytes
        if now - self._last < (0.2 if self._terminal else _PLAIN_EVERY_S) and not finished:
            return
        self._last = now
        share = f"{100 * done_bytes / total_bytes:3.0f} %" if total_bytes else ""
        text = f"{label}: {share} of {both_units(total_bytes)}"
        click.echo(f"\r\x1b[K{text}" if self._terminal else text, err=True, nl=finished or not self._terminal)
