"""The verdict of a record: does the model run on that device, and why do we say so?"""

from dataclasses import dataclass

from bench.judge import why, why_derived
from bench.judge.caveats import caveats, computed_elsewhere, is_smoke
from bench.judge.frontier import frontier, is_misfit
from bench.judge.memory import CardMemory, card_memory, fits_with_desktop, has_spilled
from bench.judge.prediction import Budgets, best, budgets_of, cell_verdict, is_derived
from bench.judge.same_kernels import SameKernels, same_kernels
from bench.records.caveats import RecordCaveat
from bench.records.check import FrontierLine
from bench.records.enums import Verdict
from bench.records.record import CellResult, Record


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a record says.

    `why` is one sentence. `largest` is the cell that it speaks of: the longest clip that ran, with the
    most new tokens among those; None when nothing ran. `memory` is the budget that it was held against,
    `budgets` the same of a prediction. `same_kernels` has the cells that are not comparable, by their ids.
    """

    verdict: Verdict
    why: str
    frontier: tuple[FrontierLine, ...]
    caveats: tuple[RecordCaveat, ...]
    largest: CellResult | None
    memory: CardMemory
    budgets: Budgets
    same_kernels: SameKernels


def judge(record: Record) -> Judgement:
    """Judge one record, from its cells and the budget of its card.

    A smoke run is `unknown` whatever its cells say, and so is a record whose cells computed on another kind
    of device than it is about. One measured cell of the real model that fits beside a desktop is `runs`, and
    so is one where nothing tells; where cells ran and none fits beside a desktop it is `runs_headless`.
    Nothing but out of memory, or but cells that lay partly in system memory, is `does_not_fit`; nothing but
    unsupported is `unsupported`; all else is `unknown`.

    A derived record has the best verdict of its cells; that of a CPU, which has no budget, is `unknown`.
    """
    memory, budgets, alike = card_memory(record), budgets_of(record), same_kernels(record)
    lines = frontier(record, memory, budgets)
    ran = [cell for cell in record.cells if cell.outcome.status == "measured" and not has_spilled(cell)]
    predicted = is_derived(record)
    verdict, sentence = _decide_derived(record, lines, budgets) if predicted else _decide(record, ran, memory)
    return Judgement(
        verdict=verdict,
        why=sentence,
        frontier=lines,
        caveats=caveats(record, budgets, alike),
        largest=max(ran, key=why.size, default=None),
        memory=memory,
        budgets=budgets,
        same_kernels=alike,
    )


def _decide_derived(record: Record, lines: tuple[FrontierLine, ...], budgets: Budgets) -> tuple[Verdict, str]:
    if is_smoke(record):
        return Verdict.UNKNOWN, why_derived.tiny()
    verdict = best([cell_verdict(cell, budgets).verdict for cell in record.cells])
    match verdict:
        case Verdict.RUNS | Verdict.RUNS_HEADLESS:
            return verdict, why_derived.fits(lines)
        case Verdict.TOO_CLOSE_TO_CALL:
            return verdict, why_derived.too_close(record, lines, budgets)
        case Verdict.DOES_NOT_FIT:
            return verdict, why_derived.nothing_fits(record, lines, budgets)
    if record.cells and all(cell.outcome.status == "unsupported" for cell in record.cells):
        return Verdict.UNSUPPORTED, why.unsupported(record)
    on_a_cpu = record.cells and record.device.kind == "cpu"
    return Verdict.UNKNOWN, why_derived.on_a_cpu(record) if on_a_cpu else why.unknown(record)


def _decide(record: Record, ran: list[CellResult], memory: CardMemory) -> tuple[Verdict, str]:
    if is_smoke(record):
        return Verdict.UNKNOWN, why.smoke(record)
    elsewhere = computed_elsewhere(record)
    if elsewhere is not None:
        return Verdict.UNKNOWN, why.elsewhere(record, elsewhere)
    if ran:
        fits = {cell.cell_id: fits_with_desktop(cell, memory, record.emulation) for cell in ran}
        beside = [cell for cell in ran if fits[cell.cell_id]]
        if not beside and None not in fits.values():
            return Verdict.RUNS_HEADLESS, why.runs_headless(record, ran, memory)
        return Verdict.RUNS, why.runs(record, max(ran, key=why.size), beside)
    return _decide_without_runs(record)


def _decide_without_runs(record: Record) -> tuple[Verdict, str]:
    statuses = {cell.outcome.status for cell in record.cells}
    if statuses == {"unsupported"}:
        return Verdict.UNSUPPORTED, why.unsupported(record)
    conclusive = all(is_misfit(cell) or cell.outcome.status == "unsupported" for cell in record.cells)
    if conclusive and any(map(has_spilled, record.cells)):
        return Verdict.DOES_NOT_FIT, why.spilled(record)
    if conclusive and "out_of_memory" in statuses:
        return Verdict.DOES_NOT_FIT, why.nothing_fits(record)
    return Verdict.UNKNOWN, why.unknown(record)
