"""The verdict of a run, and why."""

from hypothesis import given
from hypothesis import strategies as st

from bench.judge.memory import needed_bytes
from bench.judge.verdict import judge
from bench.records.cell import Failed, Outcome, Predicted, Skipped, Unsupported
from bench.records.enums import Provenance, Verdict, WeightMode
from bench.records.reasons import CellShape, FlashAttentionNotInstalled
from bench.records.verdicts import (
    EverythingSpilled,
    LargestRun,
    MemoryFigure,
    NoCells,
    NothingFinished,
    NothingFits,
    NothingSupported,
    OnlyPredictions,
    OtherDeviceComputed,
    Ran,
    RanHeadless,
    SmokeRun,
    StatedReason,
)
from bench.wording.outcomes import unsupported
from tests.samples import cards
from tests.samples import records as sample


def shape(clip_seconds: float, max_tokens: int) -> CellShape:
    return CellShape(clip_seconds=clip_seconds, max_tokens=max_tokens)


def test_a_smoke_run_says_nothing_about_the_real_model() -> None:
    judgement = judge(sample.smoke())
    assert judgement.verdict is Verdict.UNKNOWN
    assert judgement.why == SmokeRun(ran=4, cells=4)


def test_a_tiny_model_is_a_smoke_run_even_when_the_record_calls_itself_measured() -> None:
    cells = [sample.measured(sample.requested())]
    judgement = judge(sample.record(cells, weight_mode=WeightMode.TINY))
    assert judgement.verdict is Verdict.UNKNOWN


def test_runs_names_the_longest_clip_its_speed_its_memory_and_the_first_that_did_not_fit() -> None:
    judgement = judge(sample.standard())
    assert judgement.verdict is Verdict.RUNS
    why = judgement.why
    assert isinstance(why, Ran)
    assert (why.largest.cell, why.misfit) == (shape(600.0, 256), shape(600.0, 512))
    assert judgement.largest is not None
    assert judgement.largest.summary is not None
    decode = judgement.largest.summary.decode_tokens_per_s
    assert decode is not None
    assert why.largest.decode_tokens_per_s == decode.median
    peak = judgement.largest.summary.process_peak_bytes
    assert why.largest.memory == MemoryFigure(metric="process_peak_bytes", size_bytes=peak or 0)
    assert (why.with_desktop, why.largest_fits_with_desktop) == (None, False)


def test_one_measured_cell_is_enough_to_run() -> None:
    assert judge(sample.interrupted()).verdict is Verdict.RUNS


def test_a_measured_cell_without_figures_still_ran() -> None:
    bare = sample.measured(sample.requested()).model_copy(update={"summary": None})
    why = judge(sample.record([bare])).why
    assert isinstance(why, Ran)
    assert why.largest == LargestRun(cell=shape(10.0, 128), decode_tokens_per_s=None, memory=None)


def test_all_out_of_memory_does_not_fit_and_names_the_smallest() -> None:
    judgement = judge(sample.nothing_fits())
    assert judgement.verdict is Verdict.DOES_NOT_FIT
    assert judgement.why == NothingFits(smallest=shape(10.0, 128), emulated_total_bytes=None)


def test_out_of_memory_in_one_attention_and_unsupported_in_the_other_does_not_fit() -> None:
    cells = [sample.out_of_memory(sample.requested()), *sample.all_unsupported().cells]
    assert judge(sample.record(cells)).verdict is Verdict.DOES_NOT_FIT


def test_a_failure_beside_out_of_memory_decides_nothing() -> None:
    failed = sample.not_measured(sample.requested(), Failed(reason="cuDNN error"))
    cells = [failed, sample.out_of_memory(sample.requested(60.0))]
    assert judge(sample.record(cells)).verdict is Verdict.UNKNOWN


def test_all_unsupported_gives_the_reason() -> None:
    judgement = judge(sample.all_unsupported())
    assert judgement.verdict is Verdict.UNSUPPORTED
    assert judgement.why == NothingSupported(reasons=1, reason=FlashAttentionNotInstalled())


