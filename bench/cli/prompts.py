"""Questions to a person. Where nobody can be asked, each is an error that names the option to give."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bench.errors import UsageError
from bench.units import both_units, gib

if TYPE_CHECKING:
    from bench.hardware.device import Device


def choose_gpu(found: "tuple[Device, ...]") -> "Device":
    """Which of several GPUs.

    Raises:
        UsageError: nobody can be asked.
    """
    from bench.run.run_spec import refuse_to_choose

    if not sys.stdin.isatty():
        return refuse_to_choose(found)
    for number, gpu in enumerate(found, start=1):
        end = f"UUID ends in {(gpu.uuid or '')[-6:]}"
        click.echo(f"{number}  {gpu.slug}  {gpu.name}, {gib(gpu.free_bytes)} free, {end}", err=True)
    answer: int = click.prompt("Which GPU", type=click.IntRange(1, len(found)), err=True)
    return found[answer - 1]


def confirm_download(yes: bool, repo: str, missing_bytes: int, place: Path, *, may_ask: bool = True) -> None:
    """One question that names size and place.

    Raises:
        UsageError: the answer was no, or nobody can be asked.
    """
    if yes:
        return
    other = "use --model DIR or --weights random"
    if not may_ask or not sys.stdin.isatty():
        raise UsageError(
            f"{repo} has to be downloaded ({both_units(missing_bytes)} to {place})",
            hint=f"Add --yes, or {other}",
        )
    question = f"Download {both_units(missing_bytes)} of {repo} to {place}?"
    if not click.confirm(question, default=True, err=True):
        raise UsageError("nothing was downloaded", hint=f"To do without, {other}")
