"""A record as an entry: what `check.json` and the merging of records need of it, cleaned."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from bench.check.summary import (
    CellEntry,
    DeviceEntry,
    Entry,
    EntryHead,
    Estimate,
    LineEntry,
    ModelEntry,
    SoftwareEntry,
)
from bench.judge.card import computed_elsewhere
from bench.judge.frontier import FrontierPoint, is_misfit, is_pruned
from bench.judge.memory import fits_with_desktop, has_spilled, needed_bytes, peak_of
from bench.judge.prediction import cell_fit
from bench.judge.same_kernels import same_kernels
from bench.judge.variants import settings_of
from bench.judge.verdict import Judgement, judge
from bench.records.check import METRIC_NAMES, CheckPhase
from bench.records.enums import Fit, Phase, Provenance
from bench.records.record import CellResult, Memory, Record, Statistic
from bench.report import labels
from bench.report.derived.build import derived
from bench.report.derived.cells import prediction
from bench.report.derived.check import document, envelope
from bench.report.rows import unmeasured_labels
from bench.store.record_files import read_record
from bench.text import MAX_NAME, clean, name
from bench.units import rounded

# Six significant digits are more than any of these figures repeats to.
_DIGITS: Final = 6
_MAX_LABEL: Final = 40


def read_entry(path: Path) -> Entry:
    """The entry of a record on disk, checked as `read_record` checks it.

    Raises:
        RecordError: the file cannot be used.
    """
    return entry(read_record(path))


def entry(record: Record, path: str | None = None) -> Entry:
    """What merging needs of a record. Every text is cleaned; figures have six significant digits.

    `path`: where a document finds the record, if it may say so.
    """
    judgement, alike = judge(record), same_kernels(record)
    cells = tuple(_cell(record, cell, alike.get(cell.cell_id, ())) for cell in record.cells)
    return Entry(head=_head(record, judgement, path), cells=cells)


def _head(record: Record, judgement: Judgement, path: str | None) -> EntryHead:
    predicted = derived(record, judgement)
    return EntryHead(
        id=record.record_id,
        hash=record.content_hash,
        path=path,
        created_at=record.created_at,
        provenance=record.provenance,
        machine_key=record.machine_key,
        suite=clean(f"{record.suite.name} {record.suite.version}", MAX_NAME),
        model=_model(record),
        device=_device(record, judgement),
        software=_software(record),
        emulation=record.emulation,
        prediction=document(predicted),
        typical=None if predicted is None else predicted.typical,
        elsewhere=computed_elsewhere(record),
        verdict=judgement.verdict,
        why=clean(judgement.why),
        caveats=tuple(clean(caveat) for caveat in judgement.caveats),
        lines=tuple(_line(record, point) for point in judgement.frontier),
        cells=len(record.cells),
    )


def _model(record: Record) -> ModelEntry:
    model = record.model
    return ModelEntry(
        name=clean(model.name, MAX_NAME),
        repo=name(model.repo),
        revision=name(model.revision),
        weight_mode=model.weight_mode,
        config_sha256=model.config_sha256,
        parameters=model.parameters,
        weights_bytes=model.weights_bytes,
    )


def _device(record: Record, judgement: Judgement) -> DeviceEntry:
    device, memory = record.device, judgement.memory
    return DeviceEntry(
        slug=clean(device.slug, MAX_NAME),
        name=clean(device.name, MAX_NAME),
        kind=device.kind,
        memory_total_bytes=device.memory_total_bytes,
        compute_capability=name(device.compute_capability),
        headless_bytes=memory.headless_bytes,
        desktop_bytes=memory.desktop_bytes,
        now_bytes=memory.now_bytes,
    )


def _software(record: Record) -> SoftwareEntry:
    env = record.environment
    return SoftwareEntry(
        bench_version=clean(env.bench_version, MAX_NAME),
        bench_commit=name(env.bench_commit),
        python=clean(env.python, MAX_NAME),
        torch=name(env.torch),
        transformers=name(env.transformers),
        driver=name(record.device.driver),
        os=clean(env.os, MAX_NAME),
    )


def _line(record: Record, point: FrontierPoint) -> LineEntry:
    own = {field: getattr(point, field) for field in LineEntry.model_fields if field != "weight_mode"}
    return LineEntry(**own, weight_mode=record.model.weight_mode)


def _cell(record: Record, cell: CellResult, alike: Sequence[CellResult]) -> CellEntry:
    wanted = cell.requested
    status, peak = labels.status(cell.outcome), peak_of(cell, record.device)
    is_predicted = cell.outcome.status == "predicted"
    return CellEntry(
        cell_id=cell.cell_id,
        attention=wanted.attention,
        clip_seconds=wanted.clip_seconds,
        max_tokens=wanted.max_tokens,
        settings=settings_of(wanted),
        profile=wanted.profile.value,
        dtype=wanted.dtype,
        weight_mode=wanted.weight_mode,
        # A predicted cell in a measured record is a prediction all the same.
        provenance=Provenance.DERIVED if is_predicted else record.provenance,
        status=cell.outcome.status,
        fit=_fit(record, cell),
        is_inferred=is_pruned(cell),
        reason=status.reason or None,
        labels=_labels(cell),
        same_kernels_as=tuple(other.cell_id for other in alike),
        fits_with_desktop=fits_with_desktop(cell, record),
        peak=peak.metric if peak else None,
        envelope=envelope(prediction(cell, record)),
        figures=dict(_figures(record, cell)),
        phases=_phases(cell.memory),
    )


def _fit(record: Record, cell: CellResult) -> Fit | None:
    if cell.outcome.status == "predicted":
        return cell_fit(cell, record).headless
    if is_misfit(cell):
        return Fit.DOES_NOT_FIT
    return Fit.FITS if cell.outcome.status == "measured" and not has_spilled(cell) else None


def _labels(cell: CellResult) -> tuple[str, ...]:
    own = cell.summary.labels if cell.summary is not None else unmeasured_labels(cell)
    return tuple(clean(label, _MAX_LABEL) for label in own)


def _figures(record: Record, cell: CellResult) -> Iterator[tuple[str, Estimate]]:
    if cell.outcome.status == "predicted" and cell.envelope is not None:
        yield "allocated_peak_bytes", (cell.envelope.allocated_peak_bytes, None, None)
    for metric in METRIC_NAMES:
        found = needed_bytes(cell, record.emulation) if metric == "needed_bytes" else None
        if cell.summary is not None and metric != "needed_bytes":
            found = getattr(cell.summary, metric)
        if found is not None:
            yield metric, _estimate(found)


def _estimate(found: Statistic | float | int) -> Estimate:
    if not isinstance(found, Statistic):
        return _short(found), None, None
    ends = found.interval
    low, high = (_short(ends.low), _short(ends.high)) if ends is not None else (None, None)
    return _short(found.median), low, high


def _short(value: float | int) -> float | int:
    return rounded(value, _DIGITS) if isinstance(value, float) else value


def _phases(memory: Memory | None) -> dict[Phase, dict[str, int]]:
    if memory is None:
        return {}
    return {
        phase: {kind: size for kind in CheckPhase.model_fields if (size := getattr(part, kind)) is not None}
        for phase, part in memory.phases.items()
    }