def test_several_reasons_are_counted() -> None:
    outcomes = [Unsupported(reason="no bfloat16"), unsupported(FlashAttentionNotInstalled())]
    cells = [
        sample.not_measured(sample.requested(10.0 * nth), outcome)
        for nth, outcome in enumerate(outcomes, start=1)
    ]
    assert judge(sample.record(cells)).why == NothingSupported(reasons=2, reason=None)


def test_a_reason_of_schema_1_0_is_kept_as_it_was_stated() -> None:
    cell = sample.not_measured(sample.requested(), Unsupported(reason="no bfloat16"))
    why = NothingSupported(reasons=1, reason=StatedReason(text="no bfloat16"))
    assert judge(sample.record([cell])).why == why


def test_no_cells_no_knowledge() -> None:
    judgement = judge(sample.record([]))
    assert judgement.verdict is Verdict.UNKNOWN
    assert judgement.why == NoCells()
    assert judgement.frontier == ()


def test_outcomes_that_say_nothing_are_counted() -> None:
    failed = sample.not_measured(sample.requested(), Failed(reason="cuDNN error"))
    ran_out = sample.out_of_memory(sample.requested(60.0))
    why = judge(sample.record([failed, ran_out])).why
    assert why == NothingFinished(statuses={"failed": 1, "out_of_memory": 1})


def test_predictions_are_not_a_run() -> None:
    cells = [sample.not_measured(sample.requested(), Predicted())]
    judgement = judge(sample.record(cells, provenance=Provenance.DERIVED))
    assert judgement.verdict is Verdict.UNKNOWN
    assert judgement.why == OnlyPredictions()


@given(st.lists(st.sampled_from(["ran", "oom", "pruned", "unsupported", "failed"]), min_size=1, max_size=6))
def test_runs_exactly_when_something_ran(kinds: list[str]) -> None:
    outcomes: dict[str, Outcome] = {
        "unsupported": Unsupported(reason="x"),
        "failed": Failed(reason="x"),
        "pruned": Skipped(reason="x", cause="pruned"),
    }
    cells = []
    for nth, kind in enumerate(kinds, start=1):
        want = sample.requested(10.0 * nth)
        if kind == "ran":
            cells.append(sample.measured(want, repeats=1))
        elif kind == "oom":
            cells.append(sample.out_of_memory(want))
        else:
            cells.append(sample.not_measured(want, outcomes[kind]))
    judgement = judge(sample.record(cells))
    assert (judgement.verdict is Verdict.RUNS) == ("ran" in kinds)
    assert isinstance(judgement.why, Ran) == ("ran" in kinds)


# --- against the budget of a card ---------------------------------------------------------------------------


def test_runs_says_up_to_which_clip_a_desktop_leaves_room() -> None:
    judgement = judge(cards.rtx_4070())
    assert judgement.verdict is Verdict.RUNS
    why = judgement.why
    assert isinstance(why, Ran)
    assert (why.largest.cell, why.misfit) == (shape(300.0, 1024), shape(600.0, 128))
    assert (why.with_desktop, why.largest_fits_with_desktop) == (shape(120.0, 256), False)


def test_what_fits_beside_a_desktop_says_so() -> None:
    why = judge(cards.with_card([cards.measured()])).why
    assert isinstance(why, Ran)
    assert why.largest_fits_with_desktop
    assert why.with_desktop == why.largest.cell


def test_only_without_a_desktop_names_what_is_taken_and_what_would_be_left() -> None:
    judgement = judge(cards.with_card([cards.measured(300.0, 512), cards.measured(300.0, 1024)]))
    assert judgement.verdict is Verdict.RUNS_HEADLESS
    assert isinstance(judgement.why, RanHeadless)
    assert judgement.why.largest.cell == shape(300.0, 1024)
    assert judgement.why.desktop_bytes == cards.HEADLESS - cards.DESKTOP
    needs = [needed_bytes(cells, None) for cells in (cards.measured(300.0, 512), cards.measured(300.0, 1024))]
    assert judgement.why.least_needed_bytes == needs[0]


