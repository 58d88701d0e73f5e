"""Merged cells as rows: medians over records, how many they rest on, and where they disagree."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from bench import units
from bench.check.rows import FIT
from bench.judge.memory import PEAK_WORDS
from bench.records.check import CheckFigure, CheckRow
from bench.records.metrics import FIGURES, Metric
from bench.records.record import MemoryTrace
from bench.report import labels
from bench.report.basics import Figure, Status, Tone
from bench.report.card_metrics import COLUMNS
from bench.report.derived.interface import Prediction
from bench.report.interface import Disagreement, Row
from bench.report.merged.predictions import differ, prediction
from bench.report.metrics import between
from bench.report.rows import NOT_COMPARABLE

_NONE: Final = Figure(None, units.NOT_AVAILABLE)
_DISAGREE: Final = "records disagree"
FITS: Final = "Whether it fits"


def row(merged: CheckRow, trace: MemoryTrace | None, *, mixed: bool) -> Row:
    """One cell of a check document. `mixed`: not all of its rows have one provenance."""
    clip, tokens = units.clip_length(merged.clip_seconds), f"{merged.max_tokens:,}"
    figures = {name: _figure(metric, merged.figure(name)) for name, metric in FIGURES.items()}
    predicted = prediction(merged)
    return Row(
        cell_id=merged.cell_id,
        variant=title(merged, mixed=mixed),
        attention=merged.attention,
        profile=merged.profile,
        dtype=merged.dtype,
        clip_seconds=merged.clip_seconds,
        max_tokens=merged.max_tokens,
        clip=clip,
        tokens=tokens,
        shape=f"{clip} × {tokens}",
        provenance=merged.provenance,
        weight_mode=merged.weight_mode,
        status=_status(merged, predicted),
        figures={**{column.name: _NONE for column in COLUMNS}, **figures},
        peak_words=PEAK_WORDS[merged.peak] if merged.peak else "peak",
        peak=figures[merged.peak] if merged.peak else _NONE,
        prompt=basis(merged.machines, merged.records),
        labels=tuple(merged.labels),
        marks=tuple(_marks(merged)),
        comparison=_comparison(merged),
        same_kernels_as=merged.same_kernels_as,
        fits_with_desktop=merged.fits_with_desktop,
        error_tail=(),
        phases={},
        repetitions=(),
        prediction=predicted,
        predicted_bytes=merged.envelope.device_peak_bytes if merged.envelope else None,
        machines=merged.machines,
        records=merged.records,
        trace=trace,
        fit=merged.fit,
    )


def title(merged: CheckRow, *, mixed: bool = False) -> str:
    """The grid that a row stands in: what ran and what was predicted are never in one."""
    where = [labels.PROVENANCES[merged.provenance]] if mixed else []
    return ", ".join([labels.ATTENTIONS[merged.attention], *merged.variant, *where])


def basis(machines: int | None, records: int) -> str:
    """`3 machines`, or `5 records` where a record does not name its machine."""
    count, what = (records, "record") if machines is None else (machines, "machine")
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def disagreements(merged: CheckRow) -> Iterator[Disagreement]:
    """Everything in which the records of one cell differ by more than noise."""
    cell = f"{units.clip_length(merged.clip_seconds)} × {merged.max_tokens:,} ({title(merged)})"
    for name in merged.disagrees:
        if name == FIT:
            yield Disagreement(cell, FITS, _tally(merged))
            continue
        figure = merged.figure(name)
        if figure is not None:
            shown = _figure(FIGURES[name], figure)
            yield Disagreement(cell, FIGURES[name].heading, f"{shown.interval}, {shown.note}")


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


def _status(merged: CheckRow, predicted: Prediction | None) -> Status:
    if predicted is not None:
        return replace(predicted.fit, code=merged.status)
    word, tone = labels.STATUSES[merged.status]
    if len(merged.statuses) > 1:
        return Status(merged.status, word, Tone.WARN if FIT in merged.disagrees else tone, _tally(merged))
    return Status(merged.status, word, tone, merged.reason or "")


def _tally(merged: CheckRow) -> str:
    if merged.status == "predicted":
        return differ(merged)
    said = (f"{labels.STATUSES[status][0]} in {count}" for status, count in merged.statuses.items())
    return f"{', '.join(said)} of {_told(merged)} records"


def _told(merged: CheckRow) -> int:
    """How many records hold the cell, whatever came of it."""
    return sum(merged.statuses.values())


def _marks(merged: CheckRow) -> Iterator[str]:
    for label, count in merged.labels.items():
        yield label if _told(merged) == 1 else f"{label} in {count} of {_told(merged)}"
    if merged.same_kernels_as:
        yield NOT_COMPARABLE
    if FIT in merged.disagrees:
        yield _tally(merged)
    if set(merged.disagrees) - {FIT}:
        yield _DISAGREE


def _comparison(merged: CheckRow) -> str:
    if not merged.same_kernels_as:
        return ""
    return "asked for another attention and ran the same kernels as another cell: not comparable"
