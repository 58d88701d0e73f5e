"""What a plan says, and why; nothing in it claims that anything ran."""

from hypothesis import given
from hypothesis import strategies as st

from bench.judge.verdict import judge
from bench.records.cell import CellResult
from bench.records.enums import Attention, Fit, Verdict, WeightMode
from bench.records.reasons import CellShape, FlashAttentionNeedsGpu
from bench.records.record import ModelInfo, Record
from bench.records.verdicts import (
    Budget,
    BudgetLimit,
    NoCells,
    NothingSupported,
    PredictedFit,
    PredictedMisfit,
    PredictedOnCpu,
    PredictedTiny,
    PredictedTooClose,
)
from bench.wording.outcomes import unsupported
from bench.wording.verdicts import sentence
from tests.samples import predictions as derived
from tests.samples import records as sample


def of(*cells: CellResult, headroom: derived.Headroom | None = None) -> Record:
    return derived.derived_record(cells, headroom=headroom)


def needing(*needs: tuple[int, int]) -> list[CellResult]:
    """Cells of 10, 20, ... seconds that need so many MiB."""
    wants = [sample.requested(10.0 * nth) for nth in range(1, len(needs) + 1)]
    return [derived.predicted(want, need=derived.mib(*need)) for want, need in zip(wants, needs, strict=True)]


def with_model(record: Record, **changes: object) -> Record:
    return record.model_copy(
        update={"model": ModelInfo.model_validate(record.model.model_dump() | changes), "cells": record.cells}
    )


# --- why --------------------------------------------------------------------------------------------------


def limits(record: Record) -> tuple[BudgetLimit, ...]:
    why = judge(record).why
    assert isinstance(why, PredictedFit)
    return why.limits


def limit(
    budget: Budget, fits_s: float | None, misfit_s: float | None, tokens: int, context_s: float | None
) -> BudgetLimit:
    return BudgetLimit(
        budget=budget, fits_s=fits_s, misfit_s=misfit_s, max_tokens=tokens, context_s=context_s
    )


def shape(clip_seconds: float, max_tokens: int) -> CellShape:
    return CellShape(clip_seconds=clip_seconds, max_tokens=max_tokens)


def test_runs_names_the_longest_clip_for_both_budgets() -> None:
    record = derived.derived_record(device=derived.RTX_5060_TI)
    assert judge(record).verdict is Verdict.RUNS
    assert judge(record).largest is None
    headless, desktop = limits(record)
    assert (headless.budget, headless.fits_s, headless.misfit_s) == ("headless", 877.0, 1084.0)
    assert (desktop.budget, desktop.fits_s, desktop.misfit_s) == ("desktop", 583.0, 1045.0)
    assert {headless.max_tokens, desktop.max_tokens} == {1024}


def test_headless_only_says_how_far_a_desktop_is_open() -> None:
    record = derived.derived_record()
    assert judge(record).verdict is Verdict.RUNS_HEADLESS
    headless, desktop = limits(record)
    assert (headless.fits_s, headless.misfit_s, headless.max_tokens) == (128.0, 342.0, 1024)
    assert desktop == limit("desktop", None, 303.0, 128, 3263.0)


def test_without_a_line_to_the_second_the_cells_draw_one() -> None:
    record = derived.derived_record(with_longest_clips=False)
    assert judge(record).verdict is Verdict.RUNS_HEADLESS
    assert limits(record)[0] == limit("headless", 120.0, 600.0, 1024, None)


def test_only_the_budget_that_was_asked_for_is_spoken_of() -> None:
    headless = derived.derived_record(headroom="headless")
    assert judge(headless).verdict is Verdict.RUNS_HEADLESS
    assert [found.budget for found in limits(headless)] == ["headless"]
    desktop = derived.derived_record(device=derived.RTX_5060_TI, headroom="desktop")
    assert judge(desktop).verdict is Verdict.RUNS
    assert [found.budget for found in limits(desktop)] == ["desktop"]


def test_too_close_to_call_gives_both_intervals_and_what_is_shorter() -> None:
    judgement = judge(derived.derived_record(clips=[300.0, 600.0]))
    assert judgement.verdict is Verdict.TOO_CLOSE_TO_CALL
    why = judgement.why
    assert isinstance(why, PredictedTooClose)
    assert why.smallest == shape(300.0, 128)
    assert (why.answer.budget, why.answer.fit) == ("headless", Fit.TOO_CLOSE_TO_CALL)
    assert why.shorter is not None
    assert (why.shorter.budget, why.shorter.fits_s, why.shorter.misfit_s) == ("headless", 128.0, 342.0)


