"""Frontier lines in words."""

from bench.records.check import PredictedLengths
from bench.report.frontier import frontier
from bench.report.interface import LengthWords
from bench.report.view import view_of
from tests.samples import cards
from tests.samples import predictions as derived
from tests.samples.reruns import MACHINES, merged, rerun


def test_none_beside_a_desktop_and_unknown_are_two_words() -> None:
    cells = [cards.measured(300.0, 1024)]
    words = [
        view_of(cards.with_card(cells, state=state)).frontier[0].longest_fit_with_desktop
        for state in (cards.STATE, None)
    ]
    assert words == ["none", "n/a"]


def test_a_clip_that_timed_out_or_failed_is_named_where_none_is_seen_that_does_not_fit() -> None:
    check = view_of(cards.with_card([cards.measured(300.0, 1024)])).check
    (line,) = check.frontier
    for status, words in (("timeout", "none seen; 600 s timed out"), ("failed", "none seen; 600 s failed")):
        ended = line.model_copy(update={"undecided_s": 600.0, "undecided_status": status})
        (row,) = frontier(check.model_copy(update={"frontier": (ended,)}), several=False)
        assert row.smallest_misfit == words


def test_of_several_records_a_line_says_what_it_rests_on() -> None:
    check = merged(
        rerun(cards.rtx_4070(), 1, machine=MACHINES[0]), rerun(cards.rtx_4070(), 2, machine=MACHINES[1])
    )
    assert {row.basis for row in frontier(check, several=True)} == {"2 machines"}
    assert {row.basis for row in frontier(check, several=False)} == {""}


def test_a_predicted_line_that_the_context_ends_fits_all_clips() -> None:
    check = view_of(derived.derived_record()).check
    (line, *_) = check.frontier
    lengths = PredictedLengths(
        fits_s=line.context_s, likely_fits_s=line.context_s, misfit_s=None, likely_is_known=True
    )
    ended = line.model_copy(update={"predicted_headless": lengths, "predicted_desktop": None})
    (row,) = frontier(check.model_copy(update={"frontier": (ended,)}), several=False)
    assert row.headless == LengthWords(f"{row.context} (all)", f"{row.context} (all)", "never")
    assert row.desktop is None


def test_a_likely_length_is_shown_between_what_fits_and_what_does_not() -> None:
    (row, *_) = view_of(derived.with_typical(derived.derived_record())).frontier
    assert row.headless == LengthWords("128 s", "200 s", "342 s")
    assert row.desktop == LengthWords("uncertain", "60 s", "303 s")
    (older, *_) = view_of(derived.derived_record()).frontier
    assert older.headless == LengthWords("128 s", "n/a", "342 s")
