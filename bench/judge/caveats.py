"""Caveats of a record, the most important first. Pure."""

import re
from collections.abc import Callable, Iterator
from typing import Final

from bench.judge.frontier import is_pruned
from bench.judge.memory import cliffs, is_emulated, ran_out_while_contended
from bench.judge.prediction import Budgets, cell_verdict, is_derived, kernels_of
from bench.judge.same_kernels import SameKernels
from bench.judge.same_run import is_published
from bench.records import caveats as known
from bench.records.card import DeviceState, Sampled
from bench.records.caveats import RecordCaveat, SomeCellsCode
from bench.records.cell import CellResult, Skipped
from bench.records.enums import Label, Provenance, Verdict, WeightMode
from bench.records.prediction import Derivation, PlannedSystem
from bench.records.reasons import TimeBudgetUsed
from bench.records.record import Record

_LATE_PERIODS: Final = 5
"""A sampler that came late by more than this many periods may have missed a peak."""
_BELOW_DEFAULT: Final = 0.99
"""A power limit is read back in steps: what lies this close to the default is the default."""


def is_smoke(record: Record) -> bool:
    """Whether the record is of the tiny model, by its provenance or by its weights."""
    return record.provenance is Provenance.SMOKE or record.model.weight_mode is WeightMode.TINY


def computed_elsewhere(record: Record) -> str | None:
    """The kind of device that the cells computed on, where it is not that of the record; else None."""
    seen = {cell.effective.device.partition(":")[0] for cell in record.cells if cell.effective is not None}
    return min(seen - {record.device.kind}, default=None)


def caveats(record: Record, budgets: Budgets, alike: SameKernels) -> tuple[RecordCaveat, ...]:
    """Return all caveats of a record."""
    return (
        *_about_the_run(record),
        *(_about_the_prediction(record, budgets) if is_derived(record) else _about_the_host(record)),
        *_about_the_device(record),
        *_about_the_cells(record, alike),
    )


def _about_the_run(record: Record) -> Iterator[RecordCaveat]:
    model, predicted = record.model, is_derived(record)
    if is_smoke(record):
        yield known.TinyModel()
    if predicted:
        yield known.NothingRan()
    if model.weight_mode is WeightMode.RANDOM and not predicted:
        yield known.RandomWeights()
    if model.weight_mode is WeightMode.HUB and not is_published(model.weight_mode, model.repo):
        yield known.OtherRepository(repo=model.repo, shapes_only=predicted)
    if model.weight_mode is WeightMode.LOCAL:
        yield known.LocalWeights(shapes_only=predicted)


def _about_the_host(record: Record) -> Iterator[RecordCaveat]:
    on_cpu = record.device.kind == "cpu"
    if is_emulated(record):
        yield known.EmulatedOnCpu() if on_cpu else known.EmulatedMemory()
    elif on_cpu:
        yield known.RanOnCpu()


def _about_the_prediction(record: Record, budgets: Budgets) -> Iterator[RecordCaveat]:
    if record.device.kind == "cpu":
        yield known.PredictedForCpu()
    if record.derivation is not None:
        yield from _about_the_system(record, record.derivation.system)
        if _is_expected(record, record.derivation):
            yield known.KernelExpected(kernel="memory_efficient")
        yield from _about_the_allocator(record.derivation)
        yield from _about_the_budget(record.derivation)
    if any(cell.envelope is not None and cell.envelope.ceiling is not None for cell in record.cells):
        yield known.SpeedsAreCeilings()
    close = (cell_verdict(cell, budgets).verdict is Verdict.TOO_CLOSE_TO_CALL for cell in record.cells)
    yield from _some(record, "cells_too_close_to_call", sum(close))


def _about_the_budget(derivation: Derivation) -> Iterator[RecordCaveat]:
    reserve, desktop = derivation.driver_reserve, derivation.desktop
    if reserve is None or desktop is None or derivation.context is None:
        return
    counts = derivation.headroom != "headless" and not derivation.desktop_is_given
    if derivation.calibrated_by:
        range_of_others = counts and derivation.read_at is None
        count = len(derivation.calibrated_by)
        yield known.CalibratedByRecords(records=count, with_desktop=range_of_others)
    elif derivation.read_at is None:
        yield known.RangesOfOtherMachines(with_desktop=counts)
    if derivation.read_at is None:
        return
    yield known.BudgetReadHere(
        read_at=derivation.read_at,
        driver_reserve_bytes=reserve.high_bytes,
        in_use_bytes=desktop.high_bytes if counts else None,
    )


def _about_the_system(record: Record, system: PlannedSystem | None) -> Iterator[RecordCaveat]:
    if system is not None:
        here = re.match(r"[0-9]+\.[0-9]+", record.environment.torch or "")
        yield known.PredictedForSystem(
            os=system.os,
            torch=system.torch,
            kernels=kernels_of(record.cells),
            torch_here=here[0] if here is not None and here[0] != system.torch else None,
        )
        if system.os == "windows" and "math" in kernels_of(record.cells):
            yield known.MathOnWindows()


