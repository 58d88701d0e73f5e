"""The sentence below the verdict of a prediction. It never says that anything ran."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from bench import units
from bench.judge.prediction import DESKTOP, HEADLESS, Budgets, cell_verdict
from bench.judge.why import length, shape, shape_of, size
from bench.records.check import FrontierLine
from bench.records.enums import Verdict
from bench.records.record import Record

HEAD: Final = "Derived, not measured"
"""How the sentence of every prediction begins."""
_SHORTEST_S: Final = 1.0  # of a predicted line


def tiny() -> str:
    """A prediction for the tiny model."""
    return f"{HEAD}, and for a tiny model, which says nothing about whether the real model runs."


def fits(points: Sequence[FrontierLine]) -> str:
    """Something that was asked for surely fits: the longest clip in each room that was asked for."""
    return f"{HEAD}: {'; '.join(_rooms(points))}."


def too_close(record: Record, points: Sequence[FrontierLine], budgets: Budgets) -> str:
    """Nothing that was asked for surely fits, and something may."""
    return f"{HEAD}: {_smallest(record, Verdict.TOO_CLOSE_TO_CALL, budgets)}{_shorter(points)}."


def nothing_fits(record: Record, points: Sequence[FrontierLine], budgets: Budgets) -> str:
    """Nothing that was asked for fits."""
    smallest = _smallest(record, Verdict.DOES_NOT_FIT, budgets)
    return (
        f"{HEAD}: nothing that was asked for fits; {_weights(record, budgets) or smallest}{_shorter(points)}."
    )


def on_a_cpu(record: Record) -> str:
    """A prediction for the CPU's kernels."""
    peaks = [(cell.envelope.allocated_peak_bytes, cell) for cell in record.cells if cell.envelope is not None]
    if not peaks:
        return f"{HEAD}, for a CPU, which has no VRAM budget to hold anything against."
    peak, cell = max(peaks, key=lambda pair: pair[0])
    return (
        f"{HEAD}, for a CPU, which has no VRAM budget to hold it against: the highest predicted peak is "
        f"{units.both_units(peak)}, of {shape(cell)}."
    )


class _Line(NamedTuple):
    """One point of the frontier, of one room."""

    fits_s: float | None
    misfit_s: float | None
    max_tokens: int
    context_s: float | None


def _rooms(points: Sequence[FrontierLine]) -> list[str]:
    """One clause for each room that is known, headless first."""
    headless = [
        _Line(point.longest_fit_s, point.smallest_misfit_s, point.max_tokens, point.context_s)
        for point in points
        if point.headless_is_known
    ]
    desktop = [
        _Line(
            point.longest_fit_with_desktop_s,
            point.smallest_misfit_with_desktop_s,
            point.max_tokens,
            point.context_s,
        )
        for point in points
        if point.desktop_is_known
    ]
    return [_clause(place, lines) for place, lines in ((HEADLESS, headless), (DESKTOP, desktop)) if lines]


def _clause(place: str, lines: Sequence[_Line]) -> str:
    """`headless clips of up to 128 s (2 min 8 s) with 512 new tokens surely fit, ...`."""
    fitting = [line for line in lines if line.fits_s is not None]
    if not fitting:
        return f"{place} {_none(min(lines, key=lambda line: line.max_tokens))}"
    line = max(fitting, key=lambda line: (line.fits_s or 0.0, line.max_tokens))
    fits_s = line.fits_s or 0.0
    upto = f"{place} clips of up to {shape_of(fits_s, line.max_tokens)} surely fit"
    if line.misfit_s is not None:
        return f"{upto}, those from {length(line.misfit_s)} on do not"
    if line.context_s is None:
        return f"{upto}, longer ones were not looked for"
    return f"{upto}, the longest that the model's context holds" if fits_s == line.context_s else upto


def _none(line: _Line) -> str:
    """Nothing surely fits, not even with the fewest new tokens; without a line only of what was asked for."""
    if line.context_s is None:
        return _none_asked_for(line)
    if line.misfit_s is None:
        return "every clip is too close to call"
    if line.misfit_s <= _SHORTEST_S:
        return "no clip fits"
    return f"no clip surely fits, and from {shape_of(line.misfit_s, line.max_tokens)} on none does"


def _none_asked_for(line: _Line) -> str:
    if line.misfit_s is None:
        return "every clip that was asked for is too close to call"
    from_here = shape_of(line.misfit_s, line.max_tokens)
    return (
        f"none that was asked for surely fits: clips from {from_here} on do not, "
        "shorter ones were not looked for"
    )


def _smallest(record: Record, verdict: Verdict, budgets: Budgets) -> str:
    """The smallest cell that came out like this, with its figures."""
    judged = [(cell, cell_verdict(cell, budgets)) for cell in record.cells]
    cell, found = min((pair for pair in judged if pair[1].verdict is verdict), key=lambda pair: size(pair[0]))
    return f"a clip of {shape(cell)} is the smallest, and {found.why}"


def _weights(record: Record, budgets: Budgets) -> str | None:
    """Where the weights alone are more than the card has, nothing else matters."""
    weights = [cell.envelope.weights_bytes for cell in record.cells if cell.envelope is not None]
    there = [budget.high for budget in (budgets.headless, budgets.desktop) if budget is not None]
    if not there or not weights:
        return None
    most = max(there)
    if min(weights) <= most:
        return None
    return (
        f"the weights alone take {units.both_units(min(weights))} "
        f"and at most {units.both_units(round(most))} is there"
    )


def _shorter(points: Sequence[FrontierLine]) -> str:
    """What fits nevertheless, shorter than all that was asked for."""
    fits_somewhere = any(point.longest_fit_s or point.longest_fit_with_desktop_s for point in points)
    return f"; {_rooms(points)[0]}" if fits_somewhere else ""
