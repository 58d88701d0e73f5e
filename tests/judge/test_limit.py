"""What outcomes say of the longest clip that fits, line by line."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.judge.limit import Limit, Line, Support, also_known, end_of_line, limit
from bench.records.cell import CellResult, Outcome, Requested, Skipped, Unsupported
from bench.records.enums import Attention
from bench.records.reasons import (
    BeyondContext,
    CellShape,
    FewerTokensDidNotFit,
    FlashAttentionBroken,
    TimeLimitPassed,
    UnsupportedReason,
    WorkerKilled,
)
from bench.wording import outcomes
from tests.samples import records as sample

LINE = Line(sample.requested(10, 128))
EAGER = Line(sample.requested(10, 128, Attention.EAGER))
MORE_TOKENS = Line(sample.requested(10, 512))
PRUNED = Skipped(reason="a smaller one ran out of memory", cause="pruned")
INTERRUPTED = Skipped(reason="the run ended", cause="interrupted")
CONTEXT_S = 2790
TOO_LONG = BeyondContext(max_positions=40_960, max_tokens=128, longest_clip_s=CONTEXT_S)
BROKEN = FlashAttentionBroken(version="2.8.3", failed_at="run", error="no kernel image is available")


def beyond(requested: Requested) -> UnsupportedReason | None:
    return None if requested.clip_seconds <= CONTEXT_S else TOO_LONG


def anything_goes(requested: Requested) -> UnsupportedReason | None:
    return None


def ran(clip_s: float, line: Line = LINE) -> CellResult:
    cell = line.cell(clip_s)
    return sample.measured(cell.requested).model_copy(update={"cell_id": cell.cell_id})


def did_not(clip_s: float, line: Line = LINE) -> CellResult:
    cell = line.cell(clip_s)
    return sample.out_of_memory(cell.requested).model_copy(update={"cell_id": cell.cell_id})


def was_not_tried(clip_s: float, outcome: Outcome, line: Line = LINE) -> CellResult:
    cell = line.cell(clip_s)
    return sample.not_measured(cell.requested, outcome).model_copy(update={"cell_id": cell.cell_id})


def found(*results: CellResult, line: Line = LINE, unsupported_reason: Support = beyond) -> Limit:
    return limit(line, results, 10, unsupported_reason)


def owed(found: Limit, *results: CellResult) -> CellResult | None:
    return end_of_line(found, {result.cell_id: result for result in results}, beyond)


def test_it_starts_from_the_longest_that_ran_and_the_shortest_that_did_not() -> None:
    results = [ran(10), ran(60), did_not(300), did_not(600)]
    known = found(*results)
    assert (known.search.fits_s, known.search.misfit_s, known.next_s) == (60, 300, 180)
    assert known.longest == results[1]
    assert not known.is_inferred


@pytest.mark.parametrize(
    "other",
    [
        sample.requested(60, 128, Attention.EAGER),
        sample.requested(60, 256),
        sample.requested(60, 128, model="MOSS-Audio-8B-Instruct"),
        sample.requested(60, 128).model_copy(update={"prompt": "What is said?"}),
        sample.requested(60, 128).model_copy(update={"seed": 1}),
    ],
)
def test_another_request_says_nothing_of_this_line_if_it_ran(other: Requested) -> None:
    assert found(ran(10), ran(60, Line(other))).search.fits_s == 10


TIMED_OUT = outcomes.timeout(TimeLimitPassed(limit_s=60, during=None))
FAILED = outcomes.failed(WorkerKilled(signal="SIGKILL", during=None))


@pytest.mark.parametrize("outcome", [TIMED_OUT, FAILED])
def test_the_search_goes_no_further_than_a_clip_that_failed_or_timed_out(outcome: Outcome) -> None:
    ended = was_not_tried(80, outcome)
    assert (found(ran(10), ended).undecided, found(ran(10), ended).next_s) == (None, 20)
    known = found(ran(40), ended)
    assert (known.search.fits_s, known.search.misfit_s) == (40, None)
    assert (known.undecided, known.next_s, known.at_most) == (ended, None, 0)
    assert owed(known, ended) is None
    assert found(ran(40), ended, did_not(60)).undecided is None
    longer_fits = found(ran(160), ended)
    assert (longer_fits.undecided, longer_fits.next_s) == (None, 320)


def test_with_nothing_known_to_fit_a_timeout_at_the_start_ends_the_search() -> None:
    ended = was_not_tried(10, TIMED_OUT)
    assert (found(ended).undecided, found(ended).search.fits_s) == (ended, None)
    shorter = limit(LINE, [ended], 10, beyond, max_clip_s=5)
    assert (shorter.undecided, shorter.next_s) == (None, 5), "a shorter clip can be asked for"


def test_what_took_too_long_with_fewer_tokens_is_not_tried_with_more() -> None:
    timed_out, failed = was_not_tried(80, TIMED_OUT), was_not_tried(80, FAILED)
    assert found(timed_out, ran(40, MORE_TOKENS), line=MORE_TOKENS).undecided == timed_out
    assert found(failed, ran(40, MORE_TOKENS), line=MORE_TOKENS).next_s == 80


def test_an_interrupted_cell_says_nothing() -> None:
    known = found(ran(10), was_not_tried(20, INTERRUPTED))
    assert (known.undecided, known.next_s) == (None, 20)


@pytest.mark.parametrize(
    ("results", "ends", "is_cut"),
    [
        ([ran(60)], (60, None), True),
        ([ran(300)], (300, None), True),
        ([ran(60), did_not(100)], (60, 100), True),
        ([ran(60), did_not(65)], (60, 65), False),
        ([ran(300), did_not(305)], (300, 305), False),
        ([ran(CONTEXT_S)], (CONTEXT_S, None), False),
    ],
)
def test_a_search_to_a_longest_clip_says_whether_longer_ones_may_fit(
    results: list[CellResult], ends: tuple[float, float | None], is_cut: bool
) -> None:
    known = limit(LINE, results, 10, beyond, max_clip_s=60)
    assert (known.search.fits_s, known.search.misfit_s) == ends
    assert (known.next_s, known.is_cut) == (None, is_cut)


def test_too_much_with_fewer_tokens_is_too_much_with_more_and_not_tried() -> None:
    results = [ran(50), did_not(55), ran(50, MORE_TOKENS)]
    known = found(*results, line=MORE_TOKENS)
    assert (known.search.fits_s, known.search.misfit_s, known.next_s) == (50, 55, None)
    assert known.is_inferred
    last = owed(known, *results)
    assert last is not None
    fewer = CellShape(clip_seconds=55, max_tokens=128)
    assert last.outcome == outcomes.skipped(FewerTokensDidNotFit(smaller=fewer))
    assert last.cell_id == MORE_TOKENS.cell(55).cell_id
    assert owed(known, *results, last) is None
    assert found(*results, last, line=MORE_TOKENS) == known


def test_what_ran_outweighs_what_follows_from_fewer_tokens() -> None:
    known = found(did_not(55), ran(60, MORE_TOKENS), line=MORE_TOKENS)
    assert (known.search.fits_s, known.search.misfit_s, known.is_inferred) == (60, None, False)


def test_too_much_with_more_tokens_says_nothing_of_fewer() -> None:
    assert found(ran(10), did_not(30, MORE_TOKENS)).search.misfit_s is None


def test_a_pruned_cell_of_an_earlier_run_was_not_tried_either() -> None:
    known = found(ran(60, MORE_TOKENS), was_not_tried(300, PRUNED, MORE_TOKENS), line=MORE_TOKENS)
    assert (known.search.fits_s, known.search.misfit_s, known.is_inferred) == (60, 300, True)


def test_the_end_of_the_context_is_a_ceiling_and_recorded_once() -> None:
    results = [ran(CONTEXT_S)]
    known = found(*results)
    assert (known.next_s, known.search.misfit_s, known.search.ends_at_ceiling) == (None, None, True)
    last = owed(known, *results)
    assert last is not None
    assert last.outcome == outcomes.unsupported(TOO_LONG)
    assert last.requested.clip_seconds == CONTEXT_S + 5
    assert owed(known, *results, last) is None


def test_the_recorded_end_of_the_context_is_known_where_nobody_knows_the_context() -> None:
    results = [ran(CONTEXT_S), was_not_tried(CONTEXT_S + 5, outcomes.unsupported(TOO_LONG))]
    assert found(*results, unsupported_reason=anything_goes).next_s is None
    assert found(results[0], unsupported_reason=anything_goes).next_s == 3600


def test_a_record_without_codes_does_not_say_where_the_context_ends() -> None:
    stated = Unsupported(reason="the model has 40,960 positions: no clip beyond 2790 s fits")
    results = [ran(CONTEXT_S), was_not_tried(CONTEXT_S + 5, stated)]
    assert found(*results, unsupported_reason=anything_goes).next_s == 3600
    assert also_known(anything_goes, results[1:])(LINE.cell(10).requested) is None


def test_an_unsupported_line_has_one_outcome_and_no_probe() -> None:
    known = found(unsupported_reason=lambda _: BROKEN)
    assert (known.next_s, known.unsupported) == (None, BROKEN)
    last = owed(known)
    assert last is not None
    assert (last.outcome.status, last.requested.clip_seconds) == ("unsupported", 10)
    assert owed(known, was_not_tried(60, outcomes.unsupported(BROKEN))) is None


def test_what_a_worker_found_out_about_an_attention_is_not_asked_again() -> None:
    broken = was_not_tried(60, outcomes.unsupported(BROKEN))
    too_long = was_not_tried(3000, outcomes.unsupported(TOO_LONG), EAGER)
    known = also_known(anything_goes, [broken, too_long])
    assert known(LINE.cell(10).requested) == BROKEN
    assert known(EAGER.cell(10).requested) is None
    # It ran since: whatever was in the way is gone.
    assert also_known(anything_goes, [broken, ran(10)])(LINE.cell(60).requested) is None


def test_nothing_is_owed_before_the_end_or_where_both_sides_were_tried() -> None:
    assert owed(found(ran(10)), ran(10)) is None
    assert owed(found(ran(10), did_not(15)), ran(10), did_not(15)) is None


def test_a_failure_below_what_ran_is_told() -> None:
    known = found(ran(30), did_not(45), ran(60))
    assert (known.search.fits_s, known.search.misfit_s) == (30, 45)
    assert known.search.contradicted_by_s == (60.0,)
    assert known.longest == ran(30)


@settings(max_examples=25)
@given(limits=st.lists(st.integers(0, 560), min_size=3, max_size=3).map(lambda xs: sorted(xs, reverse=True)))
def test_lines_found_one_after_the_other_agree_with_a_full_sweep(limits: Sequence[int]) -> None:
    """Each line starts where the one with fewer tokens ended, and no outcome is asked for twice."""
    lines = [Line(sample.requested(10, tokens)) for tokens in (128, 256, 512)]
    results: dict[str, CellResult] = {}
    start_s = 10.0
    for line, steps in zip(lines, limits, strict=True):
        while (length_s := (known := limit(line, results.values(), start_s, beyond)).next_s) is not None:
            cell = line.cell(length_s)
            assert cell.cell_id not in results
            results[cell.cell_id] = (ran if length_s <= steps * 5 else did_not)(length_s, line)
        longest = min(steps * 5, CONTEXT_S)
        assert known.search.fits_s == (longest or None)
        assert known.search.misfit_s == (steps * 5 + 5 if longest < CONTEXT_S else None)
        start_s = known.search.fits_s or start_s
