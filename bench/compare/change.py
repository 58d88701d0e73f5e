"""From evidence to a plain verdict on one metric."""

import math
from collections.abc import Sequence
from statistics import median
from typing import Final

from bench.compare.evidence import Evidence, Observed, evidence
from bench.compare.ranks import ALPHA
from bench.compare.resampling import FEWEST, interval
from bench.records.base import Interval
from bench.records.comparison import Change, Unit, Word
from bench.records.comparison_reasons import (
    ChangeNote,
    NoRatio,
    NotClear,
    OneValueEach,
    PeakMayBeMissing,
    TooFewRepeats,
    TooFewValues,
    WithinAssumedSpread,
    WithinMeasuredSpread,
)
from bench.records.metrics import MEMORY_NOISE, METRICS, Kind
from bench.wording.comparison import change_note

_DIRECTED: Final = frozenset({Word.FASTER, Word.SLOWER, Word.LESS, Word.MORE})


def change(metric: str, cells: Sequence[Observed]) -> Change | None:
    """The change of a metric over these cells, with the medians if it is one cell; None without a cell."""
    if not cells:
        return None
    base, new = _medians(cells)
    found = evidence(cells)
    if found is None:
        return _without_ratio(metric, cells, base, new)
    by = math.expm1(found.log_ratio)
    if base is not None and new is not None and found.unit is not Unit.PAIR:
        by = new / base - 1  # exact where nothing changed
    verdict, note = _verdict(metric, by, found)
    is_timed = METRICS[metric].kind is Kind.TIMED
    return Change(
        base=base,
        new=new,
        change=by,
        interval=_interval(found) if is_timed else None,
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


def _medians(cells: Sequence[Observed]) -> tuple[float | None, float | None]:
    if len(cells) > 1:
        return None, None
    return median(cells[0].base), median(cells[0].new)


def _verdict(metric: str, by: float, found: Evidence) -> tuple[Word, ChangeNote | None]:
    match METRICS[metric].kind:
        case Kind.COUNTED:
            return (_word(metric, by) if by else Word.SAME), None
        case Kind.WATCHED if abs(by) > MEMORY_NOISE:
            return _word(metric, by), PeakMayBeMissing()
        case Kind.WATCHED:
            return Word.SAME_WITHIN_NOISE, None
        case Kind.TIMED:
            return _of_timed(metric, by, found)


def _word(metric: str, by: float) -> Word:
    """The word for a change that is there."""
    row = METRICS[metric]
    if row.unit.is_speed:
        return Word.FASTER if row.is_better(by) else Word.SLOWER
    return Word.MORE if by > 0 else Word.LESS


def _of_timed(metric: str, by: float, found: Evidence) -> tuple[Word, ChangeNote | None]:
    if found.unit is Unit.ONCE:
        return Word.CANNOT_TELL, OneValueEach()
    if found.unit is Unit.REPEAT:
        return _of_repeats(metric, by, found)
    if found.p is None or found.smallest_p > ALPHA:
        return Word.CANNOT_TELL, TooFewValues()
    return (Word.SAME_WITHIN_NOISE if found.p > ALPHA or not by else _word(metric, by)), None


def _of_repeats(metric: str, by: float, found: Evidence) -> tuple[Word, ChangeNote | None]:
    """A rule and no test: single processes say nothing of how much their builds vary."""
    if found.draws is None:
        return Word.CANNOT_TELL, TooFewRepeats(least=FEWEST)
    # As a ratio, so that what is lost one way is won the other way round.
    spread, size = found.spread or 0.0, abs(math.log1p(by))
    if found.are_apart and size > _margin(found):
        return _word(metric, by), None
    if size > math.log1p(spread):
        return Word.CANNOT_TELL, NotClear()
    if found.is_assumed and found.are_apart:
        return Word.CANNOT_TELL, WithinAssumedSpread(spread=spread)
    return Word.SAME_WITHIN_NOISE, None if found.is_assumed else WithinMeasuredSpread(spread=spread)


def _margin(found: Evidence) -> float:
    """Twice what was only assumed, or what was measured; and twice the base's own noise."""
    spread = math.log1p(found.spread or 0.0)
    return max(2 * spread if found.is_assumed else spread, 2 * math.log1p(found.noise or 0.0))


def _interval(found: Evidence) -> Interval | None:
    """Of single processes wider by their spread: their repeats do not show how much processes differ."""
    spread = found.spread if found.unit is Unit.REPEAT else None
    return interval(found.draws, wider=math.log1p(spread or 0.0))


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
        verdict=Word.SAME if is_same else Word.CANNOT_TELL,
        better=None,
        note="" if is_same else change_note(NoRatio()),
        note_code=None if is_same else NoRatio(),
    )
