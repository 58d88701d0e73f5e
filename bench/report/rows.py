"""Rows of a view: a row of a check document and the details of its record, in words."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from bench import units
from bench.check.rows import FIT
from bench.records.base import Interval
from bench.records.cell import MemoryTrace
from bench.records.check import CheckFigure, CheckRow
from bench.records.enums import Attention, Fit, Label
from bench.records.metrics import FIGURES, Metric
from bench.report import ranges
from bench.report.basics import NO_FIGURE, Figure, Status, Tone, basis
from bench.report.columns import COLUMNS
from bench.report.details import CellDetail
from bench.report.interface import Disagreement, Row
from bench.report.labels import STATUS_TONES
from bench.report.predicted_cells import differ, prediction
from bench.wording import labels
from bench.wording.phrases import PEAK_WORDS

_DISAGREE: Final = "records disagree"
NOT_COMPARABLE: Final = "not comparable"
FITS: Final = "Whether it fits"


def row(
    cell: CheckRow,
    title: str,
    attentions: Mapping[str, Attention],
    detail: CellDetail | None = None,
    trace: MemoryTrace | None = None,
) -> Row:
    """One cell of a check document as a row.

    `title` names its grid. `attentions` has the attention of every cell. `detail` comes from the record; None
    for several records.
    """
    clip, tokens = units.clip_length(cell.clip_seconds), f"{cell.max_tokens:,}"
    figures = _figures(cell) if detail is None else detail.figures
    envelope = detail.envelope if detail is not None and detail.envelope is not None else cell.envelope
    predicted = prediction(cell, detail)
    status = _status(cell)
    return Row(
        cell_id=cell.cell_id,
        anchor=cell.cell_id,
        variant=title,
        attention=cell.attention,
        profile=cell.profile,
        dtype=cell.dtype,
        clip_seconds=cell.clip_seconds,
        max_tokens=cell.max_tokens,
        clip=clip,
        tokens=tokens,
        shape=f"{clip} × {tokens}",
        provenance=cell.provenance,
        weight_mode=cell.weight_mode,
        status=status
        if predicted is None or detail is not None
        else replace(predicted.fit, code=cell.status),
        figures=figures,
        peak_words=PEAK_WORDS[cell.peak] if cell.peak else "peak",
        peak=figures[cell.peak] if cell.peak else NO_FIGURE,
        prompt=basis(cell.machines, cell.records) if detail is None else detail.prompt,
        labels=tuple(cell.labels),
        marks=tuple(_marks(cell, status)),
        comparison=_comparison(cell, attentions),
        same_kernels_as=cell.same_kernels_as,
        fits_with_desktop=cell.fits_with_desktop,
        error_tail=detail.error_tail if detail else (),
        phases=detail.phases if detail else {},
        repetitions=detail.repetitions if detail else (),
        prediction=predicted,
        predicted_bytes=envelope.device_peak_bytes if envelope else None,
        machines=cell.machines,
        records=cell.records,
        trace=trace,
        fit=cell.fit,
        system=cell.system,
        kernel=cell.attention_kernel,
    )


def settings_words(cell: CheckRow) -> str:
    """`SDPA, profile lean`: the settings that name the grid of a cell."""
    return ", ".join([labels.ATTENTIONS[cell.attention], *cell.variant])


def disagreements(cell: CheckRow) -> Iterator[Disagreement]:
    """Every figure whose records differ by more than noise, for one cell."""
    name_of_cell = f"{units.clip_length(cell.clip_seconds)} × {cell.max_tokens:,} ({settings_words(cell)})"
    for name in cell.disagrees:
        if name == FIT:
            yield Disagreement(name, name_of_cell, FITS, _tally(cell))
            continue
        figure = cell.figure(name)
        if figure is not None:
            shown = _figure(FIGURES[name], figure)
            yield Disagreement(name, name_of_cell, FIGURES[name].heading, f"{shown.interval}, {shown.note}")


def _figures(cell: CheckRow) -> dict[str, Figure]:
    """Every name of `COLUMNS`; several records have no figures of the card."""
    known = {name: _figure(metric, cell.figure(name)) for name, metric in FIGURES.items()}
    return {column.name: known.get(column.name, NO_FIGURE) for column in COLUMNS}


def _figure(metric: Metric, figure: CheckFigure | None) -> Figure:
    if figure is None:
        return NO_FIGURE
    interval = ""
    if figure.low is not None and figure.high is not None:
        ends = Interval(low=figure.low, high=figure.high)
        kind = figure.interval_kind if figure.records == 1 else None  # of several the note has their number
        interval = ranges.of_repeats(metric, ends, kind, None)
    return Figure(
        value=figure.value,
        text=units.quantity(figure.value, metric.unit),
        interval=interval,
        low=figure.low,
        high=figure.high,
        note=basis(figure.machines, figure.records),
        interval_kind=figure.interval_kind,
    )


def _status(cell: CheckRow) -> Status:
    """The outcome; word and reason mention another program that took memory."""
    word, tone = labels.STATUSES[cell.status], STATUS_TONES[cell.status]
    reason = cell.reason or ""
    if len(cell.statuses) > 1:
        return Status(cell.status, word, Tone.WARN if FIT in cell.disagrees else tone, _tally(cell))
    if cell.status == "skipped" and cell.fit is not Fit.DOES_NOT_FIT:
        return Status(cell.status, "not run", tone, reason)
    if cell.status == "out_of_memory" and Label.CONTENDED in cell.labels and _records_of(cell) == 1:
        why = f"{reason}; another program computed on the card: measure it again"
        return Status(cell.status, f"{word} ({Label.CONTENDED})", Tone.WARN, why)
    return Status(cell.status, word, tone, reason)


def _tally(cell: CheckRow) -> str:
    if cell.status == "predicted":
        return differ(cell)
    said = (f"{labels.STATUSES[status]} in {count}" for status, count in cell.statuses.items())
    return f"{', '.join(said)} of {_records_of(cell)} records"


def _records_of(cell: CheckRow) -> int:
    """The number of records that contain the cell, whatever the outcome."""
    return sum(cell.statuses.values())


def _marks(cell: CheckRow, status: Status) -> Iterator[str]:
    """Labels and warnings next to the figures, without labels that the status word contains."""
    for label, count in cell.labels.items():
        if f"({label})" not in status.word:
            yield label if _records_of(cell) == 1 else f"{label} in {count} of {_records_of(cell)}"
    if cell.same_kernels_as:
        yield NOT_COMPARABLE
    if FIT in cell.disagrees:
        yield _tally(cell)
    if set(cell.disagrees) - {FIT}:
        yield _DISAGREE


def _comparison(cell: CheckRow, attentions: Mapping[str, Attention]) -> str:
    if not cell.same_kernels_as:
        return ""
    others = " and ".join(labels.ATTENTIONS[attentions[cell_id]] for cell_id in cell.same_kernels_as)
    return (
        f"asked for {labels.ATTENTIONS[cell.attention]} and ran the same kernels as {others}: not comparable"
    )
