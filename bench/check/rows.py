"""One cell over all records that hold it."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from bench.check.figures import Sample, disagree, is_disturbed, merge_figure, undisturbed
from bench.check.sources import Sources, machines_of
from bench.check.summary import CellSummary, RecordHead
from bench.judge.same_system import is_for
from bench.records.check import CheckFigure, CheckPhase, CheckRow, CheckWholeFigure
from bench.records.enums import Fit, Label, Phase, Provenance, Status
from bench.records.metrics import FIGURES, Metric
from bench.records.prediction import PlannedSystem
from bench.units import Unit

# The most informative status first: a cell that ran in any record ran.
_STATUSES: Final[tuple[Status, ...]] = (
    "measured",
    "out_of_memory",
    "predicted",
    "unsupported",
    "timeout",
    "failed",
    "skipped",
)
FIT: Final = "fit"


class CellContribution(NamedTuple):
    """Contribution of one record to one cell."""

    head: RecordHead
    cell: CellSummary


@dataclass(frozen=True, slots=True)
class MergedCell:
    """A row, and what else is needed of its cell."""

    row: CheckRow
    settings: tuple[str, ...]
    is_inferred: bool

    @property
    def peak(self) -> float | int | None:
        """The most informative memory figure; None where nothing was read."""
        figure = None if self.row.peak is None else self.row.figure(self.row.peak)
        return None if figure is None else figure.value


def merge_cell(sources: Sources, contributions: Sequence[CellContribution]) -> tuple[MergedCell, ...]:
    """The rows of one cell. `contributions` are in the order of the heads.

    One row for each provenance; of runs one for each attention kernel, of predictions one for each system. A
    prediction for the system and the kernel of a run is no row of its own, but the `envelope` of that run.
    """
    predicted = [one for one in contributions if one.cell.provenance is Provenance.DERIVED]
    ran = list(_runs(contributions))
    rows = [_merge(sources, group, _predictions_of(group, predicted)) for group in ran]
    used = {id(one) for group in ran for one in _predictions_of(group, predicted)}
    left = (one for one in predicted if id(one) not in used)
    return (*rows, *(_merge(sources, group, group) for group in _by_system(left)))


def _runs(contributions: Sequence[CellContribution]) -> Iterator[list[CellContribution]]:
    """Runs of one provenance and one kernel. Where one kernel alone is known, the rest counts as that one."""
    for provenance in Provenance:
        ran = [one for one in contributions if one.cell.provenance is provenance]
        if provenance is Provenance.DERIVED or not ran:
            continue
        known = {one.cell.kernel for one in ran if one.cell.kernel is not None}
        only = next(iter(known)) if len(known) == 1 else None
        kernels = {one.cell.kernel or only for one in ran}
        for kernel in sorted(kernels, key=str):
            yield [one for one in ran if (one.cell.kernel or only) == kernel]


def _by_system(predicted: Iterable[CellContribution]) -> list[list[CellContribution]]:
    groups: dict[PlannedSystem | None, list[CellContribution]] = {}
    for one in predicted:
        groups.setdefault(one.cell.system, []).append(one)
    return [groups[system] for system in sorted(groups, key=str)]


def _predictions_of(
    group: Sequence[CellContribution], predicted: Sequence[CellContribution]
) -> list[CellContribution]:
    """The predictions for the systems and the kernel of these runs, the most informative last."""
    kernel = next((one.cell.kernel for one in group if one.cell.kernel is not None), None)
    systems = {one.head.system for one in group}
    found = [
        one
        for one in predicted
        if any(is_for(one.cell.system, one.cell.kernel, system, kernel) for system in systems)
    ]
    return sorted(found, key=lambda one: one.cell.system in systems)


def _merge(sources: Sources, group: list[CellContribution], predicted: list[CellContribution]) -> MergedCell:
    cells = [one.cell for one in group]
    statuses = Counter(cell.status for cell in cells)
    status = next(one for one in _STATUSES if one in statuses)
    agreeing = [one for one in group if one.cell.status == status]
    representative = agreeing[-1].cell  # the newest
    fits = _fit(cells)
    provenance = representative.provenance
    merged = {name: _metric(sources, group, metric, provenance) for name, metric in FIGURES.items()}
    row = CheckRow(
        **{metric: one.figure for metric, one in merged.items()},
        cell_id=representative.cell_id,
        attention=representative.attention,
        clip_seconds=representative.clip_seconds,
        max_tokens=representative.max_tokens,
        profile=representative.profile,
        dtype=representative.dtype,
        weight_mode=representative.weight_mode,
        variant=(),
        provenance=provenance,
        machines=machines_of(one.head for one in agreeing),
        records=len(agreeing),
        status=status,
        statuses={one: statuses[one] for one in _STATUSES if one in statuses},
        fit=fits,
        reason=representative.reason,
        reason_code=representative.reason_code,
        labels=_labels(cells),
        left_out=merged["latency_s"].left_out,
        disagrees=tuple(_disagreements(cells, fits, merged)),
        same_kernels_as=_agreed([one.cell.same_kernels_as for one in agreeing]),
        fits_with_desktop=_on_all(cell.fits_with_desktop for cell in cells),
        peak=representative.peak,
        system=representative.system,
        attention_kernel=next((one.cell.kernel for one in reversed(group) if one.cell.kernel), None),
        envelope=predicted[-1].cell.envelope if predicted else None,
    )
    inferred = status == "skipped" and representative.is_inferred
    # Those of a run whose kernel is known: they sort behind those without one.
    return MergedCell(row, max(one.cell.settings for one in group), inferred)


class _Metric(NamedTuple):
    figure: CheckFigure | None
    left_out: int
    disagrees: bool


def _metric(
    sources: Sources, group: Sequence[CellContribution], metric: Metric, provenance: Provenance
) -> _Metric:
    samples = _samples(sources, group, metric)
    counted = undisturbed(samples)
    figure = merge_figure(metric.unit, counted, provenance)
    return _Metric(figure, len(samples) - len(counted), disagree(metric, counted))


def _samples(sources: Sources, group: Iterable[CellContribution], metric: Metric) -> list[Sample]:
    found = []
    for head, cell in group:
        estimate = cell.figures.get(metric.name)
        if estimate is not None:
            disturbed = bool(cell.labels) and is_disturbed(metric, cell.labels)
            found.append(Sample(sources.machine(head), *estimate, is_disturbed=disturbed))
    return found


def _fit(cells: Iterable[CellSummary]) -> Fit | None:
    """The fit on which all records agree; what fits in one and not in another is too close to call."""
    found = {cell.fit for cell in cells if cell.fit is not None}
    return next(iter(found)) if len(found) == 1 else Fit.TOO_CLOSE_TO_CALL if found else None


def _labels(cells: Sequence[CellSummary]) -> dict[str, int]:
    """How many records carry which; one record keeps its own order."""
    counted = Counter(label for cell in cells for label in dict.fromkeys(cell.labels))
    return dict(counted if len(cells) == 1 else sorted(counted.items()))


def _disagreements(
    cells: Sequence[CellSummary], fit: Fit | None, merged: dict[str, _Metric]
) -> Iterable[str]:
    if fit is Fit.TOO_CLOSE_TO_CALL and all(cell.fit is not fit for cell in cells):
        yield FIT
    yield from (metric for metric, one in merged.items() if one.disagrees)


def _agreed(found: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """Only what all records agree on."""
    common = set(found[0]).intersection(*found[1:])
    return tuple(cell_id for cell_id in found[0] if cell_id in common)


def _on_all(answers: Iterable[bool | None]) -> bool | None:
    known = [answer for answer in answers if answer is not None]
    return all(known) if known else None


def merge_phases(
    sources: Sources, contributions: Sequence[CellContribution], row: CheckRow
) -> dict[Phase, CheckPhase]:
    """Memory of one cell in each phase, of what ran with the provenance and the kernel of a row."""
    provenance, kernels = row.provenance, {row.attention_kernel, None}
    group = [one for one in contributions if one.cell.provenance is provenance if one.cell.kernel in kernels]
    return {
        phase: CheckPhase(
            **{
                kind: _phase_figure(sources, group, phase, kind, provenance)
                for kind in CheckPhase.model_fields
            }
        )
        for phase in Phase
        if any(phase in one.cell.phases for one in group)
    }


def _phase_figure(
    sources: Sources, group: Sequence[CellContribution], phase: Phase, kind: str, provenance: Provenance
) -> CheckWholeFigure | None:
    samples = [
        Sample(sources.machine(head), cell.phases[phase][kind], is_disturbed=Label.SPILLED in cell.labels)
        for head, cell in group
        if kind in cell.phases.get(phase, {})
    ]
    return merge_figure(Unit.BYTES, undisturbed(samples), provenance)
