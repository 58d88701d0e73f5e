"""The verdict of a prediction, and of a record that says nothing about memory."""

from collections import Counter
from collections.abc import Sequence

from bench.judge.caveats import is_smoke
from bench.judge.frontier import shape_of, size
from bench.judge.prediction import Budgets, best, cell_verdict, unsupported_reason
from bench.records.cell import CellResult, Unsupported
from bench.records.check import FrontierLine, PredictedLengths
from bench.records.enums import Verdict
from bench.records.record import Record
from bench.records.verdicts import (
    Budget,
    BudgetAnswer,
    BudgetLimit,
    HeldAgainstBudgets,
    NoCells,
    NothingFinished,
    NothingSupported,
    OnlyPredictions,
    PredictedFit,
    PredictedMisfit,
    PredictedOnCpu,
    PredictedTiny,
    PredictedTooClose,
    RecordReason,
)


def decide_predicted(
    record: Record, lines: Sequence[FrontierLine], budgets: Budgets
) -> tuple[Verdict, RecordReason]:
    """The best verdict of the cells of a derived record, and why."""
    if is_smoke(record):
        return Verdict.UNKNOWN, PredictedTiny()
    verdict = best([cell_verdict(cell, budgets).verdict for cell in record.cells])
    match verdict:
        case Verdict.RUNS | Verdict.RUNS_HEADLESS:
            return verdict, PredictedFit(limits=budget_limits(lines))
        case Verdict.TOO_CLOSE_TO_CALL:
            smallest, answer = _smallest(record, verdict, budgets)
            close = PredictedTooClose(smallest=shape_of(smallest), answer=answer, shorter=_shorter(lines))
            return verdict, close
        case Verdict.DOES_NOT_FIT:
            return verdict, _misfit(record, lines, budgets)
    if record.cells and record.device.kind == "cpu" and not _all_unsupported(record):
        return Verdict.UNKNOWN, _on_a_cpu(record)
    return nothing_known(record)


def nothing_known(record: Record) -> tuple[Verdict, RecordReason]:
    """Return the verdict of a record without a cell that has memory figures."""
    if _all_unsupported(record):
        outcomes = [cell.outcome for cell in record.cells if isinstance(cell.outcome, Unsupported)]
        reasons = {unsupported_reason(outcome) for outcome in outcomes if outcome.reason}
        only = next(iter(reasons)) if len(reasons) == 1 else None
        return Verdict.UNSUPPORTED, NothingSupported(reasons=len(reasons), reason=only)
    statuses = Counter(cell.outcome.status for cell in record.cells)
    if not statuses:
        return Verdict.UNKNOWN, NoCells()
    if set(statuses) == {"predicted"}:
        return Verdict.UNKNOWN, OnlyPredictions()
    return Verdict.UNKNOWN, NothingFinished(statuses=dict(statuses))


def _all_unsupported(record: Record) -> bool:
    return {cell.outcome.status for cell in record.cells} == {"unsupported"}


def _misfit(record: Record, lines: Sequence[FrontierLine], budgets: Budgets) -> PredictedMisfit:
    smallest, answer = _smallest(record, Verdict.DOES_NOT_FIT, budgets)
    available = max(there.high for there in (budgets.headless, budgets.desktop) if there is not None)
    weights = min(cell.envelope.weights_bytes for cell in record.cells if cell.envelope is not None)
    return PredictedMisfit(
        weights_bytes=weights if weights > available else None,
        available_bytes=round(available),
        smallest=shape_of(smallest),
        answer=answer,
        shorter=_shorter(lines),
    )


def _smallest(record: Record, verdict: Verdict, budgets: Budgets) -> tuple[CellResult, BudgetAnswer]:
    """The smallest cell with this verdict, and the answer that decides it."""
    found = [
        (cell, judged.why.answers[0])
        for cell in record.cells
        if (judged := cell_verdict(cell, budgets)).verdict is verdict
        and isinstance(judged.why, HeldAgainstBudgets)
    ]
    return min(found, key=lambda pair: size(pair[0]))


def _on_a_cpu(record: Record) -> PredictedOnCpu:
    peaks = [(cell.envelope.allocated_peak_bytes, cell) for cell in record.cells if cell.envelope is not None]
    peak, cell = max(peaks, key=lambda pair: pair[0], default=(None, None))
    return PredictedOnCpu(allocated_peak_bytes=peak, cell=None if cell is None else shape_of(cell))


# --- the limit of each budget -----------------------------------------------------------------------------


def budget_limits(lines: Sequence[FrontierLine]) -> tuple[BudgetLimit, ...]:
    """For each known budget the most informative line, headless first.

    That is the line of the longest clip that fits, else that likely fits, with the most new tokens; where
    none does, the line with the fewest new tokens.
    """
    headless = [
        _limit("headless", line, line.predicted_headless) for line in lines if line.predicted_headless
    ]
    desktop = [_limit("desktop", line, line.predicted_desktop) for line in lines if line.predicted_desktop]
    return tuple(_furthest(limits) for limits in (headless, desktop) if limits)


def _limit(budget: Budget, line: FrontierLine, lengths: PredictedLengths) -> BudgetLimit:
    return BudgetLimit(
        budget=budget, **lengths.model_dump(), max_tokens=line.max_tokens, context_s=line.context_s
    )


def _furthest(limits: Sequence[BudgetLimit]) -> BudgetLimit:
    fitting = [limit for limit in limits if limit.fits_s is not None or limit.likely_fits_s is not None]
    if not fitting:
        return min(limits, key=lambda limit: limit.max_tokens)
    return max(fitting, key=lambda limit: (limit.fits_s or 0.0, limit.likely_fits_s or 0.0, limit.max_tokens))


def _shorter(lines: Sequence[FrontierLine]) -> BudgetLimit | None:
    """Return the limit that still fits or likely fits, below all requested lengths."""
    limits = budget_limits(lines)
    fits_somewhere = any(limit.fits_s or limit.likely_fits_s for limit in limits)
    return limits[0] if fits_somewhere else None
