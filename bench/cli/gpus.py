"""`bench gpus`: the names that --gpu takes."""

import json
import shutil
import sys
from typing import TYPE_CHECKING

import click

from bench.cli.completions import card_slugs
from bench.errors import DeviceError, UsageError

if TYPE_CHECKING:
    from bench.cli.gpu_table import Row
    from bench.hardware.device import Device


@click.command(short_help="List or search the known graphics cards.")
@click.argument("text", nargs=-1, shell_complete=card_slugs)
@click.option("--json", "as_json", is_flag=True, help="Every figure, in bytes, operations/s and watts.")
def gpus(text: tuple[str, ...], as_json: bool) -> None:
    """List the graphics cards that --gpu knows; each word of TEXT narrows the list.

    Words are looked for in slug, name, architecture (Ada, Blackwell) and form (desktop, laptop, workstation,
    datacenter). Cards of this machine are marked with *; one that is not in the catalog is listed, and runs,
    all the same.

    \b
    Columns:
      slug     what --gpu takes
      GiB      memory as the driver reports it
      cap.     compute capability
      GB/s     memory bandwidth
      TFLOP/s  BF16, dense, FP32 accumulate
      W        power by the maker's specification
      name     as the driver calls it
    n/a: no source states it.

    \b
    Examples:
      bench gpus
      bench gpus 4070
      bench gpus ada laptop
      bench gpus 4060 ti --json
    """
    found = _found(text)
    if as_json:
        click.echo(json.dumps([row.as_json() for row in found], indent=2))
        return
    from bench.cli.gpu_table import lines, remarks

    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    for line in (*lines(found, width), *remarks(found)):
        click.echo(line)


def _found(text: tuple[str, ...]) -> "list[Row]":
    from bench.cli.gpu_table import rows
    from bench.hardware.catalog import cards, nearest_slugs

    words = " ".join(text).lower().split()
    every = rows(cards(), _here())
    found = [row for row in every if row.matches(words)]
    if found:
        return found
    here = tuple(row.slug for row in every if row.here)
    near = nearest_slugs("-".join(words), here) or nearest_slugs("-".join(["rtx", *words]), here)
    hint = f"Did you mean {', '.join(near)}?" if near else "`bench gpus` lists all; an unknown card runs too"
    raise UsageError(f"no known card matches '{' '.join(text)}'", hint=hint)


def _here() -> "tuple[Device, ...]":
    """The cards of this machine; a driver that does not answer is reported, and the list is shown anyway."""
    from bench.hardware.device import every_gpu

    try:
        return every_gpu()
    except DeviceError as error:
        click.echo(f"bench: {error}", err=True)
        return ()