def test_a_card_whose_budget_nobody_tells_still_runs() -> None:
    state = cards.STATE.model_copy(
        update={"budget": cards.STATE.budget.model_copy(update={"desktop_bytes": None})}
    )
    judgement = judge(cards.with_card([cards.measured(300.0, 1024)], state=state))
    assert judgement.verdict is Verdict.RUNS
    assert isinstance(judgement.why, Ran)
    assert judgement.why.with_desktop is None


def test_an_emulated_card_is_judged_by_its_own_budget_and_named() -> None:
    judgement = judge(cards.emulated())
    assert judgement.verdict is Verdict.RUNS
    why = judgement.why
    assert isinstance(why, Ran)
    assert why.emulated_total_bytes == cards.PLAYED.total_bytes
    assert why.largest.memory is not None
    assert why.largest.memory.metric == "needed_bytes"
    larger = judge(cards.with_card([cards.measured(300.0, 1024)], device=cards.H200, emulation=cards.PLAYED))
    assert larger.verdict is Verdict.RUNS_HEADLESS


def test_the_speed_of_a_larger_device_stands_in_no_verdict() -> None:
    for record in (cards.emulated(), sample.record(sample.standard().cells, provenance=Provenance.EMULATED)):
        judgement = judge(record)
        assert judgement.verdict is Verdict.RUNS
        assert isinstance(judgement.why, Ran)
        assert judgement.why.largest.decode_tokens_per_s is None


def test_a_played_card_that_is_too_small_is_named() -> None:
    cells = [sample.out_of_memory(sample.requested())]
    judgement = judge(cards.with_card(cells, device=cards.H200, emulation=cards.PLAYED))
    assert judgement.verdict is Verdict.DOES_NOT_FIT
    total = cards.PLAYED.total_bytes
    assert judgement.why == NothingFits(smallest=shape(10.0, 128), emulated_total_bytes=total)


def test_cells_that_computed_elsewhere_tell_nothing_of_the_card() -> None:
    ran = cards.measured()
    assert ran.effective is not None
    moved = ran.model_copy(update={"effective": ran.effective.model_copy(update={"device": "cpu"})})
    judgement = judge(cards.with_card([moved]))
    assert judgement.verdict is Verdict.UNKNOWN
    assert judgement.why == OtherDeviceComputed(device_kind="cpu", device="NVIDIA GeForce RTX 4070")


def test_what_ran_from_system_memory_does_not_fit() -> None:
    ran = cards.measured()
    assert ran.summary is not None
    spilled = ran.model_copy(update={"summary": ran.summary.model_copy(update={"labels": ("spilled",)})})
    judgement = judge(cards.with_card([spilled]))
    assert judgement.verdict is Verdict.DOES_NOT_FIT
    assert judgement.why == EverythingSpilled(smallest=shape(10.0, 128))
    assert (judgement.frontier[0].longest_fit_s, judgement.frontier[0].smallest_misfit_s) == (None, 10.0)
    assert judge(cards.with_card([spilled, cards.measured(5.0)])).verdict is Verdict.RUNS


def test_memory_that_another_program_took_is_no_limit_in_the_sentence() -> None:
    seen = cards.measured().device_memory
    assert seen is not None
    contended = {"device_memory": seen.model_copy(update={"contended": True})}
    ran_out = sample.out_of_memory(sample.requested(60.0)).model_copy(update=contended)
    judgement = judge(cards.with_card([cards.measured(), ran_out]))
    assert judgement.verdict is Verdict.RUNS
    assert isinstance(judgement.why, Ran)
    assert judgement.why.misfit is None


def test_memory_that_ran_out_beside_another_program_is_no_verdict() -> None:
    cell = cards.on_card(sample.measured(sample.requested()))
    assert cell.device_memory is not None
    contended = cell.device_memory.model_copy(update={"contended": True})
    ran_out = sample.out_of_memory(sample.requested()).model_copy(update={"device_memory": contended})
    judgement = judge(cards.with_card([ran_out]))
    assert judgement.verdict is Verdict.UNKNOWN
    assert judgement.frontier[0].smallest_misfit_s is None
