"""Gates: how much worse a metric may become. `decode_tokens_per_s:-5%` fails beyond 5 % fewer tokens/s.

A gate on a timed metric fails where the change is beyond the limit and its verdict is the bad one, over all
cells or in one of them; with Holm's correction where a test says so, because one cell of many is beyond it
sooner or later. `docs/comparing.md` has the rule and how often it errs.
"""

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from bench.compare.ranks import ALPHA, holm
from bench.errors import UsageError
from bench.records.comparison import CellComparison, Change, GateResult, Unit, Word
from bench.records.comparison_reasons import (
    BaseTooNoisy,
    CellPlace,
    CellsLost,
    CellsNotCompared,
    ChangeAt,
    ChangeShown,
    GateReason,
    MayBeChance,
    MayReachBeyond,
    NoCellHasMetric,
    NoInterval,
    NoRatioInCell,
    NotDecided,
    ProcessesTooFarApart,
    WiderThanGate,
    WorstChange,
)
from bench.records.metrics import METRICS, Better, Kind
from bench.wording.comparison import gate_reason

_GATE: Final = re.compile(r"([a-z0-9_]{1,64}):([+-])([0-9]{1,4}(?:\.[0-9]{1,4})?)%", re.ASCII)
_SHAPE: Final = "Write METRIC:-5% or METRIC:+5%, such as decode_tokens_per_s:-5%"


@dataclass(frozen=True, slots=True)
class Gate:
    """`limit` is the relative change that is still allowed, its sign the bad way: -0.05 for `-5%`."""

    text: str
    metric: str
    limit: float

    def is_beyond(self, change: float) -> bool:
        """Whether a relative change is worse than allowed."""
        return change < self.limit if self.limit_is_lower else change > self.limit

    @property
    def limit_is_lower(self) -> bool:
        """Whether the metric may fall so far, rather than rise."""
        return METRICS[self.metric].better is Better.HIGHER


def parse_gate(text: str) -> Gate:
    """One `--fail-on`.

    Raises:
        UsageError: no such metric, no percentage with its sign, or a sign that goes the good way.
    """
    match = _GATE.fullmatch(text)
    if match is None:
        raise UsageError(f"--fail-on: '{text}' is no gate", hint=_SHAPE)
    metric, sign, percent = match.groups()
    _require_known(metric)
    bad = "-" if METRICS[metric].better is Better.HIGHER else "+"
    if sign != bad:
        raise UsageError(
            f"--fail-on: {metric} gets worse as it {'falls' if bad == '-' else 'rises'}, not with '{sign}'",
            hint=f"Write {metric}:{bad}{percent}%",
        )
    share = float(percent) / 100
    if sign == "-" and share >= 1:
        raise UsageError(f"--fail-on: {metric} cannot fall by {percent}%", hint="Write less than 100%")
    return Gate(text, metric, -share if sign == "-" else share)


def _require_known(metric: str) -> None:
    if metric not in METRICS:
        near = difflib.get_close_matches(metric, METRICS, n=2)
        guess = f"Did you mean {' or '.join(near)}?" if near else f"There are {', '.join(METRICS)}"
        raise UsageError(f"--fail-on: there is no metric '{metric}'", hint=guess)


# --- whether a gate holds ---------------------------------------------------------------------------------

Decision = tuple[Literal["passed", "failed", "cannot_tell"], GateReason]


@dataclass(frozen=True, slots=True)
class Case:
    """The changes that a gate judges: over all cells and in each of them.

    `only_in_base`: how many cells ran there and are not in the new side at all.
    """

    overall: Change | None
    cells: Sequence[CellComparison]
    only_in_base: int = 0


def decide(gate: Gate, case: Case) -> GateResult:
    """Whether the gate holds, with the reason. It passes only over all cells that ran in the base."""
    result, reason = _of_compared(gate, case)
    left_out = case.only_in_base + sum(_is_left_out(cell) for cell in case.cells)
    if result == "passed" and left_out:
        ran = case.only_in_base + sum(cell.base_status == "measured" for cell in case.cells)
        result, reason = "cannot_tell", CellsNotCompared(cells=left_out, ran=ran)
    return GateResult(
        gate=gate.text,
        metric=gate.metric,
        limit=gate.limit,
        result=result,
        why=gate_reason(reason),
        why_code=reason,
    )


def _is_left_out(cell: CellComparison) -> bool:
    """Whether it ran in the base and could not be compared."""
    return cell.base_status == "measured" and cell.result == "refused"


def _of_compared(gate: Gate, case: Case) -> Decision:
    lost = [cell for cell in case.cells if cell.result == "no_longer_runs"]
    if lost:
        first = lost[0]
        return "failed", CellsLost(cells=len(lost), first=_place(first), first_status=first.new_status)
    found = [_Found(cell, cell.metrics[gate.metric]) for cell in case.cells if gate.metric in cell.metrics]
    if case.overall is None or not found:
        return "cannot_tell", NoCellHasMetric()
    if METRICS[gate.metric].kind is not Kind.TIMED:
        return _of_counted(gate, found)
    return _of_timed(gate, case.overall, found)


