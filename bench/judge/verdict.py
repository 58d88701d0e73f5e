"""The verdict of a record, with its reason, limits and caveats. Pure."""

from dataclasses import dataclass

from bench.judge.caveats import caveats, computed_elsewhere, is_smoke
from bench.judge.frontier import frontier, is_misfit, shape_of, size
from bench.judge.memory import (
    CardMemory,
    card_memory,
    fits_with_desktop,
    has_spilled,
    is_emulated,
    needed_bytes,
    peak_of,
    ran_out_while_contended,
)
from bench.judge.predicted_verdict import decide_predicted, nothing_known
from bench.judge.prediction import Budgets, budgets_of, is_derived
from bench.judge.same_kernels import SameKernels, same_kernels
from bench.records.caveats import RecordCaveat
from bench.records.cell import CellResult
from bench.records.check import FrontierLine
from bench.records.enums import Verdict
from bench.records.reasons import CellShape
from bench.records.record import Record
from bench.records.verdicts import (
    EverythingSpilled,
    LargestRun,
    MemoryFigure,
    NothingFits,
    OtherDeviceComputed,
    Ran,
    RanHeadless,
    RecordReason,
    SmokeRun,
)


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict of a record and what it was decided from.

    `largest` is the longest clip that ran, with the most new tokens among those; None when nothing ran.
    `memory` is the measured budget of its card, `budgets` those of a prediction. `same_kernels` has
    the cells that are not comparable, by their ids.
    """

    verdict: Verdict
    why: RecordReason
    frontier: tuple[FrontierLine, ...]
    caveats: tuple[RecordCaveat, ...]
    largest: CellResult | None
    memory: CardMemory
    budgets: Budgets
    same_kernels: SameKernels


def judge(record: Record) -> Judgement:
    """Judge one record, from its cells and the budget of its card.

    A smoke run is `unknown` whatever its cells say, and so is a record whose cells computed on another kind
    of device than it is about. One measured cell of the real model that fits with a desktop is `runs`, and so
    is one for which this is not known; where cells ran and none fits with a desktop it is `runs_headless`.
    Only cells that ran out of memory or lay partly in system memory is `does_not_fit`; only unsupported ones
    is `unsupported`; all else is `unknown`.

    A derived record has the best verdict of its cells; that of a CPU, which has no budget, is `unknown`.
    """
    memory, budgets, alike = card_memory(record), budgets_of(record), same_kernels(record)
    lines = frontier(record, memory, budgets)
    ran = [cell for cell in record.cells if cell.outcome.status == "measured" and not has_spilled(cell)]
    predicted = is_derived(record)
    verdict, why = decide_predicted(record, lines, budgets) if predicted else _decide(record, ran, memory)
    return Judgement(
        verdict=verdict,
        why=why,
        frontier=lines,
        caveats=caveats(record, budgets, alike),
        largest=max(ran, key=size, default=None),
        memory=memory,
        budgets=budgets,
        same_kernels=alike,
    )


def _decide(record: Record, ran: list[CellResult], memory: CardMemory) -> tuple[Verdict, RecordReason]:
    if is_smoke(record):
        done = sum(cell.outcome.status == "measured" for cell in record.cells)
        return Verdict.UNKNOWN, SmokeRun(ran=done, cells=len(record.cells))
    elsewhere = computed_elsewhere(record)
    if elsewhere is not None:
        return Verdict.UNKNOWN, OtherDeviceComputed(device_kind=elsewhere, device=record.device.name)
    if ran:
        return _decide_what_ran(record, ran, memory)
    conclusive = all(is_misfit(cell) or cell.outcome.status == "unsupported" for cell in record.cells)
    spilled = [cell for cell in record.cells if has_spilled(cell)]
    if conclusive and spilled:
        return Verdict.DOES_NOT_FIT, EverythingSpilled(smallest=shape_of(min(spilled, key=size)))
    if conclusive and any(cell.outcome.status == "out_of_memory" for cell in record.cells):
        why = NothingFits(smallest=_smallest_misfit(record), emulated_total_bytes=_emulated_bytes(record))
        return Verdict.DOES_NOT_FIT, why
    return nothing_known(record)


def _decide_what_ran(
    record: Record, ran: list[CellResult], memory: CardMemory
) -> tuple[Verdict, RecordReason]:
    fits = [(cell, fits_with_desktop(cell, memory, record.emulation)) for cell in ran]
    largest, total = max(ran, key=size), _emulated_bytes(record)
    if all(fit is False for _, fit in fits):
        needs = [need for cell in ran if (need := needed_bytes(cell, record.emulation)) is not None]
        return Verdict.RUNS_HEADLESS, RanHeadless(
            largest=_largest_run(record, largest),
            emulated_total_bytes=total,
            least_needed_bytes=min(needs, default=None),
            desktop_bytes=memory.desktop_bytes,
        )
    with_desktop = max((cell for cell, fit in fits if fit), key=size, default=None)
    return Verdict.RUNS, Ran(
        largest=_largest_run(record, largest),
        emulated_total_bytes=total,
        with_desktop=None if with_desktop is None else shape_of(with_desktop),
        largest_fits_with_desktop=with_desktop is not None and with_desktop.cell_id == largest.cell_id,
        misfit=_smallest_misfit(record),
    )


def _largest_run(record: Record, cell: CellResult) -> LargestRun:
    """Without the speed where a card was emulated: it would be that of the device that emulated it."""
    decode = cell.summary.decode_tokens_per_s if cell.summary and not is_emulated(record) else None
    return LargestRun(
        cell=shape_of(cell),
        decode_tokens_per_s=None if decode is None else decode.median,
        memory=_memory(record, cell),
    )


def _memory(record: Record, cell: CellResult) -> MemoryFigure | None:
    if record.emulation is not None:
        need = needed_bytes(cell, record.emulation)
        return None if need is None else MemoryFigure(metric="needed_bytes", size_bytes=need)
    peak = peak_of(cell, record.device)
    return None if peak is None else MemoryFigure(metric=peak.metric, size_bytes=peak.size_bytes)


def _smallest_misfit(record: Record) -> CellShape | None:
    ran_out = [
        cell
        for cell in record.cells
        if cell.outcome.status == "out_of_memory" and not ran_out_while_contended(cell)
    ]
    return shape_of(min(ran_out, key=size)) if ran_out else None


def _emulated_bytes(record: Record) -> int | None:
    return None if record.emulation is None else record.emulation.total_bytes
