"""Cells as rows: a row of a check document, with what a record adds to it, in words."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from bench import units
from bench.check.rows import FIT
from bench.records.check import CheckFigure, CheckRow
from bench.records.enums import Attention, Fit, Label
from bench.records.metrics import FIGURES, Metric
from bench.records.record import MemoryTrace
from bench.report import labels
from bench.report.basics import Figure, Status, Tone, basis
from bench.report.card_metrics import COLUMNS
from bench.report.details import CellDetail
from bench.report.interface import Disagreement, Row
from bench.report.metrics import between
from bench.report.predicted_cells import differ, prediction
from bench.wording.phrases import PEAK_WORDS

_NONE: Final = Figure(None, units.NOT_AVAILABLE)
_DISAGREE: Final = "records disagree"
NOT_COMPARABLE: Final = "not comparable"
FITS: Final = "Whether it fits"


def row(
    told: CheckRow,
    title: str,
    attentions: Mapping[str, Attention],
    detail: CellDetail | None = None,
    trace: MemoryTrace | None = None,
) -> Row:
    """One cell of a check document. `title` names its grid, `attentions` has those of all cells.

    `detail` is what its record adds, None where there are several records.
    """
    clip, tokens = units.clip_length(told.clip_seconds), f"{told.max_tokens:,}"
    figures = _figures(told) if detail is None else detail.figures
    envelope = detail.envelope if detail is not None and detail.envelope is not None else told.envelope
    predicted = prediction(told, detail)
    status = _status(told)
    return Row(
        cell_id=told.cell_id,
        variant=title,
        attention=told.attention,
        profile=told.profile,
        dtype=told.dtype,
        clip_seconds=told.clip_seconds,
        max_tokens=told.max_tokens,
        clip=clip,
        tokens=tokens,
        shape=f"{clip} × {tokens}",
        provenance=told.provenance,
        weight_mode=told.weight_mode,
        status=status
        if predicted is None or detail is not None
        else replace(predicted.fit, code=told.status),
        figures=figures,
        peak_words=PEAK_WORDS[told.peak] if told.peak else "peak",
        peak=figures[told.peak] if told.peak else _NONE,
        prompt=basis(told.machines, told.records) if detail is None else detail.prompt,
        labels=tuple(told.labels),
        marks=tuple(_marks(told, status)),
        comparison=_comparison(told, attentions),
        same_kernels_as=told.same_kernels_as,
        fits_with_desktop=told.fits_with_desktop,
        error_tail=detail.error_tail if detail else (),
        phases=detail.phases if detail else {},
        repetitions=detail.repetitions if detail else (),
        prediction=predicted,
        predicted_bytes=envelope.device_peak_bytes if envelope else None,
        machines=told.machines,
        records=told.records,
        trace=trace,
        fit=told.fit,
    )


def settings_words(told: CheckRow) -> str:
    """`SDPA, profile lean`: the settings in which cells differ."""
    return ", ".join([labels.ATTENTIONS[told.attention], *told.variant])


def disagreements(told: CheckRow) -> Iterator[Disagreement]:
    """Everything in which the records of one cell differ by more than noise."""
    cell = f"{units.clip_length(told.clip_seconds)} × {told.max_tokens:,} ({settings_words(told)})"
    for name in told.disagrees:
        if name == FIT:
            yield Disagreement(cell, FITS, _tally(told))
            continue
        figure = told.figure(name)
        if figure is not None:
            shown = _figure(FIGURES[name], figure)
            yield Disagreement(cell, FIGURES[name].heading, f"{shown.interval}, {shown.note}")


def _figures(told: CheckRow) -> dict[str, Figure]:
    """Every name of `COLUMNS`: of several records nothing that was watched is known."""
    known = {name: _figure(metric, told.figure(name)) for name, metric in FIGURES.items()}
    return {column.name: known.get(column.name, _NONE) for column in COLUMNS}


def _figure(metric: Metric, figure: CheckFigure | None) -> Figure:
    if figure is None:
        return _NONE
    known = figure.low is not None and figure.high is not None
    return Figure(
        value=figure.value,
        text=units.quantity(figure.value, metric.unit),
        interval=between(metric, figure.low, figure.high) if known else "",
        low=figure.low,
        high=figure.high,
        note=basis(figure.machines, figure.records),
    )


def _status(told: CheckRow) -> Status:
    """The outcome; that another program took part of the memory stands wherever the reason does."""
    word, tone = labels.STATUSES[told.status]
    reason = told.reason or ""
    if len(told.statuses) > 1:
        return Status(told.status, word, Tone.WARN if FIT in told.disagrees else tone, _tally(told))
    if told.status == "skipped" and told.fit is not Fit.DOES_NOT_FIT:
        return Status(told.status, "not run", tone, reason)
    if told.status == "out_of_memory" and Label.CONTENDED in told.labels and _told(told) == 1:
        why = f"{reason}; another program computed on the card: measure it again"
        return Status(told.status, f"{word} ({Label.CONTENDED})", Tone.WARN, why)
    return Status(told.status, word, tone, reason)


def _tally(told: CheckRow) -> str:
    if told.status == "predicted":
        return differ(told)
    said = (f"{labels.STATUSES[status][0]} in {count}" for status, count in told.statuses.items())
    return f"{', '.join(said)} of {_told(told)} records"


def _told(told: CheckRow) -> int:
    """How many records hold the cell, whatever came of it."""
    return sum(told.statuses.values())


def _marks(told: CheckRow, status: Status) -> Iterator[str]:
    """What a reader must see beside the figures; a label that the outcome names already is none."""
    for label, count in told.labels.items():
        if f"({label})" not in status.word:
            yield label if _told(told) == 1 else f"{label} in {count} of {_told(told)}"
    if told.same_kernels_as:
        yield NOT_COMPARABLE
    if FIT in told.disagrees:
        yield _tally(told)
    if set(told.disagrees) - {FIT}:
        yield _DISAGREE


def _comparison(told: CheckRow, attentions: Mapping[str, Attention]) -> str:
    if not told.same_kernels_as:
        return ""
    others = " and ".join(labels.ATTENTIONS[attentions[cell_id]] for cell_id in told.same_kernels_as)
    return (
        f"asked for {labels.ATTENTIONS[told.attention]} and ran the same kernels as {others}: not comparable"
    )
