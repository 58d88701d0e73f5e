"""One sentence for each reason of a prediction's verdict, and of a predicted cell's."""

from typing import Final

import pytest

from bench.records import verdicts
from bench.records.base import ByteInterval
from bench.records.enums import Fit
from bench.records.reasons import CellShape, FlashAttentionNotInstalled, UnsupportedReason
from bench.records.verdicts import Budget, BudgetAnswer, BudgetLimit, CellReason, PredictionReason
from bench.wording import predictions
from tests.wording.unions import members

GIB: Final = 2**30
SHAPE: Final = CellShape(clip_seconds=300.0, max_tokens=128)


def answer(budget: Budget, fit: Fit, need: tuple[int, int], there: tuple[int, int]) -> BudgetAnswer:
    """Sizes in GiB."""
    need_bytes, available_bytes = (
        ByteInterval(low=low * GIB, high=high * GIB) for low, high in (need, there)
    )
    return BudgetAnswer(budget=budget, fit=fit, need_bytes=need_bytes, available_bytes=available_bytes)


FITS: Final = answer("headless", Fit.FITS, (10, 11), (11, 12))
CLOSE: Final = answer("headless", Fit.TOO_CLOSE_TO_CALL, (10, 12), (11, 11))
MISFIT: Final = answer("desktop", Fit.DOES_NOT_FIT, (12, 13), (10, 11))

CELLS: Final[list[tuple[CellReason, str]]] = [
    (
        verdicts.HeldAgainstBudgets(answers=(FITS, MISFIT)),
        "headless it needs at most 11.81 GB (11.00 GiB), and at least 11.81 GB (11.00 GiB) is there; "
        "beside a desktop it needs at least 12.88 GB (12.00 GiB), and at most 11.81 GB (11.00 GiB) is there",
    ),
    (
        verdicts.HeldAgainstBudgets(answers=(CLOSE,)),
        "headless it needs 10.74 GB (10.00 GiB) to 12.88 GB (12.00 GiB), and 11.81 GB (11.00 GiB) "
        "is there: too close to call, run it",
    ),
    (verdicts.NoPrediction(), "nothing was predicted"),
    (
        verdicts.CpuHasNoBudget(allocated_peak_bytes=10 * GIB),
        "a CPU has no VRAM budget; the predicted peak is 10.74 GB (10.00 GiB)",
    ),
    (verdicts.CardMemoryUnknown(), "the memory of the card is not known"),
    (verdicts.TotalUnknown(), "no total is known"),
    (verdicts.StatedReason(text="sold with two sizes"), "sold with two sizes"),
    (FlashAttentionNotInstalled(), "the package flash-attn is not installed"),
]


@pytest.mark.parametrize(("why", "words"), CELLS, ids=lambda value: getattr(value, "code", ""))
def test_each_reason_of_a_cell_has_its_words(why: CellReason, words: str) -> None:
    assert predictions.cell(why) == words


def limit(
    budget: Budget,
    fits_s: float | None,
    misfit_s: float | None,
    tokens: int = 128,
    context_s: float | None = 3263.0,
) -> BudgetLimit:
    return BudgetLimit(
        budget=budget, fits_s=fits_s, misfit_s=misfit_s, max_tokens=tokens, context_s=context_s
    )


def fit(*limits: BudgetLimit) -> PredictionReason:
    return verdicts.PredictedFit(limits=limits)


