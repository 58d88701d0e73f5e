"""Options that several commands share, and their parsing."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from bench.errors import UsageError

F = TypeVar("F", bound=Callable[..., Any])


def device_options(function: F) -> F:
    """`--gpu` and `--device`."""
    gpu = click.option("--gpu", metavar="SLUG", help="The NVIDIA card in this machine, such as rtx-4070.")
    device = click.option(
        "--device", metavar="cpu|SLUG|UUID", help="Any device. Default: the only GPU, else the CPU."
    )
    return gpu(device(function))


def model_options(function: F) -> F:
    """`--model`, `--revision`, `--weights`, `--yes`."""
    for option in (
        click.option("--yes", is_flag=True, help="Download without asking."),
        click.option(
            "--weights",
            type=click.Choice(["hub", "random"]),
            help="hub: download (10.45 GB for the 4B models). random: the exact shapes, no download.",
        ),
        click.option("--revision", metavar="R", help="Branch, tag or commit on the Hub. Default: main."),
        click.option(
            "--model", metavar="REPO|DIR", help="Hub repository or directory. Default: the suite's."
        ),
    ):
        function = option(function)
    return function


def existing_file(path: str | None, option: str) -> Path | None:
    """A path from the command line that has to be there.

    Raises:
        UsageError: it is not.
    """
    if path is None:
        return None
    if not Path(path).exists():
        raise UsageError(f"{option} {path}: no such file", hint="Check the path")
    return Path(path)
