"""Gates: how far a metric may change. `decode_tokens_per_s:-5%` fails beyond 5 % fewer tokens/s.

Every change has bounds that do not depend on any gate (`change.bounds`): over all cells, and in each of them.
A gate fails where the bounds of one of these lie beyond its limit, passes where those of all lie within it,
and is undecided else. So it is monotone: from lax to strict it passes, is undecided, and fails.
`docs/comparing.md` has the rule and how often it errs.
"""

import difflib
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from bench.compare.change import Bounds, bounds
from bench.compare.remedies import enough
from bench.errors import UsageError
from bench.records.comparison import CellComparison, Change, Decision, GateResult
from bench.records.comparison_reasons import (
    CellPlace,
    CellsLost,
    CellsNotCompared,
    ChangeAt,
    ChangeNote,
    ChangeShown,
    GateCounted,
    GateReason,
    GateRemedy,
    MayBeChance,
    MayReachBeyond,
    MetricOnOneSide,
    NoCellHasMetric,
    NoInterval,
    NoRatioInCell,
    PeakMayBeMissing,
    RecordMetric,
    RoseFromZero,
    RunAlike,
    WithinSegmentOrder,
    WorstChange,
)
from bench.records.metrics import METRICS, Better, Kind, Metric
from bench.wording.comparison import gate_reason, gate_remedy

_GATE: Final = re.compile(r"([a-z0-9_]{1,64}):([+-])([0-9]{1,4}(?:\.[0-9]{1,4})?)%", re.ASCII)
_SHAPE: Final = "Write METRIC:-5% or METRIC:+5%, such as decode_tokens_per_s:-5%"
_EXACT: Final = 1e-12
"""No rounding of a quotient is a change: 102 / 100 is 2 % more."""


@dataclass(frozen=True, slots=True)
class Gate:
    """`limit` is the relative change that is still allowed: -0.05 for `-5%`. Of a metric that should be low,
    `-5%` demands 5 % less, and of one that should be high `+5%` demands 5 % more.
    """

    text: str
    metric: str
    limit: float

    def is_beyond(self, change: float) -> bool:
        """Whether a relative change is worse than allowed."""
        return change < self.limit - _EXACT if self.limit_is_lower else change > self.limit + _EXACT

    def worst(self, bounds: Bounds) -> float:
        """The end of the bounds that is worse for the metric."""
        return bounds.low if self.limit_is_lower else bounds.high

    def best(self, bounds: Bounds) -> float:
        """The other end."""
        return bounds.high if self.limit_is_lower else bounds.low

    @property
    def limit_is_lower(self) -> bool:
        """Whether the metric may fall so far, rather than rise."""
        return METRICS[self.metric].better is Better.HIGHER


def parse_gate(text: str) -> Gate:
    """One `--fail-on`.

    Raises:
        UsageError: no such metric, no percentage with its sign, or a fall by all there is.
    """
    match = _GATE.fullmatch(text)
    if match is None:
        raise UsageError(f"--fail-on: '{text}' is not a gate", hint=_SHAPE)
    metric, sign, percent = match.groups()
    _require_known(metric)
    share = float(percent) / 100
    if sign == "-" and share >= 1:
        raise UsageError(f"--fail-on: {metric} cannot fall by {percent}%", hint="Write less than 100%")
    return Gate(text, metric, -share if sign == "-" and share else share)


def _require_known(metric: str) -> None:
    if metric not in METRICS:
        near = difflib.get_close_matches(metric, METRICS, n=2)
        guess = f"Did you mean {' or '.join(near)}?" if near else f"There are {', '.join(METRICS)}"
        raise UsageError(f"--fail-on: there is no metric '{metric}'", hint=guess)


# --- whether a gate holds ---------------------------------------------------------------------------------

_RESULTS: Final[Mapping[Decision, Literal["passed", "failed", "cannot_tell"]]] = {
    "pass": "passed",
    "fail": "failed",
    "undecided": "cannot_tell",
}
Found = tuple[Decision, GateReason, GateRemedy | None]
"""What was decided, why, and what would decide it."""


@dataclass(frozen=True, slots=True)
class Case:
    """The changes that a gate judges: over all cells and in each of them.

    `only_in_base`: how many cells ran there and are not in the new side at all. `one_sided`: by id, the side
    that has the metric in a cell where the other one lacks it. `corrected`: by id, changes whose intervals
    are wider, because several cells are tested; the cells' own where it has none.
    """

    overall: Change | None
    cells: Sequence[CellComparison]
    only_in_base: int = 0
    one_sided: Mapping[str, Literal["base", "new"]] = field(default_factory=dict)
    corrected: Mapping[str, Change] = field(default_factory=dict)


def decide(gate: Gate, case: Case) -> GateResult:
    """Whether the gate holds, why, and what would decide it."""
    decision, reason, remedy = _decide(gate, case)
    return GateResult(
        gate=gate.text,
        metric=gate.metric,
        limit=gate.limit,
        result=_RESULTS[decision],
        decision=decision,
        why=gate_reason(reason),
        why_code=reason,
        remedy=gate_remedy(remedy),
        remedy_code=remedy,
    )


@dataclass(frozen=True, slots=True)
class _Claim:
    """A change that the limit is for. `fails_by` are its bounds as one of many that may fail the gate."""

    at: ChangeAt
    change: Change
    corrected: Change
    bounds: Bounds | None
    fails_by: Bounds | None


