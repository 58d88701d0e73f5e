"""Pairs cells by id: what became of each, and its metrics where both sides can be compared."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from bench.compare.change import change
from bench.compare.comparable import disturbed, effective_differences, incomparable_reasons, records_differ
from bench.compare.observed import Observed, paired, separate
from bench.compare.sides import CellObservation
from bench.judge.memory import is_contended
from bench.records.comparison import CellComparison, LoneCell
from bench.records.metrics import METRICS
from bench.records.record import CellResult, Measured, Outcome, Skipped

Result = Literal["compared", "refused", "no_longer_runs", "runs_now", "ran_in_neither"]


@dataclass(frozen=True, slots=True)
class Paired:
    """A cell of both sides, and the raw values of its metrics where they can be compared."""

    cell: CellComparison
    observed: Mapping[str, Observed]


def pair_separate(base: Sequence[CellObservation], new: Sequence[CellObservation]) -> Paired:
    """The newest undisturbed sight of each side decides what became of the cell; others add their values."""
    old, now = _newest(base), _newest(new)
    result, reasons = _result(old, now)
    if result != "compared":
        return _without_figures(old.cell, now.cell, result, reasons)
    olds = [seen for seen in base if _ran(seen.cell) and not incomparable_reasons(seen, now)]
    news = [seen for seen in new if _ran(seen.cell) and not incomparable_reasons(old, seen)]
    found = {metric: separate(metric, olds, news) for metric in METRICS}
    return _with_figures(old, now, found)


def pair_interleaved(pairs: Sequence[tuple[str, CellObservation, CellObservation]]) -> Paired:
    """Pairs of processes, each with its name. Those that cannot be compared are left out."""
    good = [pair for pair in pairs if _result(pair[1], pair[2])[0] == "compared"]
    _, old, now = next((pair for pair in pairs if _is_loss(pair)), good[-1] if good else pairs[-1])
    result, reasons = _result(old, now)
    if result != "compared":
        return _without_figures(old.cell, now.cell, result, reasons)
    found = {metric: paired(metric, good) for metric in METRICS}
    out = len(pairs) - len(good)
    left = (f"{out} of {len(pairs)} pairs left out: disturbed or not comparable",) if out else ()
    return _with_figures(old, now, found, left)


def _newest(sights: Sequence[CellObservation]) -> CellObservation:
    return next((seen for seen in reversed(sights) if not disturbed(seen.cell)), sights[-1])


def lone(cells: Iterable[Sequence[CellObservation]]) -> tuple[LoneCell, ...]:
    """What the document says of cells that one side lacks."""
    return tuple(LoneCell.model_validate(_name(seen[-1].cell)) for seen in cells)


def _is_loss(pair: tuple[str, CellObservation, CellObservation]) -> bool:
    return _result(pair[1], pair[2])[0] == "no_longer_runs"


def _result(base: CellObservation, new: CellObservation) -> tuple[Result, tuple[str, ...]]:
    ran, runs = _ran(base.cell), _ran(new.cell)
    if ran and runs:
        reasons = incomparable_reasons(base, new)
        return ("refused" if reasons else "compared"), reasons
    unfair = _unfair(base, new)
    if unfair:
        return "refused", unfair
    if not ran and not runs:
        return "ran_in_neither", ()
    return ("no_longer_runs" if ran else "runs_now"), _ended(new.cell if ran else base.cell)


def _unfair(base: CellObservation, new: CellObservation) -> tuple[str, ...]:
    """Why the end of a cell that did not run says nothing about its side."""
    reasons = list(records_differ(base.record, new.record))
    for seen in (base, new):
        if not _ran(seen.cell) and is_contended(seen.cell):
            reasons.extend(disturbed(seen.cell))
        reasons.extend(_unreached(seen.cell.outcome))
    return tuple(dict.fromkeys(reasons))


def _unreached(outcome: Outcome) -> Iterator[str]:
    if isinstance(outcome, Skipped) and outcome.cause == "interrupted":
        yield "not reached: the run was interrupted"
    if outcome.status == "predicted":
        yield "predicted: nothing ran"


def _ran(cell: CellResult) -> bool:
    return isinstance(cell.outcome, Measured)


def _ended(cell: CellResult) -> tuple[str, ...]:
    reason = getattr(cell.outcome, "reason", None)
    return (str(reason),) if reason else ()


def _without_figures(old: CellResult, now: CellResult, result: Result, reasons: tuple[str, ...]) -> Paired:
    return Paired(_cell(old, now, result, reasons), {})


def _with_figures(
    old: CellObservation,
    now: CellObservation,
    found: Mapping[str, Observed | None],
    notes: tuple[str, ...] = (),
) -> Paired:
    observed = {metric: values for metric, values in found.items() if values is not None}
    notes = (*notes, *effective_differences(old.cell.effective, now.cell.effective))
    cell = _cell(old.cell, now.cell, "compared", notes)
    changes = {metric: told for metric, values in observed.items() if (told := change(metric, [values]))}
    return Paired(cell.model_copy(update={"metrics": changes}), observed)


def _cell(old: CellResult, now: CellResult, result: Result, reasons: tuple[str, ...]) -> CellComparison:
    statuses = {"base_status": old.outcome.status, "new_status": now.outcome.status}
    return CellComparison.model_validate({**_name(old), **statuses, "result": result, "reasons": reasons})


def _name(cell: CellResult) -> dict[str, object]:
    asked = cell.requested
    return {
        "cell_id": cell.cell_id,
        "clip_seconds": asked.clip_seconds,
        "max_tokens": asked.max_tokens,
        "attention": asked.attention,
    }