@dataclass(frozen=True, slots=True)
class _Found:
    """The change of the gate's metric in one cell."""

    cell: CellComparison
    change: Change

    @property
    def at(self) -> ChangeAt:
        """The change and where it is, as a reason states it."""
        change = self.change
        return ChangeAt(change=change.change, interval=change.interval, cell=_place(self.cell), cells=1)


def _of_counted(gate: Gate, found: Sequence[_Found]) -> Decision:
    beyond = [
        one
        for one in found
        if _is_beyond(gate, one.change) and one.change.verdict is not Word.SAME_WITHIN_NOISE
    ]
    if beyond:
        worst = max(beyond, key=lambda one: abs(one.change.change or 0.0))
        return "failed", ChangeShown(by=worst.at)
    unknown = [one for one in found if one.change.change is None and one.change.verdict is not Word.SAME]
    if unknown:
        return "cannot_tell", NoRatioInCell(cell=_place(unknown[0].cell))
    known = [one.change.change for one in found if one.change.change is not None]
    return "passed", WorstChange(change=(min if gate.limit_is_lower else max)(known, default=0.0))


def _of_timed(gate: Gate, overall: Change, found: Sequence[_Found]) -> Decision:
    over_all = _over(overall, len(found))
    too_noisy = _too_noisy(gate, overall)
    if too_noisy is not None:
        return "cannot_tell", too_noisy
    if _is_beyond(gate, overall) and overall.better is False:
        return "failed", ChangeShown(by=over_all, p=overall.p)
    beyond = [one for one in found if _is_beyond(gate, one.change)]
    shown = _shown(found)
    failed = [one for one in beyond if one.cell.cell_id in shown]
    if failed:
        return "failed", ChangeShown(by=failed[0].at)
    far_apart = _too_far_apart(gate, overall)
    if far_apart is not None:
        return "cannot_tell", far_apart
    if beyond:
        return "cannot_tell", MayBeChance(by=beyond[0].at, note=beyond[0].change.note_code)
    if _is_beyond(gate, overall):
        return "cannot_tell", MayBeChance(by=over_all, note=overall.note_code)
    if overall.unit is Unit.REPEAT:
        return _of_single_processes(gate, overall, found)
    if overall.verdict is Word.CANNOT_TELL:
        return "cannot_tell", NotDecided(by=over_all, note=overall.note_code)
    if overall.unit is Unit.PAIR and _is_wide(gate, overall):
        return "cannot_tell", WiderThanGate(by=over_all)
    return "passed", ChangeShown(by=over_all)


def _of_single_processes(gate: Gate, overall: Change, found: Sequence[_Found]) -> Decision:
    """It holds where no change with all that processes may differ by reaches the limit."""
    over_all = _over(overall, len(found))
    for at, note in ((over_all, overall.note_code), *((one.at, one.change.note_code) for one in found)):
        if at.interval is None:
            return "cannot_tell", NoInterval(by=at, note=note)
        if gate.is_beyond(at.interval.low if gate.limit_is_lower else at.interval.high):
            return "cannot_tell", MayReachBeyond(by=at)
    return "passed", ChangeShown(by=over_all)


def _too_noisy(gate: Gate, overall: Change) -> BaseTooNoisy | None:
    """If the base's own noise is too large for the gate; pairs have their noise in their test."""
    noise = overall.noise or 0.0
    return None if overall.unit is Unit.PAIR or noise <= abs(gate.limit) / 2 else BaseTooNoisy(noise=noise)


def _too_far_apart(gate: Gate, overall: Change) -> ProcessesTooFarApart | None:
    """The same of what fresh processes may differ by: a change that is clear of it has failed before."""
    spread = overall.process_spread or 0.0
    return None if spread <= abs(gate.limit) / 2 else ProcessesTooFarApart(spread=spread)


def _is_wide(gate: Gate, change: Change) -> bool:
    found = change.interval
    return found is not None and (found.high - found.low) / 2 > abs(gate.limit)


def _shown(found: Sequence[_Found]) -> set[str]:
    """Cells whose change is there and bad, also if all of them are looked at. What single processes show is
    held against a margin and not a test, so that there is no p to correct.
    """
    tested = [(one, one.change.p) for one in found if one.change.p is not None]
    adjusted = holm([p for _, p in tested])
    apart = {one.cell.cell_id for one in found if one.change.p is None and one.change.better is False}
    return apart | {
        one.cell.cell_id
        for (one, _), p in zip(tested, adjusted, strict=True)
        if p <= ALPHA and one.change.better is False
    }


def _is_beyond(gate: Gate, change: Change) -> bool:
    return change.change is not None and gate.is_beyond(change.change)


def _over(change: Change, cells: int) -> ChangeAt:
    return ChangeAt(change=change.change, interval=change.interval, cell=None, cells=cells)


def _place(cell: CellComparison) -> CellPlace:
    return CellPlace(clip_seconds=cell.clip_seconds, max_tokens=cell.max_tokens, attention=cell.attention)
