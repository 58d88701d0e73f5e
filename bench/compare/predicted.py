"""Changes between two predictions: nothing was drawn at random, so that a difference is exact.

Where the prediction is an interval, both of its ends are compared: the true value lies between them, on each
side, and the change between those of both ends.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from statistics import fmean
from typing import Final

from bench.judge.prediction import Budgets, budgets_of
from bench.records.base import ByteInterval, Interval
from bench.records.cell import CellResult
from bench.records.comparison import CellComparison, Change, ChangeVerdict, Difference, Unit
from bench.records.comparison_reasons import EndsDisagree, NoRatio
from bench.records.metrics import METRICS
from bench.records.prediction import Envelope
from bench.records.record import Record
from bench.units import Unit as Bytes
from bench.units import clip_length, quantity
from bench.wording import labels
from bench.wording.comparison import change_note
from bench.wording.labels import ATTENTIONS

_PREDICTED: Final = ("allocated_peak_bytes", "reserved_peak_bytes", "device_peak_bytes")
"""Metrics that an envelope has. Its speeds are ceilings and no forecast, so that they are not compared."""


def changes(old: CellResult, now: CellResult) -> dict[str, Change]:
    """By metric, how the prediction of a cell changed; empty where one side has none."""
    if old.envelope is None or now.envelope is None:
        return {}
    found = {name: _change(name, old.envelope, now.envelope) for name in _PREDICTED}
    return {name: by for name, by in found.items() if by is not None}


def overall(cells: Sequence[CellComparison]) -> dict[str, Change]:
    """By metric, the geometric mean over the cells that were predicted on both sides."""
    every = {name: [*_predicted(name, cells)] for name in _PREDICTED}
    return {name: _mean(name, found) for name, found in every.items() if found}


def budgets_and_clips(base: Record, new: Record) -> tuple[Difference, ...]:
    """Systems, budgets and lines of the predicted frontier that differ; none where one side ran."""
    olds, news = (
        {**dict(_system(record)), **dict(_budgets(record)), **dict(_frontier(record))}
        for record in (base, new)
    )
    return tuple(
        Difference(what=what, base=olds[what], new=news[what])
        for what in olds
        if what in news and olds[what] != news[what]
    )


def _change(name: str, old: Envelope, now: Envelope) -> Change | None:
    before, after = getattr(old, name), getattr(now, name)
    if before is None or after is None:
        return None
    is_range = isinstance(before, ByteInterval)
    base, new = (before, after) if is_range else (_point(before), _point(after))
    if min(base.low, base.high) <= 0:
        return _made(name, base, new, None, is_range=is_range)
    ends = new.low / base.low - 1, new.high / base.high - 1
    return _made(name, base, new, ends, is_range=is_range)


def _point(value: int) -> ByteInterval:
    return ByteInterval(low=value, high=value)


def _made(
    name: str, base: ByteInterval, new: ByteInterval, ends: tuple[float, float] | None, *, is_range: bool
) -> Change:
    made = _of_ends(name, ends, count=1, is_range=is_range)
    intervals = {"base_interval": base, "new_interval": new} if is_range else {}
    return made.model_copy(update={"base": base.high, "new": new.high, **intervals})


def _of_ends(name: str, ends: tuple[float, float] | None, *, count: int, is_range: bool) -> Change:
    """`ends`: the changes of the low and of the high end; None where one was 0."""
    interval = None if ends is None else Interval(low=min(ends), high=max(ends))
    word = ChangeVerdict.CANNOT_TELL if interval is None else _word(interval)
    note = (NoRatio() if interval is None else EndsDisagree()) if word is ChangeVerdict.CANNOT_TELL else None
    is_directed = word in {ChangeVerdict.LESS, ChangeVerdict.MORE}
    return Change(
        base=None,
        new=None,
        change=None if ends is None else ends[1],
        interval=interval if is_range else None,
        p=None,
        n_base=count,
        n_new=count,
        unit=Unit.PREDICTION,
        noise=None,
        process_spread=None,
        verdict=word,
        better=METRICS[name].is_better(ends[1] or ends[0]) if is_directed and ends is not None else None,
        note=change_note(note),
        note_code=note,
    )


def _word(ends: Interval) -> ChangeVerdict:
    """Of an interval one end may stay where it was."""
    if ends.low == ends.high == 0:
        return ChangeVerdict.SAME
    if ends.low >= 0:
        return ChangeVerdict.MORE
    return ChangeVerdict.LESS if ends.high <= 0 else ChangeVerdict.CANNOT_TELL


def _predicted(name: str, cells: Iterable[CellComparison]) -> Iterator[Change]:
    for cell in cells:
        by = cell.metrics.get(name)
        if by is not None and by.unit is Unit.PREDICTION and by.change is not None:
            yield by


def _mean(name: str, found: Sequence[Change]) -> Change:
    """Of the low ends and of the high ends, each by itself."""
    is_range = any(by.interval is not None for by in found)
    ends = [(by.interval.low, by.interval.high) if by.interval else (by.change, by.change) for by in found]
    low, high = (math.expm1(fmean(math.log1p(end[n] or 0.0) for end in ends)) for n in (0, 1))
    return _of_ends(name, (low, high), count=len(found), is_range=is_range)


def _system(record: Record) -> Iterator[tuple[str, str]]:
    system = record.derivation.system if record.derivation is not None else None
    if system is not None:
        yield "predicted for", labels.system(system)


def _budgets(record: Record) -> Iterator[tuple[str, str]]:
    found = budgets_of(record) if record.derivation is not None else Budgets()
    for where, budget in (("headless", found.headless), ("desktop", found.desktop)):
        if budget is not None:
            low, high = (quantity(end, Bytes.BYTES) for end in (budget.low, budget.high))
            yield f"memory for one program, {where}", low if low == high else f"{low} to {high}"


def _frontier(record: Record) -> Iterator[tuple[str, str]]:
    """Return the three lengths of each line; none for a budget that was not requested."""
    budgets = budgets_of(record)
    for line in record.derivation.longest_clips if record.derivation is not None else ():
        of = f"{line.max_tokens:,} tokens ({ATTENTIONS[line.attention]})"
        if budgets.headless is not None:
            lengths = line.headless_fits_s, line.headless_likely_fits_s, line.headless_misfit_s
            yield from _lengths(f"headless, {of}", lengths, budgets.headless_typical_bytes is not None)
        if budgets.desktop is not None:
            lengths = line.desktop_fits_s, line.desktop_likely_fits_s, line.desktop_misfit_s
            yield from _lengths(f"desktop, {of}", lengths, budgets.desktop_typical_bytes is not None)


def _lengths(
    what: str, lengths: tuple[float | None, float | None, float | None], likely_is_known: bool
) -> Iterator[tuple[str, str]]:
    fits_s, likely_s, misfit_s = lengths
    nothing = labels.no_length(misfit_s)
    yield f"longest clip that fits, {what}", nothing if fits_s is None else clip_length(fits_s)
    if likely_is_known:
        likely = nothing if likely_s is None else clip_length(likely_s)
        yield f"longest clip that likely fits, {what}", likely
    misfit = labels.NEVER if misfit_s is None else clip_length(misfit_s)
    yield f"shortest clip that does not fit, {what}", misfit