def _decide(gate: Gate, case: Case) -> Found:
    lost = [cell for cell in case.cells if cell.result == "no_longer_runs"]
    if lost:
        first = lost[0]
        return "fail", CellsLost(cells=len(lost), first=_place(first), first_status=first.new_status), None
    claims = tuple(_claims(gate, case))
    failed = [one for one in claims if one.fails_by and gate.is_beyond(gate.best(one.fails_by))]
    if failed:
        return "fail", _why_failed(failed[0]), None
    return next(_undecided(gate, case, claims), None) or ("pass", _why_passed(gate, claims), None)


def _claims(gate: Gate, case: Case) -> Iterator[_Claim]:
    """Over all cells first. What is counted is exact in each cell, so that their mean says no more."""
    found = [cell for cell in case.cells if gate.metric in cell.metrics]
    if case.overall is not None and found and METRICS[gate.metric].kind is Kind.TIMED:
        at = _at(case.overall, None, len(found))
        yield _claim(gate, at, case.overall, case.overall)
    for cell in found:
        change = cell.metrics[gate.metric]
        yield _claim(gate, _at(change, cell, 1), change, case.corrected.get(cell.cell_id, change))


def _at(change: Change, cell: CellComparison | None, cells: int) -> ChangeAt:
    return ChangeAt(
        change=change.change,
        interval=change.interval,
        interval_kind=change.interval_kind,
        interval_n=change.interval_n,
        cell=None if cell is None else _place(cell),
        cells=cells,
    )


def _claim(gate: Gate, at: ChangeAt, change: Change, corrected: Change) -> _Claim:
    return _Claim(at, change, corrected, bounds(gate.metric, change), bounds(gate.metric, corrected))


def _why_failed(claim: _Claim) -> GateReason:
    if claim.at.change is None and claim.at.cell is not None:
        return RoseFromZero(cell=claim.at.cell)
    return ChangeShown(by=claim.at, p=claim.change.p, note=claim.change.note_code)


def _why_passed(gate: Gate, claims: Sequence[_Claim]) -> GateReason:
    if METRICS[gate.metric].kind is Kind.TIMED:
        return ChangeShown(by=claims[0].at)
    known = [one.at.change for one in claims if one.at.change is not None]
    return WorstChange(change=(min if gate.limit_is_lower else max)(known, default=0.0))


def _undecided(gate: Gate, case: Case, claims: Sequence[_Claim]) -> Iterator[Found]:
    """Return the reasons why the gate does not pass, the worst first."""
    opened = [one for one in claims if one.bounds is None or gate.is_beyond(gate.worst(one.bounds))]
    if opened:
        worst = max(opened, key=lambda one: (one.bounds is None, one.at.cell is None, _excess(gate, one)))
        yield "undecided", _why_open(gate, worst), _remedy(gate, case, worst)
    if not claims and not case.one_sided:
        yield "undecided", NoCellHasMetric(), RecordMetric()
    for cell in case.cells:
        side = case.one_sided.get(cell.cell_id)
        if side is not None:
            reason = MetricOnOneSide(side=side, cells=len(case.one_sided), first=_place(cell))
            yield "undecided", reason, RecordMetric()
    left_out = case.only_in_base + sum(_is_left_out(cell) for cell in case.cells)
    if left_out:
        ran = case.only_in_base + sum(has_figures(cell.base_status) for cell in case.cells)
        yield "undecided", CellsNotCompared(cells=left_out, ran=ran), RunAlike()


def _is_left_out(cell: CellComparison) -> bool:
    """Whether it has figures in the base and could not be compared."""
    return has_figures(cell.base_status) and cell.result == "refused"


def has_figures(status: str) -> bool:
    """Whether an outcome of this status has any: the cell ran, or was predicted."""
    return status in {"measured", "predicted"}


def _excess(gate: Gate, claim: _Claim) -> float:
    """By how much the bounds reach beyond the limit."""
    return math.inf if claim.bounds is None else abs(gate.worst(claim.bounds) - gate.limit)


def _why_open(gate: Gate, claim: _Claim) -> GateReason:
    note = claim.change.note_code or _known_to(METRICS[gate.metric])
    if claim.at.change is None and claim.at.cell is not None:
        return NoRatioInCell(cell=claim.at.cell)
    if claim.bounds is None:
        return NoInterval(by=claim.at, note=note)
    if claim.at.change is not None and gate.is_beyond(claim.at.change):
        return MayBeChance(by=claim.at, note=note)
    return MayReachBeyond(by=claim.at, note=note)


def _known_to(metric: Metric) -> ChangeNote | None:
    """Return the reason why a size is not exact."""
    if metric.kind is Kind.WATCHED:
        return PeakMayBeMissing()
    return WithinSegmentOrder(threshold_bytes=metric.noise_bytes) if metric.noise_bytes else None


def _remedy(gate: Gate, case: Case, claim: _Claim) -> GateRemedy:
    if claim.at.change is None:
        return RunAlike()
    if METRICS[gate.metric].kind is not Kind.TIMED:
        return GateCounted()
    is_beyond = gate.is_beyond(claim.at.change)
    known = claim.fails_by if is_beyond else claim.bounds
    end = None if known is None else gate.best(known) if is_beyond else gate.worst(known)
    compared = sum(gate.metric in cell.metrics for cell in case.cells)
    return enough(claim.change, gate.limit, end, compared if is_beyond and claim.at.cell else 1)


def _place(cell: CellComparison) -> CellPlace:
    return CellPlace(clip_seconds=cell.clip_seconds, max_tokens=cell.max_tokens, attention=cell.attention)
