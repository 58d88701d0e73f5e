"""Whether a gate holds. `docs/comparing.md` has the rule and how often it errs.

Of what is timed it fails where the change is beyond the limit and its verdict is the bad one, over all cells
or in one of them; with Holm's correction where a test says so, because one cell of many is beyond it sooner
or later.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bench.compare.gates import Gate
from bench.compare.ranks import ALPHA, holm
from bench.compare.wording import between, cell_name, p_text, percent, share
from bench.records.comparison import CellComparison, Change, GateResult, Unit, Word
from bench.records.metrics import METRICS, Kind

_MORE: Final = "--interleave or more records can tell"


@dataclass(frozen=True, slots=True)
class Case:
    """What a gate is held against: the change over all cells and in each of them.

    `only_in_base`: how many ran there and are not in the new side at all.
    """

    overall: Change | None
    cells: Sequence[CellComparison]
    only_in_base: int = 0


def decide(gate: Gate, case: Case) -> GateResult:
    """Failed, passed, or that it cannot be told, with the reason. It passes only over all cells
    that ran in the base.
    """
    result = _of_compared(gate, case)
    left = case.only_in_base + sum(_is_left(cell) for cell in case.cells)
    if result.result != "passed" or not left:
        return result
    ran = case.only_in_base + sum(cell.base_status == "measured" for cell in case.cells)
    return _result(gate, "cannot_tell", f"{left} of {_cells(ran)} of the base could not be compared")


def _is_left(cell: CellComparison) -> bool:
    """Whether it ran in the base and could not be compared."""
    return cell.base_status == "measured" and cell.result == "refused"


def _of_compared(gate: Gate, case: Case) -> GateResult:
    lost = [cell for cell in case.cells if cell.result == "no_longer_runs"]
    if lost:
        first = f"{cell_name(lost[0])}, {lost[0].new_status.replace('_', ' ')}"
        return _result(gate, "failed", f"{_count(lost)} that ran in the base: {first}")
    found = [(cell, cell.metrics[gate.metric]) for cell in case.cells if gate.metric in cell.metrics]
    if case.overall is None or not found:
        return _result(gate, "cannot_tell", "no cell that can be compared has this metric on both sides")
    if METRICS[gate.metric].kind is not Kind.TIMED:
        return _of_counted(gate, found)
    return _of_timed(gate, case.overall, found)


def _of_counted(gate: Gate, found: Sequence[tuple[CellComparison, Change]]) -> GateResult:
    beyond = [
        one for one in found if _is_beyond(gate, one[1]) and one[1].verdict is not Word.SAME_WITHIN_NOISE
    ]
    if beyond:
        cell, change = max(beyond, key=lambda one: abs(one[1].change or 0.0))
        return _result(gate, "failed", f"{_percent(change)} in {cell_name(cell)}")
    unknown = [cell for cell, change in found if change.change is None and change.verdict is not Word.SAME]
    if unknown:
        return _result(gate, "cannot_tell", f"no ratio in {cell_name(unknown[0])}")
    return _result(gate, "passed", f"{_worst(gate, found)} at worst")


def _of_timed(gate: Gate, overall: Change, found: Sequence[tuple[CellComparison, Change]]) -> GateResult:
    noisy = _too_noisy(gate, overall)
    if noisy:
        return _result(gate, "cannot_tell", noisy)
    if _is_beyond(gate, overall) and overall.better is False:
        return _result(gate, "failed", f"{_percent(overall)} over {_cells(len(found))}{_how_sure(overall)}")
    shown = _shown(found)
    beyond = [one for one in found if _is_beyond(gate, one[1])]
    failed = [(cell, change) for cell, change in beyond if cell.cell_id in shown]
    if failed:
        cell, change = failed[0]
        return _result(gate, "failed", f"{_percent(change)} in {cell_name(cell)}")
    far_apart = _too_far_apart(gate, overall)
    if far_apart:
        return _result(gate, "cannot_tell", far_apart)
    if beyond or _is_beyond(gate, overall):
        cell, change = (beyond or found)[0]
        where = cell_name(cell) if beyond else _cells(len(found))
        by = change if beyond else overall
        return _result(gate, "cannot_tell", f"{_percent(by)} in {where}, which may be chance{_because(by)}")
    if overall.unit is Unit.REPEAT:
        return _of_single_processes(gate, overall, found)
    if overall.verdict is Word.CANNOT_TELL:
        return _result(gate, "cannot_tell", f"{_percent(overall)}{_because(overall)}")
    if overall.unit is Unit.PAIR and _is_wide(gate, overall):
        return _result(
            gate, "cannot_tell", f"{_percent(overall)}: wider than the gate, more rounds tell more"
        )
    return _result(gate, "passed", f"{_percent(overall)} over {_cells(len(found))}")


def _of_single_processes(
    gate: Gate, overall: Change, found: Sequence[tuple[CellComparison, Change]]
) -> GateResult:
    """It holds where no change with all that processes may differ by reaches the limit."""
    for where, change in (
        (_cells(len(found)), overall),
        *((cell_name(cell), change) for cell, change in found),
    ):
        if change.interval is None:
            return _result(gate, "cannot_tell", f"{_percent(change)} in {where}{_because(change)}")
        if gate.is_beyond(change.interval.low if gate.limit_is_lower else change.interval.high):
            return _result(
                gate, "cannot_tell", f"{_percent(change)} in {where}: it may reach beyond the gate"
            )
    return _result(gate, "passed", f"{_percent(overall)} over {_cells(len(found))}")


def _too_noisy(gate: Gate, overall: Change) -> str:
    """In words, if the base's own noise leaves no room for the gate; pairs have their noise in their test."""
    noise = overall.noise or 0.0
    if overall.unit is Unit.PAIR or noise <= abs(gate.limit) / 2:
        return ""
    return f"the base's own noise is {share(noise)}, more than half the gate; {_MORE}"


