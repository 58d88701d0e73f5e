"""What every format shows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.check.document import merge
from bench.check.summarise import summarise
from bench.records.enums import Attention, Provenance, WeightMode
from bench.records.reasons import FlashAttentionNeedsGpu
from bench.records.record import Record
from bench.report.details import traces_of
from bench.report.view import build_view, view_of
from bench.text import clean
from bench.wording.outcomes import unsupported
from tests.samples import cards
from tests.samples import records as sample
from tests.samples.named import RECORDS
from tests.validate.good import good
from tests.validate.recipes import Recipe


@pytest.mark.parametrize("record", RECORDS.values(), ids=RECORDS.keys())
def test_every_cell_is_one_row(record: Record) -> None:
    view = view_of(record)
    assert sorted(row.cell_id for row in view.rows) == sorted(cell.cell_id for cell in record.cells)


def test_the_largest_cell_stands_at_the_top() -> None:
    texts = [fact.text for fact in view_of(sample.standard()).highlights]
    assert texts == ["600 s × 256 tokens", "36.6 tok/s", "2.41 s", "12.70 GB (11.83 GiB)"]


def test_sentence_and_highlights_are_of_one_cell_where_two_are_as_large() -> None:
    runs = [good(Recipe(card="rtx-4090", seed=seed, clips=(10.0,), tokens=(128,))) for seed in range(5)]
    check = merge(map(summarise, runs))
    speeds = [fact.text for fact in build_view(check, traces_of(check, ())).highlights][1:2]
    assert len(check.rows) == 2
    assert [speed in check.why for speed in speeds] == [True]


def test_the_speed_of_a_larger_device_is_no_highlight() -> None:
    view = view_of(cards.emulated())
    assert [fact.label for fact in view.highlights] == [
        "Longest clip that ran",
        "Memory there, CUDA context included",
    ]
    assert not any("bandwidth" in line or "J per token" in line for line in view.card_lines)


def test_a_view_of_a_prediction_is_derived_whatever_the_record_says() -> None:
    from bench.records.cell import Predicted

    view = view_of(sample.record([sample.not_measured(sample.requested(), Predicted())]))
    assert view.rows[0].provenance is Provenance.DERIVED


@given(st.text(max_size=2000))
def test_clean_text_is_one_printable_line(text: str) -> None:
    cleaned = clean(text, 100)
    assert len(cleaned) <= 100
    assert cleaned == " ".join(cleaned.split())
    assert all(
        character.isprintable() or character == "\ufffd" or ord(character) > 127 for character in cleaned
    )
    assert not set(cleaned) & {"\x1b", "\u202e", "\u2066", "\u200b", "\u2028"}
    cleaned.encode()


def test_a_good_smoke_run_is_headlined_as_what_it_shows_and_one_that_failed_is_not() -> None:
    good = sample.smoke()
    assert view_of(good).headline == "The pipeline works"
    short = sample.out_of_memory(good.cells[0].requested)
    bad = sample.record(
        [short, *good.cells[1:]],
        device=sample.CPU,
        provenance=Provenance.SMOKE,
        weight_mode=WeightMode.TINY,
        suite="smoke",
    )
    assert view_of(bad).headline == "Unknown"


def test_a_smoke_run_is_good_where_all_cells_ran_that_the_device_supports() -> None:
    flash = sample.requested(1.0, 4, Attention.FLASH_ATTENTION_2, weight_mode=WeightMode.TINY)
    refused = sample.not_measured(flash, unsupported(FlashAttentionNeedsGpu()))
    run = sample.record(
        [*sample.smoke().cells, refused],
        device=sample.CPU,
        provenance=Provenance.SMOKE,
        weight_mode=WeightMode.TINY,
        suite="smoke",
    )
    assert view_of(run).headline == "The pipeline works"
