"""The verdict over all records, its reason and its caveats."""

from collections.abc import Iterable, Sequence
from typing import Literal

from bench.check.sources import Sources, machines_of
from bench.check.summary import RecordHead
from bench.judge.prediction import ORDER
from bench.judge.same_run import varying, words_of
from bench.records.check import CheckRow
from bench.records.enums import Fit, PeakMetric, Provenance, Verdict
from bench.records.verdicts import (
    Basis,
    BySetting,
    MemoryFigure,
    MergedMisfit,
    MergedRan,
    MergedSmoke,
    MergedTooClose,
    MergedUnknown,
    MergedUnsupported,
    NewestDecides,
    OutcomeCount,
    RowShape,
    SettingReason,
    VerdictReason,
)

_Variants = tuple[tuple[str, ...], ...]


def merge_verdict(sources: Sources, rows: Sequence[CheckRow]) -> tuple[Verdict, VerdictReason]:
    """The verdict over records of one model on one card, and why.

    One record keeps its own. Of several predictions the newest of each setting counts, and the one that goes
    furthest decides, as within one record. Of several runs the merged cells decide, by the rules of one
    record: a cell that ran in one and not in another shows nothing.
    """
    heads = sources.deciding
    if len(heads) == 1:
        return heads[0].verdict, heads[0].why
    basis = Basis(provenance=heads[0].provenance, records=len(heads), machines=machines_of(heads))
    if sources.provenance is Provenance.SMOKE:
        return Verdict.UNKNOWN, MergedSmoke(basis=basis)
    if sources.provenance is Provenance.DERIVED or heads[0].elsewhere is not None:
        return _by_variant(basis, heads)
    own = [row for row in rows if row.provenance is sources.provenance]
    verdict = _decide(own)
    return verdict, _why(verdict, own, basis, emulated=heads[0].emulation is not None)


def _decide(rows: Sequence[CheckRow]) -> Verdict:
    ran = [row for row in rows if row.fit is Fit.FITS]
    if ran:
        answers = {row.fits_with_desktop for row in ran}
        return Verdict.RUNS if True in answers or None in answers else Verdict.RUNS_HEADLESS
    if any(row.fit is Fit.TOO_CLOSE_TO_CALL for row in rows):
        return Verdict.TOO_CLOSE_TO_CALL
    if rows and all(row.status == "unsupported" for row in rows):
        return Verdict.UNSUPPORTED
    misfits = [row for row in rows if row.fit is Fit.DOES_NOT_FIT]
    tried = any(row.status in {"out_of_memory", "measured"} for row in misfits)
    if tried and all(row.fit is Fit.DOES_NOT_FIT or row.status == "unsupported" for row in rows):
        return Verdict.DOES_NOT_FIT
    return Verdict.UNKNOWN


def _why(verdict: Verdict, rows: Sequence[CheckRow], basis: Basis, *, emulated: bool) -> VerdictReason:
    match verdict:
        case Verdict.RUNS | Verdict.RUNS_HEADLESS:
            return _ran(rows, basis, emulated=emulated)
        case Verdict.TOO_CLOSE_TO_CALL:
            return MergedTooClose(basis=basis, close=_tally(_smallest(rows, Fit.TOO_CLOSE_TO_CALL)))
        case Verdict.DOES_NOT_FIT:
            return MergedMisfit(basis=basis, smallest=_shape(_smallest(rows, Fit.DOES_NOT_FIT)))
        case Verdict.UNSUPPORTED:
            return MergedUnsupported(basis=basis)
        case Verdict.UNKNOWN:
            return MergedUnknown(basis=basis)


def _ran(rows: Sequence[CheckRow], basis: Basis, *, emulated: bool) -> MergedRan:
    ran = [row for row in rows if row.fit is Fit.FITS]
    longest = max(ran, key=_size)
    desktop = max((row for row in ran if row.fits_with_desktop), key=_size, default=None)
    close = any(row.fit is Fit.TOO_CLOSE_TO_CALL for row in rows)
    ran_out = [row for row in rows if row.status == "out_of_memory" and row.fit]
    decode = longest.figure("decode_tokens_per_s")
    return MergedRan(
        basis=basis,
        cell=_shape(longest),
        records=longest.records,
        decode_tokens_per_s=None if decode is None or emulated else decode.value,
        memory=_memory(longest, emulated=emulated),
        with_desktop=None if desktop is None else _shape(desktop),
        largest_fits_with_desktop=desktop is not None and desktop.cell_id == longest.cell_id,
        none_fits_with_desktop=all(row.fits_with_desktop is False for row in ran),
        close=_tally(_smallest(rows, Fit.TOO_CLOSE_TO_CALL)) if close else None,
        misfit=_shape(min(ran_out, key=_size)) if ran_out else None,
    )


def _smallest(rows: Sequence[CheckRow], fit: Fit) -> CheckRow:
    return min((row for row in rows if row.fit is fit), key=_size)


def _memory(row: CheckRow, *, emulated: bool) -> MemoryFigure | None:
    metric: PeakMetric | Literal["needed_bytes"] | None = "needed_bytes" if emulated else row.peak
    figure = None if metric is None else row.figure(metric)
    if metric is None or figure is None or figure.value is None:
        return None
    return MemoryFigure(metric=metric, size_bytes=round(figure.value))


def _tally(row: CheckRow) -> OutcomeCount:
    return OutcomeCount(cell=_shape(row), statuses=row.statuses)


def _shape(row: CheckRow) -> RowShape:
    return RowShape(clip_seconds=row.clip_seconds, max_tokens=row.max_tokens, attention=row.attention)


def _size(row: CheckRow) -> tuple[float, int]:
    """Sort key of a row by size; of equal ones the first counts, as for the figures above a report."""
    return row.clip_seconds, row.max_tokens


# --- settings that no merged cell decides ------------------------------------------------------------------


def _by_variant(basis: Basis, heads: Sequence[RecordHead]) -> tuple[Verdict, VerdictReason]:
    """The verdict of the setting with the longest clip, and the reason for each setting, that one first.

    `heads` are the oldest first. Of records with the same requested settings the newest decides.
    """
    names = varying(line.settings for head in heads for line in head.lines)
    newest = {_variants(head, names): head for head in heads}
    ordered = sorted(newest.items(), key=lambda item: _rank(*item))
    _, furthest = ordered[0]
    if len(ordered) == 1:
        return furthest.verdict, NewestDecides(basis=basis, why=furthest.why)
    settings = (SettingReason(variants=variants, why=head.why) for variants, head in ordered)
    return furthest.verdict, BySetting(basis=basis, settings=tuple(settings))


def _variants(head: RecordHead, names: Sequence[str]) -> _Variants:
    """Return the variants of a record's cells, each once, in the settings in which records differ."""
    found = dict.fromkeys(words_of(line.settings, names) for line in head.lines)
    return tuple(filter(None, found))


def _rank(variants: _Variants, head: RecordHead) -> tuple[int, float, _Variants]:
    return ORDER.index(head.verdict), -_longest(line.longest_fit_s for line in head.lines), variants


def _longest(lengths_s: Iterable[float | None]) -> float:
    return max((length for length in lengths_s if length is not None), default=0.0)
