"""The catalog of graphics cards: slug <-> NVML name <-> memory. Pure: it reads a shipped file only."""

import csv
import difflib
import re
from dataclasses import dataclass
from functools import cache

from bench import shipped
from bench.units import GIB, MIB

# Covers ECC (6 % less) and old drivers; the closest cards of one name, RTX 3080 10 and 12 GB, differ by 20 %.
_SAME_SIZE_WITHIN = 0.08
_TRADEMARKS = re.compile(r"\((?:r|tm|c)\)")


@dataclass(frozen=True, slots=True)
class Card:
    """One card of the catalog. Sizes in bytes as NVML reports them; None is unknown."""

    slug: str
    nvml_name: str
    compute_capability: str
    memory_total_bytes: int | None


@cache
def cards() -> tuple[Card, ...]:
    """Every card of the catalog."""
    with shipped.data("gpus.csv").open(encoding="utf-8", newline="") as file:
        return tuple(_card(row) for row in csv.DictReader(file))


def _card(row: dict[str, str]) -> Card:
    total = row["nvml_total_mib"]
    return Card(
        slug=row["slug"],
        nvml_name=row["nvml_name"],
        compute_capability=row["compute_capability"],
        memory_total_bytes=int(total) * MIB if total else None,
    )


def identify(nvml_name: str, memory_total_bytes: int | None) -> Card | None:
    """The card with this name and the nearest memory size; None if the catalog has no such card or size."""
    named = _named(nvml_name)
    if memory_total_bytes is None:
        return named[0] if len(named) == 1 else None
    sized = [
        (abs(card.memory_total_bytes - memory_total_bytes), card) for card in named if card.memory_total_bytes
    ]
    if not sized:
        return named[0] if len(named) == 1 else None
    distance, nearest = min(sized, key=lambda pair: pair[0])
    return nearest if distance <= _SAME_SIZE_WITHIN * memory_total_bytes else None


def slug_of(nvml_name: str, memory_total_bytes: int | None) -> str:
    """The catalog's slug, or one made from the name: `NVIDIA Thing 9000` -> `thing-9000`.

    A known name with another memory size (an RTX 2080 Ti refitted with 22 GB) is another card: its slug ends
    in its size, so that it never passes for the one in the catalog.
    """
    card = identify(nvml_name, memory_total_bytes)
    if card:
        return card.slug
    slug = slugify(_plain(nvml_name))
    if memory_total_bytes is None or not _named(nvml_name):
        return slug
    return f"{slug}-{round(memory_total_bytes / GIB)}gb"


def slugify(name: str) -> str:
    """Lower-case letters, digits and single dashes; `unknown` if nothing is left."""
    return (
        re.sub(r"[^a-z0-9]+", "-", _TRADEMARKS.sub("", name.lower())).strip("-")[:60].rstrip("-") or "unknown"
    )


def is_known(slug: str) -> bool:
    """Whether the catalog has this slug."""
    return any(card.slug == slug for card in cards())


def nearest_slugs(slug: str) -> tuple[str, ...]:
    """Up to three slugs that somebody who typed this may have meant."""
    return tuple(difflib.get_close_matches(slugify(slug), [card.slug for card in cards()], n=3, cutoff=0.6))


def _named(nvml_name: str) -> list[Card]:
    return [card for card in cards() if _plain(card.nvml_name) == _plain(nvml_name)]


def _plain(nvml_name: str) -> str:
    # Drivers before 510 left the maker's name out.
    return nvml_name.removeprefix("NVIDIA ").removeprefix("GeForce ").strip().lower()
