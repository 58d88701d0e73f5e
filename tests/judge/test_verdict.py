"""The sentence that a person came for."""

from hypothesis import given
from hypothesis import strategies as st

from bench.judge.verdict import judge
from bench.records.enums import Provenance, Verdict, WeightMode
from bench.records.record import Failed, Outcome, Predicted, Skipped, Unsupported
from tests.samples import cards
from tests.samples import records as sample


def test_a_smoke_run_says_nothing_about_the_real_model() -> None:
    judgement = judge(sample.smoke())
    assert judgement.verdict is Verdict.UNKNOWN
    assert "smoke run" in judgement.why


def test_a_tiny_model_is_a_smoke_run_even_when_the_record_calls_itself_measured() -> None:
    cells = [sample.measured(sample.requested())]
    judgement = judge(sample.record(cells, weight_mode=WeightMode.TINY))
    assert judgement.verdict is Verdict.UNKNOWN


def test_runs_names_the_longest_clip_its_speed_its_memory_and_the_first_that_did_not_fit() -> None:
    judgement = judge(sample.standard())
    assert judgement.verdict is Verdict.RUNS
    assert judgement.why == (
        "The longest clip that ran is 600 s (10 min) with 256 new tokens: 36.6 tok/s and a process peak of "
        "12.70 GB (11.83 GiB); a clip of 600 s (10 min) with 512 new tokens ran out of memory."
    )


def test_one_measured_cell_is_enough_to_run() -> None:
    assert judge(sample.interrupted()).verdict is Verdict.RUNS


def test_a_measured_cell_without_figures_still_makes_a_sentence() -> None:
    bare = sample.measured(sample.requested()).model_copy(update={"summary": None})
    assert judge(sample.record([bare])).why == "The longest clip that ran is 10 s with 128 new tokens."


def test_all_out_of_memory_does_not_fit_and_names_the_smallest() -> None:
    judgement = judge(sample.nothing_fits())
    assert judgement.verdict is Verdict.DOES_NOT_FIT
    assert "even a clip of 10 s with 128 new tokens ran out of memory" in judgement.why


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
    assert sample.NO_FLASH in judgement.why


def test_several_reasons_are_counted() -> None:
    reasons = ["no bfloat16", "no FlashAttention 2"]
    cells = [
        sample.not_measured(sample.requested(10.0 * n), Unsupported(reason=reason))
        for n, reason in enumerate(reasons, start=1)
    ]
    assert "2 different reasons" in judge(sample.record(cells)).why


def test_no_cells_no_knowledge() -> None:
    judgement = judge(sample.record([]))
    assert judgement.verdict is Verdict.UNKNOWN
    assert judgement.frontier == ()


def test_predictions_are_not_a_run() -> None:
    cells = [sample.not_measured(sample.requested(), Predicted())]
    judgement = judge(sample.record(cells, provenance=Provenance.DERIVED))
    assert judgement.verdict is Verdict.UNKNOWN
    assert "prediction" in judgement.why


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
    assert judgement.why.endswith(".")
    assert "\n" not in judgement.why


# --- against the budget of a card ---------------------------------------------------------------------------


def test_runs_says_up_to_which_clip_a_desktop_leaves_room() -> None:
    judgement = judge(cards.rtx_4070())
    assert judgement.verdict is Verdict.RUNS
    assert judgement.why == (
        "The longest clip that ran is 300 s (5 min) with 1,024 new tokens: 41.4 tok/s and a process peak of "
        "12.10 GB (11.27 GiB); beside a desktop up to 120 s (2 min) with 256 new tokens; "
        "a clip of 600 s (10 min) with 128 new tokens ran out of memory."
    )


def test_what_fits_beside_a_desktop_says_so() -> None:
    assert judge(cards.with_card([cards.measured()])).why.endswith("; it fits beside a desktop too.")


