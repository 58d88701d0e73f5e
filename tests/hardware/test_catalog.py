import csv
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import bench
from bench import shipped
from bench.hardware.catalog import Card, cards, identify, is_known, name_of, nearest_slugs, slug_of, slugify
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


NOTES = Path(bench.__file__).parents[2] / "shared" / "gpus.csv"
NUMBERS: dict[str, Callable[[Card], float | None]] = {
    "nvml_total_mib": lambda card: card.memory_total_bytes and card.memory_total_bytes / MIB,
    "bandwidth_gb_s": lambda card: (
        card.memory_bandwidth_bytes_per_s and card.memory_bandwidth_bytes_per_s / 1e9
    ),
    "bf16_dense_tflops": lambda card: card.bf16_operations_per_s and card.bf16_operations_per_s / 1e12,
    "fp32_tflops": lambda card: card.fp32_operations_per_s and card.fp32_operations_per_s / 1e12,
    "tdp_w": lambda card: card.tdp_w,
    "year": lambda card: card.year,
    "compute_capability": lambda card: float(card.compute_capability),
}
WORDS = ("nvml_name", "chip", "architecture", "compute_capability", "pcie", "form")


@pytest.mark.skipif(not NOTES.is_file(), reason="the notes that the catalog was made from are not here")
def test_the_catalog_says_what_the_notes_say() -> None:
    with NOTES.open(encoding="utf-8", newline="") as file:
        rows = {row["slug"]: row for row in csv.DictReader(file)}
    catalog = {card.slug: card for card in cards()}
    assert rows.keys() <= catalog.keys()  # a card may be added here before the notes have it
    for slug, row in rows.items():
        card = catalog[slug]
        for column, figure in NUMBERS.items():
            assert figure(card) == (pytest.approx(float(row[column])) if row[column] else None), column
        for column in WORDS:
            assert (getattr(card, column) or "") == row[column]


def test_every_figure_of_the_file_has_a_source() -> None:
    with shipped.data("gpus.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        assert row["specs_source"].startswith("https://")
        assert bool(row["nvml_total_mib"]) == bool(row["memory_source"])
        assert bool(row["bf16_dense_tflops"]) == bool(row["bf16_basis"])
        assert row["bf16_basis"].endswith("FP32") or bool(row["bf16_dense_tflops"]) == bool(
            row["bf16_source"]
        )


def test_a_bf16_rate_that_is_a_multiple_of_fp32_is_that_multiple() -> None:
    derived = [card for card in cards() if card.bf16_basis is not None and card.bf16_basis.endswith("FP32")]
    assert len(derived) > 20
    for card in derived:
        assert card.bf16_basis is not None
        assert card.fp32_operations_per_s is not None
        factor = int(card.bf16_basis.partition(" ")[0])
        assert card.bf16_operations_per_s == pytest.approx(factor * card.fp32_operations_per_s, rel=0.01)


def test_no_card_without_native_bf16_has_a_bf16_rate() -> None:
    assert {card.slug for card in cards() if card.architecture == "Turing"} == {
        "rtx-2060-12gb",
        "rtx-2080-ti",
        "t4",
    }
    assert all(card.bf16_operations_per_s is None for card in cards() if card.architecture == "Turing")


def test_units_are_whole_bytes_and_operations() -> None:
    (card,) = [card for card in cards() if card.slug == "rtx-4070"]
    assert (card.memory_bandwidth_bytes_per_s, card.bf16_operations_per_s) == (504.2e9, 58.3e12)
    assert (card.fp32_operations_per_s, card.tdp_w, card.architecture) == (29.15e12, 200.0, "Ada Lovelace")
    (spark,) = [card for card in cards() if card.slug == "gb10"]
    assert (spark.bf16_operations_per_s, spark.pcie, spark.memory_total_bytes) == (None, None, None)


@pytest.mark.parametrize("row", [pytest.param(card, id=card.slug) for card in cards()])
def test_totals_of_older_drivers_and_of_ecc_are_the_same_card(row: Card) -> None:
    with shipped.data("gpus.csv").open(encoding="utf-8", newline="") as file:
        others = {line["slug"]: line["other_totals_mib"] for line in csv.DictReader(file)}
    for total in others[row.slug].split():
        assert slug_of(row.nvml_name, int(total) * MIB) == row.slug


def test_slugs_are_unique() -> None:
    slugs = [card.slug for card in cards()]
    assert sorted(set(slugs)) == sorted(slugs)


@pytest.mark.parametrize("card", KNOWN_SIZE, ids=lambda card: card.slug)
def test_every_card_identifies_itself(card: Card) -> None:
    assert identify(card.nvml_name, card.memory_total_bytes) == card
    assert slug_of(card.nvml_name, card.memory_total_bytes) == card.slug
    assert is_known(card.slug)
    assert name_of(card.slug) == card.nvml_name


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
        ("NVIDIA GeForce RTX 4070 Laptop GPU", 8188, "rtx-4070-laptop"),  # spelt as rtx-4090-laptop is
        ("NVIDIA RTX 2000 Ada Generation", 16380, "rtx-2000-ada"),
        ("NVIDIA A100-SXM4-40GB MIG 1g.5gb", 4864, "a100-sxm4-40gb-mig-1g-5gb"),
        ("NVIDIA T4", 15360, "t4-unlisted"),  # the driver calls the T4 Tesla T4
    ],
)
def test_other_cards_get_a_slug_of_their_own(name: str, mib: int | None, slug: str) -> None:
    assert slug_of(name, mib * MIB if mib else None) == slug
    assert not is_known(slug)
    assert name_of(slug) is None


@given(st.text(max_size=100), st.one_of(st.none(), st.integers(1, 200 * GIB)))
def test_only_a_card_of_the_catalog_has_its_slug(name: str, total: int | None) -> None:
    for called in (name, "NVIDIA GeForce RTX 4060 Ti", "NVIDIA " + name):
        assert is_known(slug_of(called, total)) == (identify(called, total) is not None)


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


def test_a_card_of_this_machine_is_meant_first() -> None:
    assert nearest_slugs("rtx-4060-ti", ("rtx-4060-ti-16gb",))[0] == "rtx-4060-ti-16gb"
    assert nearest_slugs("thing-900", ("thing-9000",)) == ("thing-9000",)


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
