"""Predicted needs against the budgets of a card, both as intervals in bytes. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from bench.hardware.budget import fit, less, typical_bytes
from bench.records.base import ByteInterval
from bench.records.cell import CellResult, Predicted, Unsupported
from bench.records.enums import AttentionKernel, Fit, Provenance, Verdict
from bench.records.prediction import Derivation, Envelope, LongestClip
from bench.records.reasons import UnsupportedReason
from bench.records.record import Record
from bench.records.verdicts import (
    Budget,
    BudgetAnswer,
    CardMemoryUnknown,
    CellReason,
    CpuHasNoBudget,
    HeldAgainstBudgets,
    NoPrediction,
    StatedReason,
)

ORDER: Final = tuple(Verdict)
"""From the best to the worst: a cell that needs more never has a better verdict than one that needs less."""
_NOT_ABOUT_MEMORY: Final = {Verdict.UNSUPPORTED, Verdict.UNKNOWN}


@dataclass(frozen=True, slots=True)
class Budgets:
    """Bytes that a card leaves for one program, CUDA context included.

    `low` is available on every machine whose figures the terms name, more than `high` on none of them.
    `*_typical_bytes` is what typical figures leave for the framework's allocator, after the CUDA context.
    None: not requested, or not known; all are None for a CPU, which has no budget (`on_cpu`).
    """

    headless: ByteInterval | None = None
    desktop: ByteInterval | None = None
    on_cpu: bool = False
    headless_typical_bytes: int | None = None
    desktop_typical_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class CellFit:
    """Whether a predicted cell fits each budget; None for a budget that was not requested or is not known.

    `*_likely`: whether it likely fits, None also where the record has no typical figures.
    """

    headless: Fit | None = None
    desktop: Fit | None = None
    headless_likely: bool | None = None
    desktop_likely: bool | None = None


@dataclass(frozen=True, slots=True)
class CellVerdict:
    """The verdict of one predicted cell, and why."""

    verdict: Verdict
    why: CellReason


def is_derived(record: Record) -> bool:
    """Whether the record is a prediction, for which nothing ran."""
    return record.provenance is Provenance.DERIVED


def budgets_of(record: Record) -> Budgets:
    """Return the budgets of a derived record, from its own terms.

    headless = total - driver reserve; desktop = headless - use of a desktop.
    """
    if record.device.kind == "cpu":
        return Budgets(on_cpu=True)
    if record.derivation is None:
        return Budgets()
    return budgets_from(record.derivation, record.device.memory_total_bytes)


def budgets_from(terms: Derivation, total_bytes: int | None) -> Budgets:
    """The budgets of a card with this total by the terms of a derivation."""
    reserve, desktop, context = terms.driver_reserve, terms.desktop, terms.context
    if total_bytes is None or reserve is None or desktop is None:
        return Budgets()
    headless = less(ByteInterval(low=total_bytes, high=total_bytes), reserve)
    typical = typical_bytes(total_bytes, reserve, context)
    with_desktop = typical_bytes(total_bytes, reserve, context, desktop)
    budgets = Budgets(headless, less(headless, desktop), False, typical, with_desktop)
    match terms.headroom:
        case "headless":
            return replace(budgets, desktop=None, desktop_typical_bytes=None)
        case "desktop":
            return replace(budgets, headless=None, headless_typical_bytes=None)
        case None:
            return budgets


def likely_fits(envelope: Envelope | None, answer: Fit, typical: int | None) -> bool | None:
    """Whether the most that is reserved is within what typical costs leave; None where that is not known.

    What fits for certain likely fits, and what cannot fit does not: typical costs lie in their ranges.
    """
    if envelope is None or envelope.reserved_peak_bytes is None or typical is None:
        return None
    if answer is not Fit.TOO_CLOSE_TO_CALL:
        return answer is Fit.FITS
    return envelope.reserved_peak_bytes.high <= typical


def need_of(cell: CellResult) -> ByteInterval | None:
    """Bytes that a card must have for a predicted cell; None where nothing was predicted for a card."""
    if not isinstance(cell.outcome, Predicted) or cell.envelope is None:
        return None
    return cell.envelope.device_peak_bytes


def kernels_of(cells: Iterable[CellResult]) -> tuple[AttentionKernel, ...]:
    """The attention kernels of predicted cells, each once; empty where they do not name them."""
    found = (cell.envelope.attention_kernel for cell in cells if cell.envelope is not None)
    return tuple(dict.fromkeys(kernel for kernel in found if kernel is not None))


def cell_fit(cell: CellResult, budgets: Budgets) -> CellFit:
    """Whether a predicted cell fits the budgets of its record's card."""
    found = {answer.budget: answer for answer in _answers(cell, budgets)}
    headless, desktop = found.get("headless"), found.get("desktop")
    return CellFit(
        headless=headless.fit if headless else None,
        desktop=desktop.fit if desktop else None,
        headless_likely=headless.likely_fits if headless else None,
        desktop_likely=desktop.likely_fits if desktop else None,
    )


