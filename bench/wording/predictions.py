"""Sentences about predictions. None of them says that anything ran."""

from collections.abc import Sequence
from typing import Final, assert_never

from bench import units
from bench.records import verdicts
from bench.records.base import ByteInterval
from bench.records.enums import Fit
from bench.records.reasons import CellShape
from bench.records.verdicts import Budget, BudgetAnswer, BudgetLimit, CellReason
from bench.wording import outcomes
from bench.wording.phrases import length, plural, shape

_HEAD: Final = "Predicted, not measured"
_BUDGETS: Final[dict[Budget, str]] = {"headless": "headless", "desktop": "with a desktop"}
_SHORTEST_S: Final = 1.0  # of a predicted line


# --- one cell ---------------------------------------------------------------------------------------------


def cell(why: CellReason) -> str:
    """Why a predicted cell has its verdict: no whole sentence, for it goes behind the verdict."""
    match why:
        case verdicts.HeldAgainstBudgets(answers=answers):
            return "; ".join(map(_answer, answers))
        case verdicts.NoPrediction():
            return "nothing was predicted"
        case verdicts.CpuHasNoBudget(allocated_peak_bytes=peak):
            return f"a CPU has no VRAM budget; the predicted peak is {units.both_units(peak)}"
        case verdicts.CardMemoryUnknown():
            return "the memory of the card is not known"
        case verdicts.TotalUnknown():
            return "no total is known"
        case verdicts.StatedReason(text=text):
            return text
        case _:
            return outcomes.reason(why)


def _answer(answer: BudgetAnswer) -> str:
    need, there = answer.need_bytes, answer.available_bytes
    match answer.fit:
        case Fit.FITS:
            figures = f"at most {_size(need.high)} needed, at least {_size(there.low)} available"
        case Fit.DOES_NOT_FIT:
            figures = f"at least {_size(need.low)} needed, at most {_size(there.high)} available"
        case Fit.TOO_CLOSE_TO_CALL:
            between = f"{span(need)} needed, {span(there)} available"
            figures = f"{between} ({likelihood(answer.likely_fits)})"
        case _:
            assert_never(answer.fit)
    return f"{_BUDGETS[answer.budget]}: {figures}"


def likelihood(likely: bool | None) -> str:
    """Return the words for a cell that is too close to call: `likely fits`, by typical figures."""
    return {True: "likely fits", False: "probably does not fit", None: "too close to call, run it"}[likely]


def span(size: ByteInterval) -> str:
    """`10.78 GB (10.04 GiB) to 11.52 GB (10.73 GiB)`; one figure where both ends read the same."""
    low, high = _size(size.low), _size(size.high)
    return low if low == high else f"{low} to {high}"


def _size(size: float) -> str:
    return units.both_units(round(size))


# --- the whole prediction ---------------------------------------------------------------------------------


def sentence(why: verdicts.PredictionReason, *, with_head: bool = True) -> str:
    """Why a prediction has its verdict; `with_head` false: where it can, without saying that it is one."""
    match why:
        case verdicts.PredictedTiny():
            return f"{_HEAD}, for a tiny model: this does not show whether the real model runs."
        case verdicts.PredictedOnCpu(allocated_peak_bytes=int(peak), cell=CellShape() as largest):
            return (
                f"{_HEAD}, for a CPU, which has no VRAM budget. The highest predicted peak is "
                f"{units.both_units(peak)}, for {shape(largest)}."
            )
        case verdicts.PredictedOnCpu():
            return f"{_HEAD}, for a CPU, which has no VRAM budget."
        case _:
            return f"{_HEAD}: {_against_budgets(why)}." if with_head else f"{_against_budgets(why)}."


def _against_budgets(
    why: verdicts.PredictedFit | verdicts.PredictedTooClose | verdicts.PredictedMisfit,
) -> str:
    match why:
        case verdicts.PredictedFit(limits=limits):
            return _limits(limits)
        case verdicts.PredictedTooClose(smallest=smallest, answer=answer, shorter=shorter):
            return f"{_smallest(smallest, answer)}{_shorter(shorter)}"
        case verdicts.PredictedMisfit(smallest=smallest, answer=answer, shorter=shorter):
            because = _weights(why) or _smallest(smallest, answer)
            return f"no requested clip fits; {because}{_shorter(shorter)}"
        case _:
            assert_never(why)


def _smallest(smallest: CellShape, answer: BudgetAnswer) -> str:
    return f"the smallest clip is {shape(smallest)}; {_answer(answer)}"


def _weights(why: verdicts.PredictedMisfit) -> str:
    """Where the weights alone are more than the card has, nothing else matters."""
    if why.weights_bytes is None:
        return ""
    there = units.both_units(why.available_bytes)
    return f"the weights alone need {units.both_units(why.weights_bytes)}, at most {there} is available"


def _shorter(limit: BudgetLimit | None) -> str:
    return "" if limit is None else f"; {_limit(limit)}"


def _limits(limits: Sequence[BudgetLimit]) -> str:
    return "; ".join(map(_limit, limits))


def _limit(limit: BudgetLimit) -> str:
    """`headless: fits up to 128 s (2 min 8 s), likely fits up to 184 s (3 min 4 s), ...`."""
    asked_for = limit.context_s is None
    if (
        limit.fits_s is None
        and limit.misfit_s is not None
        and limit.misfit_s <= _SHORTEST_S
        and not asked_for
    ):
        return f"{_BUDGETS[limit.budget]}: no clip fits"
    tokens = f"{limit.max_tokens:,} new {plural('token', limit.max_tokens)}"
    parts = ", ".join(filter(None, (_fits(limit), _likely(limit), _misfit(limit))))
    return f"{_BUDGETS[limit.budget]}, {tokens}: {parts}"


def _fits(limit: BudgetLimit) -> str:
    if limit.fits_s is None:
        return f"no {'requested ' if limit.context_s is None else ''}clip is known to fit"
    whole = ", the longest clip that the model's context allows" if limit.fits_s == limit.context_s else ""
    return f"fits up to {length(limit.fits_s)}{whole}"


def _likely(limit: BudgetLimit) -> str:
    """Empty where it says no more than what certainly fits."""
    if not limit.likely_is_known or (limit.fits_s is not None and limit.likely_fits_s == limit.fits_s):
        return ""
    return (
        "none likely fits"
        if limit.likely_fits_s is None
        else f"likely fits up to {length(limit.likely_fits_s)}"
    )


def _misfit(limit: BudgetLimit) -> str:
    if limit.misfit_s is not None:
        return f"does not fit from {length(limit.misfit_s)}"
    return "longer clips were not requested" if limit.context_s is None else ""
