"""Copies of repeats, edited around the times and a little within them."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import pytest

from bench.records.cell import CellResult, Repeat
from bench.validate.repeat_digests import repeat_digests
from tests.site.results import RUN, run

Edit = Callable[[Repeat], Repeat]


def nudged_latency(repeat: Repeat) -> Repeat:
    return repeat.model_copy(update={"latency_s": repeat.latency_s + 1e-5})


def nudged_tokens(repeat: Repeat) -> Repeat:
    return repeat.model_copy(
        update={"token_times_s": tuple(each + 1e-9 for each in repeat.token_times_s or ())}
    )


def shifted(repeat: Repeat) -> Repeat:
    """All times later by as much, which is no whole number of microseconds."""
    offset_s = 0.0012343
    times = tuple(each + offset_s for each in repeat.token_times_s or ())
    first, latency = repeat.time_to_first_token_s + offset_s, repeat.latency_s + offset_s
    return repeat.model_copy(
        update={"token_times_s": times, "time_to_first_token_s": first, "latency_s": latency}
    )


def one_token(repeat: Repeat) -> Repeat:
    first, *rest = repeat.token_times_s or ()
    return repeat.model_copy(update={"token_times_s": (first + 1e-4, *rest)})


def no_tokens(repeat: Repeat) -> Repeat:
    return repeat.model_copy(update={"token_times_s": None, "latency_s": repeat.latency_s + 1e-10})


EDITS: Final[tuple[Edit, ...]] = (nudged_latency, nudged_tokens, shifted, one_token, no_tokens)


def edited(cell: CellResult, edit: Edit) -> CellResult:
    return cell.model_copy(update={"repeats": tuple(map(edit, cell.repeats))})


@pytest.mark.parametrize("edit", EDITS)
def test_an_edited_copy_shares_a_digest_and_another_run_none(edit: Edit) -> None:
    (cell, *_), (other, *_) = run(1).cells, run(2).cells
    own = set(repeat_digests(cell))
    assert len(own) == 2 * len(cell.repeats) + 1
    assert own & set(repeat_digests(edited(cell, edit)))
    assert not own & set(repeat_digests(other))


def test_the_order_of_repeats_does_not_count() -> None:
    cell = run(1).cells[0]
    turned = cell.model_copy(update={"repeats": cell.repeats[::-1], "cell_id": "0" * 16})
    assert set(repeat_digests(turned)) == set(repeat_digests(cell))


def test_one_repeat_of_another_is_enough() -> None:
    (cell, *_), (other, *_) = run(1).cells, run(2).cells
    mixed = other.model_copy(update={"repeats": (*other.repeats[1:], cell.repeats[0])})
    assert len(set(repeat_digests(cell)) & set(repeat_digests(mixed))) == 2


def test_too_few_times_have_no_digest() -> None:
    (cell, *_) = run(1, replace(RUN, tokens=(1,), repeats=2)).cells
    assert repeat_digests(cell) == ()
    assert repeat_digests(cell.model_copy(update={"repeats": ()})) == ()


def test_answers_of_one_token_are_told_apart_by_the_clock_of_the_host() -> None:
    (cell, *_) = run(1, replace(RUN, tokens=(1,))).cells
    later = edited(
        cell, lambda each: each.model_copy(update={"host_latency_s": (each.host_latency_s or 0.0) + 1e-5})
    )
    assert len(repeat_digests(cell)) == 1
    assert repeat_digests(cell) != repeat_digests(later)


def test_a_time_of_any_size_has_a_digest() -> None:
    (cell, *_) = run(1).cells
    assert repeat_digests(edited(cell, lambda each: each.model_copy(update={"latency_s": 1e308})))