SENTENCES: Final[list[tuple[PredictionReason, str]]] = [
    (
        verdicts.PredictedTiny(),
        "Derived, not measured, and for a tiny model, which says nothing about whether the real model runs.",
    ),
    (
        fit(limit("headless", 128.0, 342.0, 1024), limit("desktop", None, 303.0)),
        "Derived, not measured: headless clips of up to 128 s (2 min 8 s) with 1,024 new tokens surely fit, "
        "those from 342 s (5 min 42 s) on do not; beside a desktop no clip surely fits, and from 303 s "
        "(5 min 3 s) with 128 new tokens on none does.",
    ),
    (
        fit(limit("headless", 3263.0, None), limit("desktop", None, 1.0)),
        "Derived, not measured: headless clips of up to 3263 s (54 min 23 s) with 128 new tokens surely fit, "
        "the longest that the model's context holds; beside a desktop no clip fits.",
    ),
    (
        fit(limit("headless", 10.0, None, context_s=None), limit("desktop", None, 60.0, context_s=None)),
        "Derived, not measured: headless clips of up to 10 s with 128 new tokens surely fit, longer ones "
        "were not looked for; beside a desktop none that was asked for surely fits: clips from 60 s with 128 "
        "new tokens on do not, shorter ones were not looked for.",
    ),
    (
        fit(limit("headless", 10.0, None), limit("desktop", None, None)),
        "Derived, not measured: headless clips of up to 10 s with 128 new tokens surely fit; beside a "
        "desktop every clip is too close to call.",
    ),
    (
        fit(limit("desktop", None, None, context_s=None)),
        "Derived, not measured: beside a desktop every clip that was asked for is too close to call.",
    ),
    (
        verdicts.PredictedTooClose(smallest=SHAPE, answer=CLOSE, shorter=limit("headless", 128.0, 342.0)),
        "Derived, not measured: a clip of 300 s (5 min) with 128 new tokens is the smallest, and headless it "
        "needs 10.74 GB (10.00 GiB) to 12.88 GB (12.00 GiB), and 11.81 GB (11.00 GiB) is there: too close to "
        "call, run it; headless clips of up to 128 s (2 min 8 s) with 128 new tokens surely fit, those from "
        "342 s (5 min 42 s) on do not.",
    ),
    (
        verdicts.PredictedMisfit(
            weights_bytes=None, available_bytes=11 * GIB, smallest=SHAPE, answer=MISFIT, shorter=None
        ),
        "Derived, not measured: nothing that was asked for fits; a clip of 300 s (5 min) with 128 new tokens "
        "is the smallest, and beside a desktop it needs at least 12.88 GB (12.00 GiB), and at most 11.81 GB "
        "(11.00 GiB) is there.",
    ),
    (
        verdicts.PredictedMisfit(
            weights_bytes=12 * GIB, available_bytes=11 * GIB, smallest=SHAPE, answer=MISFIT, shorter=None
        ),
        "Derived, not measured: nothing that was asked for fits; the weights alone take 12.88 GB (12.00 GiB) "
        "and at most 11.81 GB (11.00 GiB) is there.",
    ),
    (
        verdicts.PredictedOnCpu(allocated_peak_bytes=12 * GIB, cell=SHAPE),
        "Derived, not measured, for a CPU, which has no VRAM budget to hold it against: the highest "
        "predicted peak is 12.88 GB (12.00 GiB), of 300 s (5 min) with 128 new tokens.",
    ),
    (
        verdicts.PredictedOnCpu(allocated_peak_bytes=None, cell=None),
        "Derived, not measured, for a CPU, which has no VRAM budget to hold anything against.",
    ),
]


@pytest.mark.parametrize(("why", "words"), SENTENCES, ids=lambda value: getattr(value, "code", ""))
def test_each_reason_has_its_sentence(why: PredictionReason, words: str) -> None:
    assert predictions.sentence(why) == words


def test_no_reason_is_missing_from_the_tables() -> None:
    assert {type(why) for why, _ in SENTENCES} == members(PredictionReason)
    others = members(CellReason) - members(UnsupportedReason)
    assert {type(why) for why, _ in CELLS} - members(UnsupportedReason) == others


def test_one_figure_where_both_ends_read_the_same() -> None:
    assert predictions.span(ByteInterval(low=10**10, high=10**10 + 1)) == "10.00 GB (9.31 GiB)"
