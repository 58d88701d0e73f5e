"""From evidence to a plain verdict on one metric: the interval of its change, and what it excludes."""

import math
from collections.abc import Sequence
from statistics import median
from typing import Final, NamedTuple

from bench.compare.evidence import Evidence, Observed, evidence
from bench.compare.ranks import ALPHA
from bench.compare.resampling import FEWEST
from bench.records.base import Interval
from bench.records.comparison import Change, ChangeVerdict, Unit
from bench.records.comparison_reasons import (
    BeyondAssumedSpread,
    ChangeIntervalKind,
    ChangeNote,
    DriftNotTested,
    NoRatio,
    OneValueEach,
    PeakMayBeMissing,
    TooFewRepeats,
    TooFewRuns,
    TooFewValues,
    WithinMeasuredSpread,
    WithinSegmentOrder,
)
from bench.records.metrics import MEMORY_NOISE, METRICS, Kind
from bench.units import Unit as Units
from bench.wording.comparison import change_note

_DIRECTED: Final = frozenset(
    {ChangeVerdict.FASTER, ChangeVerdict.SLOWER, ChangeVerdict.LESS, ChangeVerdict.MORE}
)
_MOST_LOG: Final = 600.0
"""Beyond it a ratio is no number that a document can hold."""


class Bounds(NamedTuple):
    """The least and the largest change that the values allow; infinite where one rose from 0."""

    low: float
    high: float


def change(metric: str, cells: Sequence[Observed], level: float = ALPHA) -> Change | None:
    """The change of a metric over these cells, with the medians if it is one cell; None without a cell.

    `level` is that of the rank tests: a smaller one where one of many cells is looked at.
    """
    if not cells:
        return None
    base, new = _medians(metric, cells)
    found = evidence(cells, level)
    if found is None:
        return _without_ratio(metric, cells, base, new)
    by = _relative(found.log_ratio)
    if (
        base is not None
        and new is not None
        and found.unit is not Unit.PAIR
        and abs(found.log_ratio) < _MOST_LOG
    ):
        by = new / base - 1  # exact where nothing changed
    is_timed = METRICS[metric].kind is Kind.TIMED
    interval = _interval(by, found) if is_timed else None
    verdict, note = _verdict(metric, cells, by, found, interval)
    is_shown = is_timed and interval is not None
    return Change(
        base=base,
        new=new,
        change=by,
        interval=interval,
        interval_kind=found.kind if is_shown else None,
        interval_n=found.n if is_shown else None,
        p=found.p if is_timed else None,
        n_base=found.n_base,
        n_new=found.n_new,
        unit=found.unit,
        noise=found.noise if is_timed else None,
        process_spread=found.spread if is_timed else None,
        verdict=verdict,
        better=METRICS[metric].is_better(by) if verdict in _DIRECTED else None,
        note=change_note(note),
        note_code=note,
    )


def bounds(metric: str, found: Change) -> Bounds | None:
    """Return the bounds that a gate is compared with; None if unknown.

    Timed, and predicted intervals: the interval, but not the range of pairs that are too few for their test.
    Counted: the change itself. Watched: by as much to both sides as a look may miss. Reserved memory: a
    difference within the noise of equal builds is none, and a larger one is known to that noise.
    """
    row = METRICS[metric]
    kind = row.kind
    if found.unit is Unit.PREDICTION and found.interval is not None:
        return Bounds(found.interval.low, found.interval.high)
    if kind is Kind.TIMED:
        is_tested = found.interval is not None and not _is_untested(found.unit, found.interval_kind)
        return Bounds(found.interval.low, found.interval.high) if found.interval and is_tested else None
    if found.change is None:
        return _from_zero(found)
    missed = 0.0
    if found.unit is not Unit.PREDICTION and found.base and found.new is not None:
        if kind is Kind.COUNTED and abs(found.new - found.base) <= row.noise_bytes:
            return Bounds(0.0, 0.0) if row.noise_bytes else Bounds(found.change, found.change)
        missed = max(row.noise_bytes / found.base, MEMORY_NOISE if kind is Kind.WATCHED else 0.0)
    return Bounds(found.change - missed, found.change + missed)


def _from_zero(found: Change) -> Bounds | None:
    if found.base == 0 and found.new is not None:
        return Bounds(math.inf, math.inf) if found.new else Bounds(0.0, 0.0)
    return Bounds(-1.0, -1.0) if found.base and found.new == 0 else None


def _medians(metric: str, cells: Sequence[Observed]) -> tuple[float | None, float | None]:
    if len(cells) > 1:
        return None, None
    return _middle(metric, cells[0].base), _middle(metric, cells[0].new)