def _too_far_apart(gate: Gate, overall: Change) -> str:
    """The same of what fresh processes may differ by: only a change that is clear of it was told before."""
    spread = overall.process_spread or 0.0
    if spread <= abs(gate.limit) / 2:
        return ""
    return f"processes of one build may differ by {share(spread)}, more than half the gate; {_MORE}"


def _is_wide(gate: Gate, change: Change) -> bool:
    found = change.interval
    return found is not None and (found.high - found.low) / 2 > abs(gate.limit)


def _shown(found: Sequence[tuple[CellComparison, Change]]) -> set[str]:
    """Cells whose change is there and bad, also if all of them are looked at. What single processes show is
    held against a margin and not a test, so that there is no p to correct.
    """
    tested = [(cell, change, change.p) for cell, change in found if change.p is not None]
    adjusted = holm([p for _, _, p in tested])
    apart = {cell.cell_id for cell, change in found if change.p is None and change.better is False}
    return apart | {
        cell.cell_id
        for (cell, change, _), p in zip(tested, adjusted, strict=True)
        if p <= ALPHA and change.better is False
    }


def _is_beyond(gate: Gate, change: Change) -> bool:
    return change.change is not None and gate.is_beyond(change.change)


def _worst(gate: Gate, found: Sequence[tuple[CellComparison, Change]]) -> str:
    known = [change.change for _, change in found if change.change is not None]
    worst = (min if gate.limit_is_lower else max)(known, default=0.0)
    return percent(worst)


def _result(gate: Gate, result: str, why: str) -> GateResult:
    return GateResult.model_validate(
        {"gate": gate.text, "metric": gate.metric, "limit": gate.limit, "result": result, "why": why}
    )


def _how_sure(change: Change) -> str:
    return "" if change.p is None else f", {p_text(change.p)}"


def _because(change: Change) -> str:
    return f": {change.note}" if change.note else ""


def _percent(change: Change) -> str:
    text = "n/a" if change.change is None else percent(change.change)
    return f"{text} ({between(change.interval)})" if change.interval else text


def _count(cells: Sequence[CellComparison]) -> str:
    return f"{_cells(len(cells))} no longer run{'s' if len(cells) == 1 else ''}"


def _cells(count: int) -> str:
    return f"{count} cell{'' if count == 1 else 's'}"