def cell_verdict(cell: CellResult, budgets: Budgets) -> CellVerdict:
    """The verdict of one cell of a derived record, and why.

    `runs` fits with a desktop, `runs_headless` fits only without one. Where only one budget was requested,
    it alone decides. A cell fits, or does not, only where this holds for the whole interval.
    """
    if isinstance(cell.outcome, Unsupported):
        return CellVerdict(Verdict.UNSUPPORTED, unsupported_reason(cell.outcome))
    answers = _answers(cell, budgets)
    if not answers:
        return CellVerdict(Verdict.UNKNOWN, _no_answer(cell, budgets))
    by_budget = {answer.budget: answer for answer in answers}
    if "desktop" in by_budget and by_budget["desktop"].fit is Fit.FITS:
        return CellVerdict(Verdict.RUNS, HeldAgainstBudgets(answers=(by_budget["desktop"],)))
    if answers[0].fit is Fit.FITS:
        return CellVerdict(Verdict.RUNS_HEADLESS, HeldAgainstBudgets(answers=answers))
    misfit = answers[0].fit is Fit.DOES_NOT_FIT
    verdict = Verdict.DOES_NOT_FIT if misfit else Verdict.TOO_CLOSE_TO_CALL
    return CellVerdict(verdict, HeldAgainstBudgets(answers=answers[:1]))


def unsupported_reason(outcome: Unsupported) -> UnsupportedReason | StatedReason:
    """The typed reason; of a record of schema 1.0 the sentence that it states."""
    return outcome.reason_code or StatedReason(text=outcome.reason)


def best(verdicts: Sequence[Verdict]) -> Verdict | None:
    """The best of several verdicts about memory; None where there is none."""
    return min(set(verdicts) - _NOT_ABOUT_MEMORY, key=ORDER.index, default=None)


def lines(record: Record) -> tuple[LongestClip, ...]:
    """The predicted frontier in whole seconds, empty where the record has none."""
    return () if record.derivation is None else record.derivation.longest_clips


def _answers(cell: CellResult, budgets: Budgets) -> tuple[BudgetAnswer, ...]:
    """Return an answer for each requested budget, headless first; none if nothing can be compared."""
    need = need_of(cell)
    if need is None:
        return ()
    known: tuple[tuple[Budget, ByteInterval | None, int | None], ...] = (
        ("headless", budgets.headless, budgets.headless_typical_bytes),
        ("desktop", budgets.desktop, budgets.desktop_typical_bytes),
    )
    return tuple(
        BudgetAnswer(
            budget=budget,
            fit=(answer := fit(need, there)),
            need_bytes=need,
            available_bytes=there,
            likely_fits=likely_fits(cell.envelope, answer, typical),
        )
        for budget, there, typical in known
        if there is not None
    )


def _no_answer(cell: CellResult, budgets: Budgets) -> CellReason:
    figures = cell.envelope
    if figures is None:
        return NoPrediction()
    if budgets.on_cpu:
        return CpuHasNoBudget(allocated_peak_bytes=figures.allocated_peak_bytes)
    return CardMemoryUnknown()
