"""Cells that differ in name only."""

from bench.judge.same_kernels import same_kernels
from bench.records.enums import Attention
from tests.samples import cards
from tests.samples import records as sample

SDPA, FLASH = cards.measured(), cards.measured(attention=Attention.FLASH_ATTENTION_2)
FELL_BACK = cards.with_kernels(FLASH, "sdpa")


def test_other_attention_and_the_same_kernels_are_each_others_double() -> None:
    alike = same_kernels(cards.with_card([SDPA, FELL_BACK]))
    assert alike == {SDPA.cell_id: (FELL_BACK,), FELL_BACK.cell_id: (SDPA,)}


def test_other_kernels_can_be_compared() -> None:
    assert same_kernels(cards.with_card([SDPA, FLASH])) == {}


def test_another_clip_is_another_question() -> None:
    longer = cards.with_kernels(cards.measured(30.0, attention=Attention.FLASH_ATTENTION_2), "sdpa")
    assert same_kernels(cards.with_card([SDPA, longer])) == {}


def test_the_order_of_the_operators_does_not_matter() -> None:
    cells = [
        sample.with_kernels(cell, operators=operators)
        for cell, operators in ((SDPA, ("a", "b")), (FELL_BACK, ("b", "a")))
    ]
    assert len(same_kernels(cards.with_card(cells))) == 2


def test_what_was_not_seen_shows_nothing() -> None:
    cells = [sample.with_kernels(cell, attention="none", operators=()) for cell in (SDPA, FELL_BACK)]
    assert same_kernels(cards.with_card(cells)) == {}


def test_a_cell_that_did_not_run_has_no_double() -> None:
    pending = sample.out_of_memory(sample.requested(attention=Attention.FLASH_ATTENTION_2))
    assert same_kernels(cards.with_card([SDPA, pending])) == {}
