"""Where "fits" ends."""

import pytest

from bench.judge.verdict import judge
from bench.records.check import PredictedLengths
from bench.records.enums import Attention, Profile
from bench.records.reasons import TimeLimitPassed
from bench.wording import outcomes
from tests.samples import cards
from tests.samples import predictions as derived
from tests.samples import records as sample

TIMED_OUT = outcomes.timeout(TimeLimitPassed(limit_s=60, during=None))


def test_the_longest_that_ran_and_the_smallest_that_did_not() -> None:
    points = {(p.attention, p.max_tokens): p for p in judge(sample.standard()).frontier}
    ends = {key: (line.longest_fit_s, line.smallest_misfit_s) for key, line in points.items()}
    assert ends[Attention.SDPA, 128] == (600.0, None)
    assert ends[Attention.SDPA, 512] == (120.0, 600.0)


def test_a_pruned_cell_did_not_fit_but_was_not_tried() -> None:
    points = {p.max_tokens: p for p in judge(sample.standard()).frontier if p.attention is Attention.SDPA}
    assert points[1024].smallest_misfit_s == 600.0
    assert points[1024].smallest_misfit_is_inferred
    assert not points[512].smallest_misfit_is_inferred


def test_what_cannot_run_is_no_misfit() -> None:
    for point in judge(sample.all_unsupported()).frontier:
        assert (point.longest_fit_s, point.smallest_misfit_s) == (None, None)


def test_what_timed_out_above_the_longest_fit_is_the_open_end_of_the_line() -> None:
    fits, ended = sample.measured(sample.requested(60.0)), TIMED_OUT
    late = [sample.not_measured(sample.requested(clip_s), ended) for clip_s in (120.0, 30.0, 300.0)]
    (line,) = judge(sample.record([fits, *late])).frontier
    assert (line.longest_fit_s, line.smallest_misfit_s) == (60.0, None)
    assert (line.undecided_s, line.undecided_status) == (120.0, "timeout")


def test_the_order_does_not_depend_on_the_order_of_the_cells() -> None:
    record = sample.standard()
    reversed_record = record.model_copy(update={"cells": record.cells[::-1]})
    assert judge(record).frontier == judge(reversed_record).frontier


def test_a_desktop_draws_a_line_of_its_own() -> None:
    record = cards.rtx_4070()
    points = {p.max_tokens: p for p in judge(record).frontier if p.attention is Attention.SDPA}
    assert (points[1024].longest_fit_s, points[1024].longest_fit_with_desktop_s) == (300.0, 60.0)
    assert points[1024].desktop_is_known


def test_none_beside_a_desktop_is_not_unknown() -> None:
    cells = [cards.measured(300.0, 1024)]
    known, unknown = cards.with_card(cells), cards.with_card(cells, state=None)
    points = [judge(record).frontier[0] for record in (known, unknown)]
    assert [point.longest_fit_with_desktop_s for point in points] == [None, None]
    assert [point.desktop_is_known for point in points] == [True, False]


def test_cells_of_another_profile_have_a_line_of_their_own() -> None:
    lean = sample.requested(60.0).model_copy(update={"profile": Profile.LEAN})
    points = judge(sample.record([sample.measured(sample.requested()), sample.measured(lean)])).frontier
    assert [(point.variant, point.longest_fit_s) for point in points] == [
        (("profile faithful",), 10.0),
        (("profile lean",), 60.0),
    ]


# --- predicted lines ---------------------------------------------------------------------------------------


def test_the_line_is_the_predicted_one_in_whole_seconds() -> None:
    point, *rest = judge(derived.derived_record()).frontier
    assert len(rest) == 3
    assert (point.longest_fit_s, point.smallest_misfit_s) == (128.0, 342.0)
    assert (point.longest_fit_with_desktop_s, point.desktop_is_known) == (None, True)
    assert point.is_predicted
    unknown = PredictedLengths(fits_s=128.0, likely_fits_s=None, misfit_s=342.0, likely_is_known=False)
    assert point.predicted_headless == unknown  # of a record without typical figures
    assert point.predicted_desktop == unknown.model_copy(update={"fits_s": None, "misfit_s": 303.0})
    assert point.context_s == 3263.0


def test_a_line_through_cells_knows_no_more_than_these() -> None:
    needs = {10.0: (9_500, 10_000), 20.0: (11_500, 12_050), 30.0: (12_100, 12_900)}
    wants = [(sample.requested(clip_s), derived.mib(*need)) for clip_s, need in needs.items()]
    record = derived.derived_record([derived.predicted(want, need=need) for want, need in wants])
    (point,) = judge(record).frontier
    assert (point.longest_fit_s, point.smallest_misfit_s) == (10.0, 30.0)
    assert point.predicted_desktop is not None
    assert (point.predicted_desktop.fits_s, point.predicted_desktop.misfit_s) == (10.0, 30.0)
    assert point.is_predicted
    assert point.context_s is None


@pytest.mark.parametrize(("headroom", "known"), [("headless", (True, False)), ("desktop", (False, True))])
@pytest.mark.parametrize("to_the_second", [True, False])
def test_a_line_of_a_room_that_was_not_asked_for_is_not_known(
    headroom: derived.Headroom, known: tuple[bool, bool], to_the_second: bool
) -> None:
    record = derived.derived_record(headroom=headroom, with_longest_clips=to_the_second)
    points = judge(record).frontier
    assert {
        (point.predicted_headless is not None, point.predicted_desktop is not None) for point in points
    } == {known}


def test_cells_that_differ_in_more_have_lines_of_their_own() -> None:
    wants = [sample.requested(), sample.requested().model_copy(update={"dtype": "float16"})]
    record = derived.derived_record([derived.predicted(want) for want in wants], with_longest_clips=True)
    assert [point.variant for point in judge(record).frontier] == [("dtype bfloat16",), ("dtype float16",)]


def test_the_lines_stand_in_the_order_of_attention_and_tokens() -> None:
    attentions = (Attention.FLASH_ATTENTION_2, Attention.EAGER)
    record = derived.derived_record(clips=[10.0], tokens=[256, 128], attentions=attentions)
    assert [(point.attention, point.max_tokens) for point in judge(record).frontier] == [
        (Attention.EAGER, 128),
        (Attention.EAGER, 256),
        (Attention.FLASH_ATTENTION_2, 128),
        (Attention.FLASH_ATTENTION_2, 256),
    ]
