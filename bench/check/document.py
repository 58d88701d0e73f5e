"""The check document, put together."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import itemgetter

from bench.check.caveats import merge_caveats
from bench.check.figures import Sample, merge_figure
from bench.check.lines import merge_lines
from bench.check.rows import CellContribution, MergedCell, merge_cell, merge_phases
from bench.check.sources import Sources
from bench.check.summary import RecordHead, RecordSummary
from bench.check.verdict import merge_verdict
from bench.judge.same_run import varying, words_of
from bench.records.check import (
    CHECK_VERSION,
    SHAPES,
    Check,
    CheckEnvironment,
    CheckGpu,
    CheckModel,
    CheckPeaks,
    CheckPhase,
    CheckPoint,
    CheckPrediction,
    CheckRecord,
    CheckRow,
    CheckSpeed,
    CheckVram,
    CheckWholeFigure,
    Software,
)
from bench.records.enums import Attention, Phase, Provenance
from bench.text import clean
from bench.units import Unit
from bench.wording import verdicts
from bench.wording.caveats import sentence

Largest = tuple[MergedCell, dict[Phase, CheckPhase]]
"""The cell that took the most, and its memory in each phase."""


def merge(summaries: Iterable[RecordSummary]) -> Check:
    """One document from records of one model on one card, in any order; copies of a record count once.

    Raises:
        ValueError: no record.
    """
    summaries = tuple(summaries)
    sources = Sources.of(summary.head for summary in summaries)
    by_hash = {summary.head.hash: summary for summary in summaries}
    cells: dict[str, list[CellContribution]] = {}
    for head in sources.counted:
        for cell in by_hash[head.hash].cells:
            cells.setdefault(cell.cell_id, []).append(CellContribution(head, cell))
    merged = [cell for own in cells.values() for cell in merge_cell(sources, own)]
    return document(sources, merged, cells.__getitem__)


def document(
    sources: Sources, merged: Sequence[MergedCell], read: Callable[[str], Sequence[CellContribution]]
) -> Check:
    """The document of cells that are merged already.

    `read` returns the contributions to a cell, of `sources.counted` in this order: the memory of the largest
    cell in each phase comes from them.
    """
    names = varying(cell.settings for cell in merged)
    cells = [_named(cell, names) for cell in sorted(merged, key=_place)]
    largest = _largest(sources, cells)
    phases = {} if largest is None else merge_phases(sources, read(largest.row.cell_id), largest.row)
    return _check(sources, cells, names, None if largest is None else (largest, phases))


def _place(cell: MergedCell) -> tuple[int, tuple[str, ...], float, int, str]:
    row = cell.row
    return list(Attention).index(row.attention), cell.settings, row.clip_seconds, row.max_tokens, row.cell_id


def _named(cell: MergedCell, names: Sequence[str]) -> MergedCell:
    row = cell.row.model_copy(update={"variant": words_of(cell.settings, names)})
    return MergedCell(row, cell.settings, cell.is_inferred)


def _largest(sources: Sources, cells: Sequence[MergedCell]) -> MergedCell | None:
    """The cell whose memory is shown: the largest; of predictions the typical cell of the newest."""
    if sources.provenance is Provenance.DERIVED:
        typical = sources.newest.typical, sources.newest.system
        return next((cell for cell in cells if (cell.row.cell_id, cell.row.system) == typical), None)
    known = ((cell.peak, cell.row.cell_id, cell) for cell in cells if cell.peak is not None)
    return max(known, key=itemgetter(0, 1), default=(None, None, None))[2]


def _check(
    sources: Sources, cells: Sequence[MergedCell], names: Sequence[str], largest: Largest | None
) -> Check:
    rows = tuple(cell.row for cell in cells)
    verdict, why = merge_verdict(sources, rows)
    caveats = merge_caveats(sources, rows)
    newest = sources.newest
    return Check(
        schema_version=CHECK_VERSION,
        model=_model(sources),
        gpu=_gpu(sources),
        provenance=sources.provenance,
        verdict=verdict,
        why=clean(verdicts.sentence(why)),
        why_code=why,
        caveats=tuple(clean(sentence(caveat)) for caveat in caveats),
        caveat_codes=caveats,
        emulation=newest.emulation,
        prediction=_prediction(sources),
        vram=_vram(sources, largest),
        speed={shape: tuple(_speed(newest, rows, *point)) for shape, point in SHAPES.items()},
        frontier=merge_lines(sources, cells, names),
        rows=rows,
        environment=_environments(sources),
        records=tuple(_record(sources, head) for head in sources.heads),
    )


def _prediction(sources: Sources) -> CheckPrediction | None:
    """The newest prediction that has most budgets: a plan for Windows has no headless one."""
    found = [head.prediction for head in reversed(sources.heads) if head.prediction is not None]
    known = {"room_headless_bytes", "room_desktop_bytes"}
    return max(found, key=lambda one: sum(getattr(one, name) is not None for name in known), default=None)


def _model(sources: Sources) -> CheckModel:
    model, heads = sources.newest.model, sources.heads
    return CheckModel(
        name=model.name,
        repo=model.repo,
        revisions=tuple(sorted({head.model.revision for head in heads if head.model.revision is not None})),
        weight_modes=tuple(sorted({head.model.weight_mode for head in heads})),
        config_sha256=model.config_sha256,
        parameters=model.parameters,
    )


def _gpu(sources: Sources) -> CheckGpu:
    device = sources.newest.device
    return CheckGpu(
        slug=device.slug,
        name=device.name,
        kind=device.kind,
        memory_total_bytes=_of_heads(sources, lambda head: head.device.memory_total_bytes),
        compute_capability=device.compute_capability,
    )


def _of_heads(sources: Sources, read: Callable[[RecordHead], int | None]) -> CheckWholeFigure | None:
    """A size that each record has once, over the records that decide the verdict."""
    samples = [
        Sample(sources.machine(head), value) for head in sources.deciding if (value := read(head)) is not None
    ]
    return merge_figure(Unit.BYTES, samples, sources.provenance)


def _vram(sources: Sources, largest: Largest | None) -> CheckVram:
    return CheckVram(
        weights_bytes=_of_heads(sources, lambda head: head.model.weights_bytes),
        headless_bytes=_of_heads(sources, lambda head: head.device.headless_bytes),
        desktop_bytes=_of_heads(sources, lambda head: head.device.desktop_bytes),
        now_bytes=_of_heads(sources, lambda head: head.device.now_bytes),
        largest=None if largest is None else _peaks(*largest),
    )


def _peaks(cell: MergedCell, phases: dict[Phase, CheckPhase]) -> CheckPeaks:
    row = cell.row
    own = {name: getattr(row, name) for name in CheckPeaks.model_fields if name in type(row).model_fields}
    return CheckPeaks(**own, point=_point(row), predicted_bytes=_predicted(row), phases=phases)


def _predicted(row: CheckRow) -> CheckWholeFigure | None:
    """The interval of the newest prediction of the cell."""
    size = None if row.envelope is None else row.envelope.device_peak_bytes
    if size is None:
        return None
    return CheckWholeFigure(
        value=None, low=size.low, high=size.high, provenance=Provenance.DERIVED, machines=None, records=1
    )


def _speed(newest: RecordHead, rows: Sequence[CheckRow], clip_s: float, tokens: int) -> Iterator[CheckSpeed]:
    if newest.emulation is not None:
        return
    for row in rows:
        timed = row.figure("latency_s") is not None and row.provenance is not Provenance.EMULATED
        if timed and (row.clip_seconds, row.max_tokens) == (clip_s, tokens):
            own = {name: getattr(row, name) for name in CheckSpeed.model_fields if name != "point"}
            yield CheckSpeed(**own, point=_point(row))


def _point(row: CheckRow) -> CheckPoint:
    return CheckPoint(**{name: getattr(row, name) for name in CheckPoint.model_fields})


def _environments(sources: Sources) -> tuple[CheckEnvironment, ...]:
    """The commonest first."""
    counted = Counter(head.software for head in sources.heads)
    ordered = sorted(counted.items(), key=lambda item: (-item[1], item[0].model_dump_json()))
    return tuple(_environment(software, records) for software, records in ordered)


def _environment(software: Software, records: int) -> CheckEnvironment:
    return CheckEnvironment(**software.model_dump(), records=records)


def _record(sources: Sources, head: RecordHead) -> CheckRecord:
    return CheckRecord(
        id=head.id,
        hash=head.hash,
        path=head.path,
        created_at=head.created_at,
        provenance=head.provenance,
        weight_mode=head.model.weight_mode,
        suite=head.suite,
        verdict=head.verdict,
        cells=head.cells,
        machine=None if head.machine_key is None else sources.numbers[head.machine_key],
    )
