"""The dataset of cells, for all plots except the memory trace."""

import math
from collections.abc import Iterator
from typing import Final, TypeGuard

from bench import units
from bench.records.enums import Provenance
from bench.report import ranges
from bench.report.basics import Figure
from bench.report.interface import Row, View
from bench.report.plots.interface import Datum
from bench.report.plots.series import Series
from bench.report.plots.verdicts import VERDICTS, code_of
from bench.text import clean

_DIGITS: Final = 4
_MAX_REASON: Final = 160
NEEDED: Final = "needed_bytes"


def cells(view: View, series: Series) -> list[Datum]:
    """One datum for each row: `c` clip in seconds, `n` new tokens, `v` and `s` its settings and line.

    `m` GiB that it needs, `lo` and `hi` as predicted, `r` tokens/s with `rl` and `rh`, and `p`, `e`, `f`, `d`
    its phases in seconds. Keys that end in `t` are the same in words, for the tooltip.
    """
    figure, speed = memory_figure(view), _ceiling if view.is_predicted else _speed
    data = []
    for nth, row in enumerate(view.rows):
        datum = _datum(nth, row, series, figure)
        if not view.is_emulated and row.provenance is not Provenance.EMULATED:
            datum.update(speed(row))
            datum.update(_phases(row))
        data.append(datum)
    return data


def _datum(nth: int, row: Row, series: Series, figure: str) -> Datum:
    code = code_of(row)
    verdict = VERDICTS[code]
    datum: Datum = {
        "i": nth,
        "v": series.variant(row),
        "s": series.line(row),
        "n": row.max_tokens,
        "c": row.clip_seconds,
        "cell": series.words(row),
        "k": code,
        "w": f"{verdict.symbol} {verdict.word}",
    }
    if row.status.reason:
        datum["why"] = clean(row.status.reason, _MAX_REASON)
    datum.update(_memory(row, figure))
    return datum


# --- memory -----------------------------------------------------------------------------------------------


def memory_figure(view: View) -> str:
    """The memory that a plot shows: the need of the card if any cell has it, else the peak of the cells.

    One figure for the whole plot: a process and a whole device are never drawn as one line.
    """
    rows = [row for row in view.rows if row.status.code in {"measured", "predicted"}]
    if any(row.figures[NEEDED].value is not None or row.predicted_bytes is not None for row in rows):
        return NEEDED
    return next((row.peak_words for row in rows if row.peak.value is not None), "allocated peak")


def _memory(row: Row, figure: str) -> Iterator[tuple[str, str | float]]:
    size = _size(row, figure)
    if size is not None:
        yield "m", _rounded(size / units.GIB)
        yield "mt", units.both_units(round(size))
    band = row.predicted_bytes
    if figure == NEEDED and band is not None and math.isfinite(band.low) and math.isfinite(band.high):
        yield "lo", _rounded(band.low / units.GIB)
        yield "hi", _rounded(band.high / units.GIB)
        yield "bt", ranges.both_units(band)


def _size(row: Row, figure: str) -> float | None:
    if row.prediction is not None:
        of_a_card = row.predicted_bytes is not None or figure == NEEDED
        return None if of_a_card else row.figures["allocated_peak_bytes"].value
    if figure == NEEDED:
        return row.figures[NEEDED].value
    return row.peak.value if row.peak_words == figure else None


# --- speed ------------------------------------------------------------------------------------------------


def _ceiling(row: Row) -> Iterator[tuple[str, str | float]]:
    """The ceiling, for views in which nothing ran: never drawn together with a speed."""
    figures = row.prediction.envelope if row.prediction else None
    rate = figures.ceiling.decode_tokens_per_s if figures and figures.ceiling else None
    if _is_number(rate):
        yield "r", _rounded(rate)
        yield "rt", f"at most {units.rate(rate, 'tok/s')}"


def _speed(row: Row) -> Iterator[tuple[str, str | float]]:
    figure = row.figures["decode_tokens_per_s"]
    if _is_number(figure.value):
        yield "r", _rounded(figure.value)
        yield "rt", f"{figure.text} ({figure.interval})" if figure.interval else figure.text
        yield from _interval(figure)


def _interval(figure: Figure) -> Iterator[tuple[str, float]]:
    if _is_number(figure.low) and _is_number(figure.high):
        yield "rl", _rounded(figure.low)
        yield "rh", _rounded(figure.high)


def _phases(row: Row) -> Iterator[tuple[str, str | float]]:
    """Preprocess, encode, the first token less both, and the rest of the latency, from medians."""
    if row.status.code != "measured":
        return
    names = ("preprocess_s", "encode_s", "time_to_first_token_s", "latency_s")
    known = [value for value in (row.figures[name].value for name in names) if _is_number(value)]
    if len(known) < len(names):
        return
    preprocess, encode, first, latency = known
    parts = (preprocess, encode, first - preprocess - encode, latency - first)
    if min(parts) < 0:  # medians of different repeats: where they do not add up, nothing is drawn
        return
    yield from zip("pefd", map(_rounded, parts), strict=True)
    yield "lt", row.figures["latency_s"].text


def _is_number(value: float | None) -> TypeGuard[float]:
    return value is not None and math.isfinite(value)


def _rounded(value: float) -> float:
    """Four significant digits: finer than any pixel."""
    return units.rounded(value, _DIGITS)