def test_only_without_a_desktop_names_what_is_taken_and_what_would_be_left() -> None:
    judgement = judge(cards.with_card([cards.measured(300.0, 512), cards.measured(300.0, 1024)]))
    assert judgement.verdict is Verdict.RUNS_HEADLESS
    assert judgement.why.endswith(
        "beside a desktop nothing that ran fits: the least takes 12.02 GB (11.20 GiB) and "
        "11.59 GB (10.79 GiB) would be left."
    )


def test_a_card_whose_budget_nobody_tells_still_runs() -> None:
    state = cards.STATE.model_copy(
        update={"budget": cards.STATE.budget.model_copy(update={"desktop_bytes": None})}
    )
    judgement = judge(cards.with_card([cards.measured(300.0, 1024)], state=state))
    assert judgement.verdict is Verdict.RUNS
    assert "desktop" not in judgement.why


def test_an_emulated_card_is_judged_by_its_own_budget_and_named() -> None:
    judgement = judge(cards.emulated())
    assert judgement.verdict is Verdict.RUNS
    assert judgement.why.startswith("On an emulated card of 12.88 GB (11.99 GiB), the longest clip that ran")
    assert "12.22 GB (11.38 GiB) of it, CUDA context included" in judgement.why
    larger = judge(cards.with_card([cards.measured(300.0, 1024)], device=cards.H200, emulation=cards.PLAYED))
    assert larger.verdict is Verdict.RUNS_HEADLESS


def test_the_speed_of_a_larger_device_stands_in_no_verdict() -> None:
    for record in (cards.emulated(), sample.record(sample.standard().cells, provenance=Provenance.EMULATED)):
        judgement = judge(record)
        assert judgement.verdict is Verdict.RUNS
        assert "tok/s" not in judgement.why


def test_a_played_card_that_is_too_small_is_named() -> None:
    cells = [sample.out_of_memory(sample.requested())]
    judgement = judge(cards.with_card(cells, device=cards.H200, emulation=cards.PLAYED))
    assert judgement.verdict is Verdict.DOES_NOT_FIT
    assert judgement.why.startswith("Nothing that was tried fits an emulated card of 12.88 GB (11.99 GiB)")


def test_cells_that_computed_elsewhere_tell_nothing_of_the_card() -> None:
    ran = cards.measured()
    assert ran.effective is not None
    moved = ran.model_copy(update={"effective": ran.effective.model_copy(update={"device": "cpu"})})
    judgement = judge(cards.with_card([moved]))
    assert judgement.verdict is Verdict.UNKNOWN
    assert "computed on the cpu" in judgement.why


def test_what_ran_from_system_memory_does_not_fit() -> None:
    ran = cards.measured()
    assert ran.summary is not None
    spilled = ran.model_copy(update={"summary": ran.summary.model_copy(update={"labels": ("spilled",)})})
    judgement = judge(cards.with_card([spilled]))
    assert judgement.verdict is Verdict.DOES_NOT_FIT
    assert "lay partly in system memory" in judgement.why
    assert (judgement.frontier[0].longest_fit_s, judgement.frontier[0].smallest_misfit_s) == (None, 10.0)
    assert judge(cards.with_card([spilled, cards.measured(5.0)])).verdict is Verdict.RUNS


def test_memory_that_another_program_took_is_no_limit_in_the_sentence() -> None:
    seen = cards.measured().device_memory
    assert seen is not None
    beside = {"device_memory": seen.model_copy(update={"contended": True})}
    ran_out = sample.out_of_memory(sample.requested(60.0)).model_copy(update=beside)
    judgement = judge(cards.with_card([cards.measured(), ran_out]))
    assert judgement.verdict is Verdict.RUNS
    assert "ran out of memory" not in judgement.why


def test_memory_that_ran_out_beside_another_program_is_no_verdict() -> None:
    cell = cards.on_card(sample.measured(sample.requested()))
    assert cell.device_memory is not None
    beside = cell.device_memory.model_copy(update={"contended": True})
    ran_out = sample.out_of_memory(sample.requested()).model_copy(update={"device_memory": beside})
    judgement = judge(cards.with_card([ran_out]))
    assert judgement.verdict is Verdict.UNKNOWN
    assert judgement.frontier[0].smallest_misfit_s is None
