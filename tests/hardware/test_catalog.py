import csv

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench import shipped
from bench.hardware.catalog import Card, cards, identify, is_known, nearest_slugs, slug_of, slugify
from bench.units import GIB, MIB

KNOWN_SIZE = [card for card in cards() if card.memory_total_bytes is not None]


def test_every_row_of_the_file_is_a_card() -> None:
    with shipped.data("gpus.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(cards()) > 50
    for row, card in zip(rows, cards(), strict=True):
        assert row["slug"] == card.slug == slugify(card.slug)
        assert 7.0 <= float(card.compute_capability) < 20
        if card.memory_total_bytes is not None:
            assert card.memory_total_bytes == int(row["nvml_total_mib"]) * MIB
            assert card.memory_total_bytes / GIB == pytest.approx(float(row["vram_gb"]), rel=0.1)


def test_slugs_are_unique() -> None:
    slugs = [card.slug for card in cards()]
    assert sorted(set(slugs)) == sorted(slugs)


@pytest.mark.parametrize("card", KNOWN_SIZE, ids=lambda card: card.slug)
def test_every_card_identifies_itself(card: Card) -> None:
    assert identify(card.nvml_name, card.memory_total_bytes) == card
    assert slug_of(card.nvml_name, card.memory_total_bytes) == card.slug
    assert is_known(card.slug)


@pytest.mark.parametrize(
    ("name", "mib", "slug"),
    [
        ("NVIDIA GeForce RTX 4060 Ti", 8188, "rtx-4060-ti-8gb"),
        ("NVIDIA GeForce RTX 4060 Ti", 16380, "rtx-4060-ti-16gb"),
        ("NVIDIA GeForce RTX 5060 Ti", 16311, "rtx-5060-ti-16gb"),
        ("NVIDIA GeForce RTX 3080", 10240, "rtx-3080-10gb"),
        ("NVIDIA GeForce RTX 3080", 12288, "rtx-3080-12gb"),
        ("NVIDIA GeForce RTX 4090", 24564, "rtx-4090"),
        ("NVIDIA GeForce RTX 4090 Laptop GPU", 16376, "rtx-4090-laptop"),
        ("NVIDIA RTX A6000", 46068, "rtx-a6000"),  # ECC takes 6 %
        ("NVIDIA RTX A5000", 23028, "rtx-a5000"),
        ("NVIDIA GeForce RTX 2080 Ti", 11019, "rtx-2080-ti"),  # an older driver
        ("GeForce RTX 3090", 24268, "rtx-3090"),  # before driver 510
        ("Tesla T4", 15109, "t4"),
    ],
)
def test_cards_are_told_apart_by_name_and_memory(name: str, mib: int, slug: str) -> None:
    assert slug_of(name, mib * MIB) == slug


@pytest.mark.parametrize(
    ("name", "mib", "slug"),
    [
        ("NVIDIA GeForce RTX 2080 Ti", 22528, "rtx-2080-ti-22gb"),  # refitted, and not the 11 GB card
        ("NVIDIA GeForce RTX 2060", 6144, "rtx-2060-6gb"),
        ("NVIDIA Thing 9000", 8192, "thing-9000"),
        ("NVIDIA Thing 9000", None, "thing-9000"),
        ("Quadro RTX 4000 with Max-Q", 8192, "quadro-rtx-4000-with-max-q"),
    ],
)
def test_other_cards_get_a_slug_of_their_own(name: str, mib: int | None, slug: str) -> None:
    assert slug_of(name, mib * MIB if mib else None) == slug
    assert not is_known(slug)


def test_a_name_of_two_cards_without_memory_is_neither() -> None:
    assert identify("NVIDIA GeForce RTX 4060 Ti", None) is None
    assert not is_known(slug_of("NVIDIA GeForce RTX 4060 Ti", None))


def test_unified_memory_has_no_figure_and_is_found_by_name() -> None:
    spark = identify("NVIDIA GB10", None)
    assert spark is not None
    assert (spark.slug, spark.memory_total_bytes) == ("gb10", None)
    assert slug_of("NVIDIA GB10", 120 * GIB) == "gb10"


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("rtx-4070ti", "rtx-4070-ti"),
        ("rtx4090", "rtx-4090"),
        ("RTX 4070", "rtx-4070"),
        ("RTX-3090", "rtx-3090"),
        ("h100", "h100-sxm"),
        ("rtx-4060-ti", "rtx-4060-ti-8gb"),
    ],
)
def test_a_misspelt_card_is_guessed(typed: str, meant: str) -> None:
    assert meant in nearest_slugs(typed)


def test_nothing_like_a_card_is_no_guess() -> None:
    assert nearest_slugs("zzzzzzzz") == ()
    assert nearest_slugs("") == ()


@given(st.text(max_size=100))
def test_a_slug_is_a_safe_part_of_a_path_and_stays_one(name: str) -> None:
    slug = slugify(name)
    assert slugify(slug) == slug
    assert 0 < len(slug) <= 60
    assert set(slug) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert not slug.startswith("-")
    assert not slug.endswith("-")


def test_trademarks_are_no_letters() -> None:
    assert slugify("Intel(R) Core(TM) i5-12400") == "intel-core-i5-12400"
    assert slugify("a" * 59 + "-b") == "a" * 59
