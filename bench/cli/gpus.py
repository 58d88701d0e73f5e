"""`bench gpus`: the names that --gpu takes."""

import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import click

from bench.cli.command import Command
from bench.cli.options import card_slugs
from bench.errors import DeviceError, UsageError
from bench.units import GB, NOT_AVAILABLE, gib

if TYPE_CHECKING:
    from bench.hardware.catalog import Card
    from bench.hardware.device import Device


_HEADER: Final = (" ", "slug", "GiB", "cap.", "GB/s", "TFLOP/s", "W", "name")
_MAKER: Final = ("NVIDIA ", "GeForce ")
_TERA: Final = 10**12
_SHORTEST_NAME: Final = 8


@dataclass(frozen=True)
class Row:
    """A card of the catalog, or one of this machine that the catalog does not know (`card` is None)."""

    slug: str
    name: str
    memory_total_bytes: int | None
    compute_capability: str | None
    here: int
    card: "Card | None"

    def matches(self, words: Sequence[str]) -> bool:
        """Whether every word is in slug, name, architecture or form."""
        about = (self.card.architecture or "", self.card.form or "") if self.card else ()
        text = " ".join((self.slug, self.name, *about)).lower()
        return all(word in text for word in words)

    def as_json(self) -> dict[str, object]:
        """Return all figures in bytes, operations per second and watts; null is unknown."""
        card = self.card
        return {
            "slug": self.slug,
            "name": self.name,
            "memory_total_bytes": self.memory_total_bytes,
            "compute_capability": self.compute_capability,
            "memory_bandwidth_bytes_per_s": card and card.memory_bandwidth_bytes_per_s,
            "bf16_operations_per_s": card and card.bf16_operations_per_s,
            "bf16_basis": card and card.bf16_basis,
            "fp32_operations_per_s": card and card.fp32_operations_per_s,
            "tdp_w": card and card.tdp_w,
            "architecture": card and card.architecture,
            "form": card and card.form,
            "year": card and card.year,
            "remark": card and card.remark,
            "catalogued": card is not None,
            "in_this_machine": self.here,
        }


def rows(cards: Iterable["Card"], here: Sequence["Device"]) -> tuple[Row, ...]:
    """Return every card of the catalog, then the other cards of this machine."""
    count = Counter(gpu.slug for gpu in here)
    known = [
        Row(
            card.slug,
            card.nvml_name,
            card.memory_total_bytes,
            card.compute_capability,
            count[card.slug],
            card,
        )
        for card in cards
    ]
    others = {
        gpu.slug: Row(
            gpu.slug, gpu.name, gpu.memory_total_bytes, gpu.compute_capability, count[gpu.slug], None
        )
        for gpu in here
        if gpu.entry is None
    }
    return (*known, *others.values())


def lines(found: Sequence[Row], width: int | None) -> Iterable[str]:
    """Return an aligned table with a header; names are shortened to `width` (None: no limit)."""
    table = [_HEADER, *map(_cells, found)]
    widths = [max(len(line[column]) for line in table) for column in range(len(_HEADER) - 1)]
    if width is not None:
        left = max(_SHORTEST_NAME, width - sum(widths) - 2 * (len(widths) - 1) - 1)
        if any(len(line[-1]) > left for line in table):
            table = [(*line[:-1], _shortened(line[-1], left)) for line in table]
    for mark, slug, *figures, name in table:
        right = [cell.rjust(size) for cell, size in zip(figures, widths[2:], strict=True)]
        yield f"{mark} {'  '.join([slug.ljust(widths[1]), *right, name])}".rstrip()


def _cells(row: Row) -> tuple[str, ...]:
    card = row.card
    return (
        "*" if row.here else " ",
        row.slug,
        gib(row.memory_total_bytes).removesuffix(" GiB"),
        row.compute_capability or NOT_AVAILABLE,
        _figure(card.memory_bandwidth_bytes_per_s if card else None, GB),
        _figure(card.bf16_operations_per_s if card else None, _TERA),
        _figure(card.tdp_w if card else None, 1, digits=0),
        row.name,
    )


def _figure(value: float | None, unit: int, digits: int = 1) -> str:
    return NOT_AVAILABLE if value is None else f"{value / unit:.{digits}f}"


def _shortened(name: str, width: int) -> str:
    for word in _MAKER:
        name = name.removeprefix(word)
    return name if len(name) <= width else f"{name[: width - 1].rstrip()}…"


def remarks(found: Sequence[Row]) -> Iterable[str]:
    """Return lines on the cards of this machine, and on those that the catalog lacks."""
    here = [row for row in found if row.here]
    if here:
        named = ", ".join(row.slug if row.here == 1 else f"{row.here} x {row.slug}" for row in here)
        yield f"* in this machine: {named}"
    for row in here:
        if row.card is None:
            yield f"{row.slug} is not in the catalog: it runs too, without bandwidth figures"


@click.command(cls=Command, short_help="List or search the known graphics cards.")
@click.argument("text", nargs=-1, shell_complete=card_slugs)
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Print every figure as JSON, in bytes, operations/s and watts. Default: a table.",
)
def gpus(text: tuple[str, ...], as_json: bool) -> None:
    """List the graphics cards that --gpu knows; each word of TEXT narrows the list.

    The search covers slug, name, architecture (Ada, Blackwell) and form (desktop, laptop, workstation,
    datacenter). Cards of this machine are marked with *. A card that is not in the catalog is listed too, and
    can run.

    \b
    Columns:
      slug     value for --gpu
      GiB      memory as the driver reports it
      cap.     compute capability
      GB/s     memory bandwidth
      TFLOP/s  BF16, dense, FP32 accumulate
      W        power by the maker's specification
      name     as the driver reports it
    n/a: no source states the value.

    \b
    Examples:
      bench gpus
      bench gpus 4070
      bench gpus ada laptop
      bench gpus 4060 ti --json
    """
    found = _found(text)
    if as_json:
        import json

        click.echo(json.dumps([row.as_json() for row in found], indent=2))
        return
    import shutil  # with zlib, bz2 and lzma

    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    for line in (*lines(found, width), *remarks(found)):
        click.echo(line)


def _found(text: tuple[str, ...]) -> list[Row]:
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
    """Return the cards of this machine; print the error of a driver that does not answer."""
    from bench.hardware.device import every_gpu

    try:
        return every_gpu()
    except DeviceError as error:
        click.echo(f"bench: {error}", err=True)
        return ()