def _is_expected(record: Record, derivation: Derivation) -> bool:
    """Whether the prediction rests on a kernel of Windows builds that no compared run has shown."""
    on_windows = derivation.system is not None and derivation.system.os == "windows"
    return on_windows and not derivation.compared and "memory_efficient" in kernels_of(record.cells)


def _about_the_allocator(derivation: Derivation) -> Iterator[RecordCaveat]:
    reserved = [found for found in derivation.compared if found.metric == "reserved_peak_bytes"]
    if reserved:
        yield known.ReservedMeasured(
            ratio_low=min(found.ratio_low for found in reserved),
            ratio_high=max(found.ratio_high for found in reserved),
            cells=sum(found.cells for found in reserved),
            records=len({found.record_id for found in reserved}),
        )
    elif derivation.allocator is not None:
        yield known.ReservedUnconfirmed(allocator=derivation.allocator)


def _about_the_device(record: Record) -> Iterator[RecordCaveat]:
    elsewhere = computed_elsewhere(record)
    if elsewhere is not None:
        yield known.ComputedElsewhere(device_kind=elsewhere, device=record.device.name)
    if record.device.catalogued is False:
        yield known.NotInCatalog(predicted=is_derived(record))
    if record.device_state is not None:
        yield from _about_the_state(record.device_state)


def _about_the_state(state: DeviceState) -> Iterator[RecordCaveat]:
    if state.other_processes:
        yield known.OtherPrograms(count=state.other_processes, used_bytes=state.used_by_others_bytes)
    if state.display:
        yield known.DisplayAttached()
    limit, default = state.power_limit_w, state.power_limit_default_w
    if limit is not None and default is not None and limit < _BELOW_DEFAULT * default:
        yield known.PowerLimited(limit_w=limit, default_w=default)


# --- about some of the cells ------------------------------------------------------------------------------


def _about_the_cells(record: Record, alike: SameKernels) -> Iterator[RecordCaveat]:
    slow = {cell.cell_id for cell in cliffs(record)}
    counted: tuple[tuple[SomeCellsCode, Callable[[CellResult], bool]], ...] = (
        ("cells_interrupted", _was_interrupted),
        ("cells_beyond_time_budget", _was_beyond_budget),
        ("cells_pruned", is_pruned),
        ("cells_failed", lambda cell: cell.has_failed),
        ("cells_retried", lambda cell: bool(cell.earlier_attempts) and not cell.has_failed),
        ("cells_ran_other_kernels", _other_kernels),
        ("cells_stopped_early", _stopped_early),
        ("cells_noisy", lambda cell: _is_marked(cell, Label.NOISY)),
        ("cells_contended", lambda cell: _is_marked(cell, Label.CONTENDED)),
        ("cells_throttled", lambda cell: _is_marked(cell, Label.THROTTLED)),
        ("cells_spilled", lambda cell: _is_marked(cell, Label.SPILLED)),
        ("cells_ran_same_kernels", lambda cell: cell.cell_id in alike),
        ("cells_read_slowly", lambda cell: cell.cell_id in slow),
        ("cells_ran_out_beside_another", ran_out_while_contended),
        ("cells_left_memory", _left_memory),
        ("cells_lost_driver", _lost_driver),
    )
    for code, holds in counted:
        yield from _some(record, code, sum(map(holds, record.cells)))
    late = sum(map(_watched_loosely, record.cells))
    if late:
        yield known.SampledWithGaps(count=late, cells=len(record.cells), periods=_LATE_PERIODS)


def _some(record: Record, code: SomeCellsCode, count: int) -> Iterator[RecordCaveat]:
    if count:
        yield known.SomeCells(code=code, count=count, cells=len(record.cells))


def _was_interrupted(cell: CellResult) -> bool:
    not_reached = isinstance(cell.outcome, Skipped) and cell.outcome.cause == "interrupted"
    return not_reached and not _was_beyond_budget(cell)


def _was_beyond_budget(cell: CellResult) -> bool:
    return isinstance(cell.outcome, Skipped) and isinstance(cell.outcome.reason_code, TimeBudgetUsed)


def _is_marked(cell: CellResult, label: Label) -> bool:
    return cell.summary is not None and label in cell.summary.labels


def _other_kernels(cell: CellResult) -> bool:
    ran = cell.effective.language_model if cell.effective is not None else None
    return ran is not None and ran.attention != cell.requested.attention.value


def _stopped_early(cell: CellResult) -> bool:
    return any(repeat.generated_tokens < cell.requested.max_tokens for repeat in cell.repeats)


def _left_memory(cell: CellResult) -> bool:
    return cell.device_memory is not None and cell.device_memory.back_at_baseline is False


def _lost_driver(cell: CellResult) -> bool:
    return cell.device_memory is not None and cell.device_memory.driver_error is not None


def _watched_loosely(cell: CellResult) -> bool:
    watched = (cell.device_memory, cell.power)
    return any(part is not None and _is_loose(part.sampler) for part in watched)


def _is_loose(sampler: Sampled) -> bool:
    """Whether the sampler had a gap in which it may have missed a short peak."""
    gap_s = sampler.largest_gap_s
    return gap_s is not None and gap_s > _LATE_PERIODS * sampler.period_s
