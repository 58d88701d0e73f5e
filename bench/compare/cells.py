"""Pairs of cells by id: the result of each, and its metrics where both sides can be compared."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from bench.compare import predicted
from bench.compare.change import change
from bench.compare.comparable import disturbances, improvements, incomparable_reasons, records_differ
from bench.compare.evidence import Observed, paired, samples, separate
from bench.compare.sides import CellObservation
from bench.judge.memory import is_contended
from bench.records.cell import CellResult, Measured, Outcome, Predicted, Skipped
from bench.records.comparison import CellComparison, UnpairedCell
from bench.records.comparison_reasons import CellReason, Disturbed, Ended, NotReached, NotRun, PairsLeftOut
from bench.records.metrics import METRICS
from bench.wording.comparison import cell_reason

Result = Literal["compared", "refused", "no_longer_runs", "runs_now", "ran_in_neither"]
ObservedPair = tuple[str, CellObservation, CellObservation]
"""The name of a pair of processes, and a cell in both."""


@dataclass(frozen=True, slots=True)
class Paired:
    """A cell of both sides, and the raw values of its metrics where they can be compared.

    `one_sided`: the side that has a metric which the other one lacks.
    """

    cell: CellComparison
    observed: Mapping[str, Observed]
    one_sided: Mapping[str, Literal["base", "new"]] = field(default_factory=dict)


def pair_separate(base: Sequence[CellObservation], new: Sequence[CellObservation]) -> Paired:
    """Pair sides that ran apart: the newest undisturbed observation of each decides, others add values."""
    old, now = _newest(base), _newest(new)
    result, reasons = _result(old, now)
    if result != "compared":
        return Paired(_cell(old.cell, now.cell, result, reasons), {})
    if old.cell.outcome.status == "predicted":
        cell = _cell(old.cell, now.cell, result, reasons)
        return Paired(cell.model_copy(update={"metrics": predicted.changes(old.cell, now.cell)}), {})
    olds = [one for one in base if _ran(one.cell) and not incomparable_reasons(one, now)]
    news = [one for one in new if _ran(one.cell) and not incomparable_reasons(old, one)]
    return _with_figures(old, now, {metric: separate(metric, olds, news) for metric in METRICS})


def pair_interleaved(pairs: Sequence[ObservedPair]) -> Paired:
    """Pair builds that ran in alternation, without the pairs of processes that cannot be compared."""
    good = [pair for pair in pairs if _result(pair[1], pair[2])[0] == "compared"]
    _, old, now = next((pair for pair in pairs if _is_loss(pair)), good[-1] if good else pairs[-1])
    result, reasons = _result(old, now)
    if result != "compared":
        return Paired(_cell(old.cell, now.cell, result, reasons), {})
    out = len(pairs) - len(good)
    left_out = (PairsLeftOut(left_out=out, pairs=len(pairs)),) if out else ()
    return _with_figures(old, now, {metric: paired(metric, good) for metric in METRICS}, left_out)


def unpaired(cells: Iterable[Sequence[CellObservation]]) -> tuple[UnpairedCell, ...]:
    """The cells that one side lacks, as the document lists them."""
    return tuple(UnpairedCell.model_validate(_name(observations[-1].cell)) for observations in cells)


def _newest(observations: Sequence[CellObservation]) -> CellObservation:
    return next((one for one in reversed(observations) if not disturbances(one.cell)), observations[-1])


def _is_loss(pair: ObservedPair) -> bool:
    return _result(pair[1], pair[2])[0] == "no_longer_runs"


def _result(base: CellObservation, new: CellObservation) -> tuple[Result, tuple[CellReason, ...]]:
    ran, runs = _ran(base.cell), _ran(new.cell)
    if (ran and runs) or (_is_predicted(base.cell) and _is_predicted(new.cell)):
        reasons = incomparable_reasons(base, new)
        return ("refused" if reasons else "compared"), reasons
    unfair = tuple(dict.fromkeys(_unfair(base, new)))
    if unfair:
        return "refused", unfair
    if not ran and not runs:
        return "ran_in_neither", ()
    return ("no_longer_runs" if ran else "runs_now"), _ended((new if ran else base).cell.outcome)


def _unfair(base: CellObservation, new: CellObservation) -> Iterator[CellReason]:
    """Reasons why the outcome of a cell that did not run does not count against its side."""
    yield from records_differ(base.record, new.record)
    for one in (base, new):
        if not _ran(one.cell) and is_contended(one.cell):
            yield from (Disturbed(side=None, label=label) for label in disturbances(one.cell))
        yield from _unreached(one.cell.outcome)


def _unreached(outcome: Outcome) -> Iterator[CellReason]:
    if isinstance(outcome, Skipped) and outcome.cause == "interrupted":
        yield NotReached()
    if outcome.status == "predicted":
        yield NotRun()


def _ran(cell: CellResult) -> bool:
    return isinstance(cell.outcome, Measured)


def _is_predicted(cell: CellResult) -> bool:
    return isinstance(cell.outcome, Predicted)


def _ended(outcome: Outcome) -> tuple[Ended, ...]:
    if isinstance(outcome, Measured | Predicted):
        return ()
    return (Ended(reason=outcome.reason, reason_code=outcome.reason_code),)


def _with_figures(
    old: CellObservation,
    now: CellObservation,
    found: Mapping[str, Observed | None],
    left_out: tuple[CellReason, ...] = (),
) -> Paired:
    observed = {metric: values for metric, values in found.items() if values is not None}
    cell = _cell(old.cell, now.cell, "compared", (*left_out, *improvements(old.cell, now.cell)))
    changes = {metric: by for metric, values in observed.items() if (by := change(metric, [values]))}
    one_sided = {metric: _which(metric, old.cell) for metric in METRICS if _is_one_sided(metric, old, now)}
    return Paired(cell.model_copy(update={"metrics": changes}), observed, one_sided)


def _is_one_sided(metric: str, old: CellObservation, now: CellObservation) -> bool:
    return bool(samples(old.cell, metric)) != bool(samples(now.cell, metric))


def _which(metric: str, old: CellResult) -> Literal["base", "new"]:
    return "base" if samples(old, metric) else "new"


def _cell(
    old: CellResult, now: CellResult, result: Result, reasons: tuple[CellReason, ...]
) -> CellComparison:
    fields = {
        **_name(old),
        "base_status": old.outcome.status,
        "new_status": now.outcome.status,
        "result": result,
        "reasons": tuple(map(cell_reason, reasons)),
        "reason_codes": reasons,
    }
    return CellComparison.model_validate(fields)


def _name(cell: CellResult) -> dict[str, object]:
    wanted = cell.requested
    return {
        "cell_id": cell.cell_id,
        "clip_seconds": wanted.clip_seconds,
        "max_tokens": wanted.max_tokens,
        "attention": wanted.attention,
    }
