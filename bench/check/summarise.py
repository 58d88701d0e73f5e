"""A record as the summary that merging reads, cleaned."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from bench.check.summary import (
    CellSummary,
    ChallengeHead,
    DeviceSummary,
    Estimate,
    ModelSummary,
    RecordHead,
    RecordSummary,
)
from bench.identity.challenge import key_id
from bench.judge.caveats import computed_elsewhere
from bench.judge.frontier import is_misfit, is_pruned, size
from bench.judge.memory import fits_with_desktop, has_spilled, is_contended, needed_bytes, peak_of
from bench.judge.prediction import ORDER, Budgets, cell_fit, cell_verdict, is_derived
from bench.judge.same_run import is_published
from bench.judge.same_system import CellSystems, system_of
from bench.judge.verdict import Judgement, judge
from bench.records.cell import CellResult, Memory
from bench.records.check import CheckEnvelope, CheckPhase, CheckPrediction, Software
from bench.records.enums import Fit, Label, Phase, Provenance
from bench.records.metrics import METRICS, NEEDED, Statistic, stated
from bench.records.prediction import Ceiling, Comparison, Envelope
from bench.records.record import Record
from bench.store.record_files import read_record
from bench.text import MAX_NAME, clean, name
from bench.units import rounded
from bench.wording.labels import suite
from bench.wording.outcomes import code_of, ended

# Six significant digits are more than any of these figures repeats to.
_DIGITS: Final = 6
_MAX_LABEL: Final = 40
_NAME_AND_TIME: Final = {"record_id", "content_hash", "created_at", "machine_key"}
_SIZES: Final = tuple(name for name in CheckEnvelope.model_fields if name in Envelope.model_fields)


def read_summary(path: Path) -> RecordSummary:
    """The summary of a record on disk, checked as `read_record` checks it.

    Raises:
        RecordError: the file cannot be used.
    """
    return summarise(read_record(path))


def summarise(record: Record, path: str | None = None) -> RecordSummary:
    """Summarise a record for merging. Every text is cleaned; figures have six significant digits.

    `path`: where a document finds the record, if it may say so.
    """
    judgement = judge(record)
    systems = CellSystems.of(record)
    cells = tuple(_cell(record, cell, judgement, systems) for cell in record.cells)
    return RecordSummary(head=_head(record, judgement, path), cells=cells)


def _head(record: Record, judgement: Judgement, path: str | None) -> RecordHead:
    return RecordHead(
        id=record.record_id,
        hash=record.content_hash,
        content=_content(record) if is_derived(record) else None,
        path=path,
        created_at=record.created_at,
        provenance=record.provenance,
        machine_key=name(record.machine_key),
        suite=clean(suite(record.suite.name, record.suite.version, record.suite.origin), MAX_NAME),
        model=_model(record),
        device=_device(record, judgement),
        software=_software(record),
        system=system_of(record),
        emulation=record.emulation,
        prediction=_prediction(record, judgement.budgets) if is_derived(record) else None,
        typical=_typical(record, judgement.budgets) if is_derived(record) else None,
        elsewhere=computed_elsewhere(record),
        verdict=judgement.verdict,
        why=judgement.why,
        caveats=judgement.caveats,
        lines=judgement.frontier,
        cells=len(record.cells),
        challenge=_challenge(record),
    )


def _challenge(record: Record) -> ChallengeHead | None:
    found, model = record.challenge, record.model
    if found is None:
        return None
    return ChallengeHead(
        site=clean(found.issued.site, MAX_NAME),
        key_id=key_id(found.issued),
        nonce=found.issued.nonce,
        issued_at=found.issued.issued_at,
        checks=None if found.checks is None else found.checks.content_hash,
        model=clean(model.name, MAX_NAME),
        weight_mode=model.weight_mode,
        is_published=is_published(model.weight_mode, model.repo),
        status=found.cell.outcome.status,
        token_ids=found.token_ids,
    )


def _content(record: Record) -> str:
    """The hash of a prediction without its name and time: the same request always gives the same figures."""
    return hashlib.sha256(record.model_dump_json(exclude=_NAME_AND_TIME).encode()).hexdigest()


def _model(record: Record) -> ModelSummary:
    model = record.model
    return ModelSummary(
        name=clean(model.name, MAX_NAME),
        repo=name(model.repo),
        revision=name(model.revision),
        weight_mode=model.weight_mode,
        config_sha256=model.config_sha256,
        parameters=model.parameters,
        weights_bytes=model.weights_bytes,
    )


def _device(record: Record, judgement: Judgement) -> DeviceSummary:
    device, memory = record.device, judgement.memory
    return DeviceSummary(
        slug=clean(device.slug, MAX_NAME),
        name=clean(device.name, MAX_NAME),
        kind=device.kind,
        memory_total_bytes=device.memory_total_bytes,
        compute_capability=name(device.compute_capability),
        headless_bytes=memory.headless_bytes,
        desktop_bytes=memory.desktop_bytes,
        now_bytes=memory.now_bytes,
    )


def _software(record: Record) -> Software:
    env = record.environment
    return Software(
        bench_version=clean(env.bench_version, MAX_NAME),
        bench_commit=name(env.bench_commit),
        python=clean(env.python, MAX_NAME),
        torch=name(env.torch),
        transformers=name(env.transformers),
        driver=name(record.device.driver),
        os=clean(env.os, MAX_NAME),
    )


def _cell(record: Record, cell: CellResult, judgement: Judgement, systems: CellSystems) -> CellSummary:
    wanted, peak = cell.requested, peak_of(cell, record.device)
    is_predicted = cell.outcome.status == "predicted"
    return CellSummary(
        cell_id=cell.cell_id,
        attention=wanted.attention,
        clip_seconds=wanted.clip_seconds,
        max_tokens=wanted.max_tokens,
        settings=systems.settings(cell),
        profile=wanted.profile.value,
        dtype=wanted.dtype,
        weight_mode=wanted.weight_mode,
        # A predicted cell in a measured record is a prediction all the same.
        provenance=Provenance.DERIVED if is_predicted else record.provenance,
        status=cell.outcome.status,
        fit=cell_fit(cell, judgement.budgets).headless if is_predicted else _fit(cell),
        is_inferred=is_pruned(cell),
        reason=ended(cell.outcome) or None,
        reason_code=code_of(cell.outcome),
        labels=_labels(cell),
        same_kernels_as=tuple(other.cell_id for other in judgement.same_kernels.get(cell.cell_id, ())),
        fits_with_desktop=fits_with_desktop(cell, judgement.memory, record.emulation),
        peak=peak.metric if peak else None,
        system=systems.system,
        kernel=systems.kernel(cell),
        envelope=_envelope(cell, judgement.budgets) if is_predicted else None,
        figures=dict(_figures(record, cell)),
        phases=_phases(cell.memory),
    )


def _fit(cell: CellResult) -> Fit | None:
    if is_misfit(cell):
        return Fit.DOES_NOT_FIT
    return Fit.FITS if cell.outcome.status == "measured" and not has_spilled(cell) else None


def _labels(cell: CellResult) -> tuple[str, ...]:
    """Of a cell without figures one label matters: another program may be why it has none."""
    if cell.summary is None:
        return (Label.CONTENDED.value,) if is_contended(cell) else ()
    return tuple(clean(label, _MAX_LABEL) for label in cell.summary.labels)


def _figures(record: Record, cell: CellResult) -> Iterator[tuple[str, Estimate]]:
    if cell.outcome.status == "predicted" and cell.envelope is not None:
        yield "allocated_peak_bytes", Estimate(cell.envelope.allocated_peak_bytes)
    for metric in METRICS:
        found = stated(cell.summary, metric)
        if found is not None:
            yield metric, _estimate(found)
    needed = needed_bytes(cell, record.emulation)
    if needed is not None:
        yield NEEDED.name, _estimate(needed)


def _estimate(found: Statistic | float | int) -> Estimate:
    if not isinstance(found, Statistic):
        return Estimate(_short(found))
    ends = found.interval
    if ends is None:
        return Estimate(_short(found.median))
    return Estimate(_short(found.median), _short(ends.low), _short(ends.high), found.kind)


def _short(value: float | int) -> float | int:
    return rounded(value, _DIGITS) if isinstance(value, float) else value


def _phases(memory: Memory | None) -> dict[Phase, dict[str, int]]:
    if memory is None:
        return {}
    return {
        phase: {kind: size for kind in CheckPhase.model_fields if (size := getattr(part, kind)) is not None}
        for phase, part in memory.phases.items()
    }


# --- predictions ------------------------------------------------------------------------------------------


def _prediction(record: Record, budgets: Budgets) -> CheckPrediction:
    compared = record.derivation.compared if record.derivation is not None else ()
    return CheckPrediction(
        provenance="derived",
        room_headless_bytes=budgets.headless,
        room_desktop_bytes=budgets.desktop,
        typical_headless_bytes=budgets.headless_typical_bytes,
        typical_desktop_bytes=budgets.desktop_typical_bytes,
        system=system_of(record),
        compared=tuple(map(_cleaned, compared)),
    )


def _cleaned(comparison: Comparison) -> Comparison:
    texts = {"record_id": comparison.record_id, "content_hash": comparison.content_hash}
    return comparison.model_copy(update={name: clean(text, MAX_NAME) for name, text in texts.items()})


def _typical(record: Record, budgets: Budgets) -> str | None:
    """The largest cell of those that came out best; where no budget decides, the largest of all."""
    known = [
        (-ORDER.index(cell_verdict(cell, budgets).verdict), size(cell), cell.cell_id)
        for cell in record.cells
        if cell.envelope is not None and cell.outcome.status == "predicted"
    ]
    return max(known)[2] if known else None


def _envelope(cell: CellResult, budgets: Budgets) -> CheckEnvelope:
    """The prediction of a cell; sizes are null where the record has none."""
    judged, fits, figures = cell_verdict(cell, budgets), cell_fit(cell, budgets), cell.envelope
    sizes: dict[str, object] = {name: getattr(figures, name, None) for name in _SIZES}
    if figures is not None:
        sizes |= {"peak_op": clean(figures.peak_op, MAX_NAME), "ceiling": _rounded(figures.ceiling)}
    return CheckEnvelope.model_validate(
        {
            "provenance": "derived",
            "verdict": judged.verdict,
            "headless": fits.headless,
            "desktop": fits.desktop,
            "headless_likely": fits.headless_likely,
            "desktop_likely": fits.desktop_likely,
            **sizes,
        }
    )


def _rounded(ceiling: Ceiling | None) -> Ceiling | None:
    """Round to three significant digits: a ceiling is no more exact."""
    if ceiling is None:
        return None
    known = {name: value for name, value in ceiling if isinstance(value, float)}
    return ceiling.model_copy(update={name: rounded(value, 3) for name, value in known.items()})