def test_nothing_that_was_asked_for_fits_but_shorter_clips_do() -> None:
    judgement = judge(derived.derived_record(clips=[600.0], tokens=[128]))
    assert judgement.verdict is Verdict.DOES_NOT_FIT
    why = judgement.why
    assert isinstance(why, PredictedMisfit)
    assert (why.weights_bytes, why.smallest) == (None, shape(600.0, 128))
    assert (why.answer.budget, why.answer.fit) == ("headless", Fit.DOES_NOT_FIT)
    assert why.shorter is not None
    assert why.shorter.fits_s == 128.0


def test_weights_that_are_larger_than_the_card_are_reason_enough() -> None:
    small = derived.RTX_4070.model_copy(update={"memory_total_bytes": 8188 * 2**20})
    judgement = judge(derived.derived_record(device=small))
    assert judgement.verdict is Verdict.DOES_NOT_FIT
    why = judgement.why
    assert isinstance(why, PredictedMisfit)
    assert why.weights_bytes is not None
    assert why.weights_bytes > why.available_bytes
    assert why.shorter is None


def test_weights_that_lie_on_the_host_take_nothing_of_the_card() -> None:
    cell = derived.predicted(sample.requested(), need=derived.DOES_NOT_FIT)
    assert cell.envelope is not None
    fewer = cell.envelope.model_copy(update={"weights_bytes": 9_000_000_000})
    small = derived.RTX_4070.model_copy(update={"memory_total_bytes": 9_500 * 2**20})
    record = derived.derived_record([cell.model_copy(update={"envelope": fewer})], device=small)
    why = judge(record).why
    assert isinstance(why, PredictedMisfit)
    assert why.weights_bytes is None


def test_every_clip_with_a_desktop_may_be_too_close() -> None:
    assert limits(of(*needing((10_500, 11_500))))[1] == limit("desktop", None, None, 128, None)


def test_a_plan_of_one_length_says_nothing_of_others() -> None:
    assert limits(of(*needing((9_000, 9_500))))[0] == limit("headless", 10.0, None, 128, None)


def test_a_cpu_is_unknown_with_its_peak() -> None:
    judgement = judge(derived.derived_record(device=sample.CPU))
    assert judgement.verdict is Verdict.UNKNOWN
    assert isinstance(judgement.why, PredictedOnCpu)
    assert judgement.why.cell == shape(600.0, 128)
    assert judgement.why.allocated_peak_bytes is not None


def test_a_cpu_without_a_figure_is_unknown_too() -> None:
    bare = derived.predicted(sample.requested(), sample.CPU).model_copy(update={"envelope": None})
    judgement = judge(derived.derived_record([bare], device=sample.CPU))
    assert judgement.verdict is Verdict.UNKNOWN
    assert judgement.why == PredictedOnCpu(allocated_peak_bytes=None, cell=None)


def test_a_prediction_for_the_tiny_model_says_nothing() -> None:
    judgement = judge(with_model(derived.derived_record(), weight_mode=WeightMode.TINY, repo=None))
    assert judgement.verdict is Verdict.UNKNOWN
    assert judgement.why == PredictedTiny()


def test_all_unsupported_gives_the_reason() -> None:
    reason = FlashAttentionNeedsGpu()
    asked = sample.requested(attention=Attention.FLASH_ATTENTION_2)
    judgement = judge(of(sample.not_measured(asked, unsupported(reason))))
    assert judgement.verdict is Verdict.UNSUPPORTED
    assert judgement.why == NothingSupported(reasons=1, reason=reason)


def test_no_cells_no_knowledge() -> None:
    assert judge(of()).verdict is Verdict.UNKNOWN
    assert judge(of()).why == NoCells()


def test_one_cell_that_fits_is_enough() -> None:
    cells = needing((9_500, 10_000), (10_500, 11_500), (11_500, 12_050), (12_100, 12_900))
    assert [judge(of(cell)).verdict for cell in cells] == [
        Verdict.RUNS,
        Verdict.RUNS_HEADLESS,
        Verdict.TOO_CLOSE_TO_CALL,
        Verdict.DOES_NOT_FIT,
    ]
    assert judge(of(*cells)).verdict is Verdict.RUNS


@given(
    needs=st.lists(st.tuples(st.integers(0, 14_000), st.integers(0, 3_000)), max_size=5),
    headroom=st.sampled_from([None, "headless", "desktop"]),
)
def test_the_sentence_of_a_prediction_is_one_line_and_never_of_a_run(
    needs: list[tuple[int, int]], headroom: derived.Headroom | None
) -> None:
    judgement = judge(of(*needing(*[(low, low + width) for low, width in needs]), headroom=headroom))
    words = sentence(judgement.why)
    assert words.endswith(".")
    assert "\n" not in words
    assert not {"ran", "tok/s", "process peak"} & set(words.rstrip(".").split())
    assert not needs or words.startswith("Predicted, not measured")
