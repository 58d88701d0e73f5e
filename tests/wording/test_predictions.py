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
        (
            "headless: at most 11.81 GB (11.00 GiB) needed, at least 11.81 GB (11.00 GiB) "
            "available; with a desktop: at least 12.88 GB (12.00 GiB) needed, at most "
            "11.81 GB (11.00 GiB) available"
        ),
    ),
    (
        verdicts.HeldAgainstBudgets(answers=(CLOSE,)),
        (
            "headless: 10.74 GB (10.00 GiB) to 12.88 GB (12.00 GiB) needed, 11.81 GB "
            "(11.00 GiB) available (too close to call, run it)"
        ),
    ),
    (
        verdicts.HeldAgainstBudgets(answers=(CLOSE.model_copy(update={"likely_fits": True}),)),
        (
            "headless: 10.74 GB (10.00 GiB) to 12.88 GB (12.00 GiB) needed, 11.81 GB "
            "(11.00 GiB) available (likely fits)"
        ),
    ),
    (
        verdicts.HeldAgainstBudgets(answers=(CLOSE.model_copy(update={"likely_fits": False}),)),
        (
            "headless: 10.74 GB (10.00 GiB) to 12.88 GB (12.00 GiB) needed, 11.81 GB "
            "(11.00 GiB) available (probably does not fit)"
        ),
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


def likely(budget: Budget, fits_s: float | None, likely_s: float | None, misfit_s: float) -> BudgetLimit:
    known = {"likely_fits_s": likely_s, "likely_is_known": True}
    return limit(budget, fits_s, misfit_s).model_copy(update=known)


def fit(*limits: BudgetLimit) -> PredictionReason:
    return verdicts.PredictedFit(limits=limits)


SENTENCES: Final[list[tuple[PredictionReason, str]]] = [
    (
        verdicts.PredictedTiny(),
        "Predicted, not measured, for a tiny model: this does not show whether the real model runs.",
    ),
    (
        fit(limit("headless", 128.0, 342.0, 1024), limit("desktop", None, 303.0)),
        (
            "Predicted, not measured: headless, 1,024 new tokens: fits up to 128 s (2 min "
            "8 s), does not fit from 342 s (5 min 42 s); with a desktop, 128 new tokens: "
            "no clip is known to fit, does not fit from 303 s (5 min 3 s)."
        ),
    ),
    (
        fit(likely("headless", 128.0, 200.0, 342.0), likely("desktop", None, 60.0, 303.0)),
        (
            "Predicted, not measured: headless, 128 new tokens: fits up to 128 s (2 min 8 "
            "s), likely fits up to 200 s (3 min 20 s), does not fit from 342 s (5 min 42 "
            "s); with a desktop, 128 new tokens: no clip is known to fit, likely fits up "
            "to 60 s, does not fit from 303 s (5 min 3 s)."
        ),
    ),
    (
        fit(likely("headless", 128.0, 128.0, 342.0), likely("desktop", None, None, 303.0)),
        (
            "Predicted, not measured: headless, 128 new tokens: fits up to 128 s (2 min 8 "
            "s), does not fit from 342 s (5 min 42 s); with a desktop, 128 new tokens: no "
            "clip is known to fit, none likely fits, does not fit from 303 s (5 min 3 s)."
        ),
    ),
    (
        fit(limit("headless", 3263.0, None), limit("desktop", None, 1.0)),
        (
            "Predicted, not measured: headless, 128 new tokens: fits up to 3263 s (54 min "
            "23 s), the longest clip that the model's context allows; with a desktop: no "
            "clip fits."
        ),
    ),
    (
        fit(limit("headless", 10.0, None, context_s=None), limit("desktop", None, 60.0, context_s=None)),
        (
            "Predicted, not measured: headless, 128 new tokens: fits up to 10 s, longer "
            "clips were not requested; with a desktop, 128 new tokens: no requested clip "
            "is known to fit, does not fit from 60 s."
        ),
    ),
    (
        fit(limit("headless", 10.0, None), limit("desktop", None, None)),
        (
            "Predicted, not measured: headless, 128 new tokens: fits up to 10 s; with a "
            "desktop, 128 new tokens: no clip is known to fit."
        ),
    ),
    (
        verdicts.PredictedTooClose(smallest=SHAPE, answer=CLOSE, shorter=limit("headless", 128.0, 342.0)),
        (
            "Predicted, not measured: the smallest clip is 300 s (5 min) with 128 new "
            "tokens; headless: 10.74 GB (10.00 GiB) to 12.88 GB (12.00 GiB) needed, 11.81 "
            "GB (11.00 GiB) available (too close to call, run it); headless, 128 new "
            "tokens: fits up to 128 s (2 min 8 s), does not fit from 342 s (5 min 42 s)."
        ),
    ),
    (
        verdicts.PredictedMisfit(
            weights_bytes=None, available_bytes=11 * GIB, smallest=SHAPE, answer=MISFIT, shorter=None
        ),
        (
            "Predicted, not measured: no requested clip fits; the smallest clip is 300 s "
            "(5 min) with 128 new tokens; with a desktop: at least 12.88 GB (12.00 GiB) "
            "needed, at most 11.81 GB (11.00 GiB) available."
        ),
    ),
    (
        verdicts.PredictedMisfit(
            weights_bytes=12 * GIB, available_bytes=11 * GIB, smallest=SHAPE, answer=MISFIT, shorter=None
        ),
        (
            "Predicted, not measured: no requested clip fits; the weights alone need 12.88 "
            "GB (12.00 GiB), at most 11.81 GB (11.00 GiB) is available."
        ),
    ),
    (
        verdicts.PredictedOnCpu(allocated_peak_bytes=12 * GIB, cell=SHAPE),
        (
            "Predicted, not measured, for a CPU, which has no VRAM budget. The highest "
            "predicted peak is 12.88 GB (12.00 GiB), for 300 s (5 min) with 128 new tokens."
        ),
    ),
    (
        verdicts.PredictedOnCpu(allocated_peak_bytes=None, cell=None),
        "Predicted, not measured, for a CPU, which has no VRAM budget.",
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