def _middle(metric: str, values: Sequence[float]) -> float:
    """The median. Of bytes it is a whole number, rounded."""
    middle = median(values)
    is_whole = METRICS[metric].unit is Units.BYTES or (METRICS[metric].unit.is_whole and middle.is_integer())
    return round(middle) if is_whole else middle


def _is_untested(unit: Unit, kind: ChangeIntervalKind | None) -> bool:
    """Whether it is the range of pairs that are too few for their test: it shows no change."""
    return unit is Unit.PAIR and kind == "range"


def _verdict(
    metric: str, cells: Sequence[Observed], by: float, found: Evidence, interval: Interval | None
) -> tuple[ChangeVerdict, ChangeNote | None]:
    row = METRICS[metric]
    apart = max(abs(median(cell.new) - median(cell.base)) for cell in cells)
    match row.kind:
        case Kind.COUNTED if apart and apart <= row.noise_bytes:
            return ChangeVerdict.SAME_WITHIN_NOISE, WithinSegmentOrder(threshold_bytes=row.noise_bytes)
        case Kind.COUNTED:
            return (_word(metric, by) if by else ChangeVerdict.SAME), None
        case Kind.WATCHED if abs(by) > MEMORY_NOISE and apart > row.noise_bytes:
            return _word(metric, by), PeakMayBeMissing()
        case Kind.WATCHED:
            return ChangeVerdict.SAME_WITHIN_NOISE, None
        case Kind.TIMED:
            return _of_timed(metric, by, found, interval)


def _word(metric: str, by: float) -> ChangeVerdict:
    """The verdict for a change that is shown."""
    row = METRICS[metric]
    if row.unit.is_speed:
        return ChangeVerdict.FASTER if row.is_better(by) else ChangeVerdict.SLOWER
    return ChangeVerdict.MORE if by > 0 else ChangeVerdict.LESS


def _of_timed(
    metric: str, by: float, found: Evidence, interval: Interval | None
) -> tuple[ChangeVerdict, ChangeNote | None]:
    """Return a change as shown if its interval excludes 0."""
    if interval is None or _is_untested(found.unit, found.kind):
        return ChangeVerdict.CANNOT_TELL, _why_no_interval(found)
    drift = DriftNotTested() if found.unit is Unit.PROCESS else None
    if interval.low > 0 or interval.high < 0:
        beyond = BeyondAssumedSpread(factor=1 + (found.spread or 0.0)) if found.is_assumed else drift
        return _word(metric, by), beyond
    if found.is_assumed:
        base, new = found.runs
        return ChangeVerdict.CANNOT_TELL, TooFewRuns(base=base, new=new, factor=1 + (found.spread or 0.0))
    if found.unit is Unit.REPEAT:
        return ChangeVerdict.SAME_WITHIN_NOISE, WithinMeasuredSpread(spread=found.spread or 0.0)
    return ChangeVerdict.SAME_WITHIN_NOISE, drift


def _why_no_interval(found: Evidence) -> ChangeNote:
    if found.unit is Unit.ONCE:
        return OneValueEach()
    if found.is_assumed and found.spread is None:
        base, new = found.runs
        return TooFewRuns(base=base, new=new, factor=None)
    return TooFewRepeats(least=FEWEST) if found.unit is Unit.REPEAT else TooFewValues()


def _interval(by: float, found: Evidence) -> Interval | None:
    """The change lies in it: the ratio of medians may lie beyond what the ranks allow."""
    if found.ends is None:
        return None
    low, high = map(_relative, found.ends)
    return Interval(low=min(low, by), high=max(high, by))


def _relative(log_ratio: float) -> float:
    return math.expm1(max(-_MOST_LOG, min(_MOST_LOG, log_ratio)))


def _without_ratio(metric: str, cells: Sequence[Observed], base: float | None, new: float | None) -> Change:
    is_same = base == new and base is not None and METRICS[metric].kind is Kind.COUNTED
    return Change(
        base=base,
        new=new,
        change=None,
        interval=None,
        p=None,
        n_base=sum(len(cell.base) for cell in cells),
        n_new=sum(len(cell.new) for cell in cells),
        unit=cells[0].unit,
        noise=None,
        process_spread=None,
        verdict=ChangeVerdict.SAME if is_same else ChangeVerdict.CANNOT_TELL,
        better=None,
        note="" if is_same else change_note(NoRatio()),
        note_code=None if is_same else NoRatio(),
    )
