"""The catalog of graphics cards: slug <-> NVML name <-> memory <-> specifications. Pure.

The file `bench/data/gpus.csv` names the source of each figure; an empty field is one that no source states.
"""

import csv
import re
from dataclasses import dataclass
from functools import cache
from typing import Final

from bench import shipped
from bench.units import GB, GIB, MIB

# Covers ECC (6 % less) and old drivers; the closest cards of one name, RTX 3080 10 and 12 GB, differ by 20 %.
_SAME_SIZE_WITHIN: Final = 0.08
_TRADEMARKS: Final = re.compile(r"\((?:r|tm|c)\)")
# Words of a name that the catalog's slugs leave out, so that a card that joins the catalog keeps its slug.
_NO_PART_OF_A_SLUG: Final = re.compile(r"(?<=laptop) gpu$|(?<=ada) generation$")
_TERA: Final = 10**12


@dataclass(frozen=True, slots=True)
class Card:
    """One card of the catalog. None is unknown.

    `memory_total_bytes` is what NVML reports; `form` is desktop, laptop, workstation or datacenter. Rates are
    the maker's: `bf16_operations_per_s` is dense with FP32 accumulate, and a card that boosts above its
    specification can pass it. `bf16_basis` says where that rate is from: whitepaper, datasheet, third party,
    or a multiple of the FP32 rate that holds for cards of that kind.
    """

    slug: str
    nvml_name: str
    compute_capability: str
    memory_total_bytes: int | None
    architecture: str | None = None
    chip: str | None = None
    form: str | None = None
    year: int | None = None
    memory_bandwidth_bytes_per_s: float | None = None
    bf16_operations_per_s: float | None = None
    bf16_basis: str | None = None
    fp32_operations_per_s: float | None = None
    tdp_w: float | None = None
    pcie: str | None = None
    remark: str | None = None


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
        architecture=row["architecture"] or None,
        chip=row["chip"] or None,
        form=row["form"] or None,
        year=int(row["year"]) if row["year"] else None,
        memory_bandwidth_bytes_per_s=_scaled(row["bandwidth_gb_s"], GB),
        bf16_operations_per_s=_scaled(row["bf16_dense_tflops"], _TERA),
        bf16_basis=row["bf16_basis"] or None,
        fp32_operations_per_s=_scaled(row["fp32_tflops"], _TERA),
        tdp_w=_scaled(row["tdp_w"], 1),
        pcie=row["pcie"] or None,
        remark=row["remark"] or None,
    )


def _scaled(figure: str, unit: int) -> float | None:
    """`504.2` GB/s -> 504200000000.0 exactly: the products are whole numbers."""
    return float(round(float(figure) * unit)) if figure else None


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
    slug = slugify(_NO_PART_OF_A_SLUG.sub("", _plain(nvml_name)))
    if memory_total_bytes is not None and _named(nvml_name):
        slug = f"{slug}-{round(memory_total_bytes / GIB)}gb"
    is_taken = is_known(slug) or slug == "cpu"  # `--device cpu` is the processor
    return f"{slug[:51]}-unlisted" if is_taken else slug


def slugify(name: str) -> str:
    """Lower-case letters, digits and single dashes; `unknown` if nothing is left."""
    return (
        re.sub(r"[^a-z0-9]+", "-", _TRADEMARKS.sub("", name.lower())).strip("-")[:60].rstrip("-") or "unknown"
    )


def is_known(slug: str) -> bool:
    """Whether the catalog has this slug."""
    return any(card.slug == slug for card in cards())


def name_of(slug: str) -> str | None:
    """Return the name that the driver gives the card of a slug; None where the catalog lacks it."""
    return next((card.nvml_name for card in cards() if card.slug == slug), None)


def has_name(nvml_name: str) -> bool:
    """Whether the catalog has a card of this name, of whatever size."""
    return bool(_named(nvml_name))


def nearest_slugs(slug: str, here: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Up to three slugs close to a mistyped one; those in `here`, this machine, first."""
    import difflib

    typed = slugify(slug)
    every = list(dict.fromkeys((*here, *(card.slug for card in cards()))))
    longer = [known for known in every if f"{known}-".startswith(f"{typed}-")]
    near = dict.fromkeys(longer + difflib.get_close_matches(typed, every, n=3, cutoff=0.6))
    return tuple(sorted(near, key=lambda found: found not in here))[:3]


def _named(nvml_name: str) -> list[Card]:
    return [card for card in cards() if _plain(card.nvml_name) == _plain(nvml_name)]


def _plain(nvml_name: str) -> str:
    # Drivers before 510 left the maker's name out.
    return nvml_name.removeprefix("NVIDIA ").removeprefix("GeForce ").strip().lower()
