"""The whole comparison: every other side against the first."""

from collections.abc import Mapping, Sequence

from bench.compare import predicted
from bench.compare.cells import ObservedPair, Paired, pair_interleaved, pair_separate, unpaired
from bench.compare.change import change
from bench.compare.comparable import differences, records_differ
from bench.compare.gates import Case, Gate, decide, has_figures
from bench.compare.ranks import ALPHA
from bench.compare.sides import CellObservation, Side, cells_of, info, names
from bench.errors import UsageError
from bench.judge.caveats import caveats
from bench.judge.prediction import budgets_of
from bench.judge.same_kernels import same_kernels
from bench.judge.same_run import is_same_device
from bench.records.caveats import RecordCaveat
from bench.records.comparison import Change, Comparison, SideComparison
from bench.records.metrics import METRICS
from bench.records.record import Record
from bench.wording.caveats import sentence
from bench.wording.comparison import cell_reason


def compare(base: Side, news: Sequence[Side], gates: Sequence[Gate] = ()) -> Comparison:
    """Compare sides that ran separately, each with the base.

    Raises:
        UsageError: gates, and a side that ran on another device than the base, shares no cell with it, or
            has a record of it.
    """
    for new in news if gates else ():
        _require_two(base, new)
    name, *others = names((base, *news))
    against = tuple(_against(base, new, other, gates) for new, other in zip(news, others, strict=True))
    return Comparison(method="separate", base=info(base, name), against=against)


def compare_pairs(
    pairs: Sequence[tuple[Record, Record]], given: tuple[str, str], gates: Sequence[Gate] = ()
) -> Comparison:
    """Compare two builds that ran in alternation, pair by pair.

    Raises:
        UsageError: no pair, or no cell that both builds have.
    """
    if not pairs:
        raise UsageError("no pair of runs was finished", hint="Run the same command again")
    base, new = (Side(one, tuple(pair[n] for pair in pairs)) for n, one in enumerate(given))
    name, other = names((base, new))
    found = [pair_interleaved(observed) for observed in _observed_pairs(pairs).values()]
    against = _assemble(base, new, other, found, gates)
    return Comparison(method="interleaved", base=info(base, name), against=(against,))


def _observed_pairs(pairs: Sequence[tuple[Record, Record]]) -> dict[str, list[ObservedPair]]:
    """By cell id, both observations of every pair that has the cell twice, with the number of the pair."""
    found: dict[str, list[ObservedPair]] = {}
    for number, (old, now) in enumerate(pairs, 1):
        there = {cell.cell_id: cell for cell in now.cells}
        for cell in old.cells:
            if cell.cell_id in there:
                pair = (str(number), CellObservation(old, cell), CellObservation(now, there[cell.cell_id]))
                found.setdefault(cell.cell_id, []).append(pair)
    return found


def _against(base: Side, new: Side, name: str, gates: Sequence[Gate]) -> SideComparison:
    olds, news = cells_of(base), cells_of(new)
    found = [pair_separate(old, news[cell_id]) for cell_id, old in olds.items() if cell_id in news]
    return _assemble(base, new, name, found, gates)


def _assemble(
    base: Side, new: Side, name: str, found: Sequence[Paired], gates: Sequence[Gate]
) -> SideComparison:
    same_device = is_same_device(base.newest, new.newest)
    _require_gateable(base, new, gates, same_device=same_device, shared=bool(found))
    cells = tuple(one.cell for one in found)
    overall = _overall(found) | predicted.overall(cells)
    olds, news = cells_of(base), cells_of(new)
    missing = [observed for cell_id, observed in olds.items() if cell_id not in news]
    lost = sum(any(has_figures(one.cell.outcome.status) for one in observed) for observed in missing)
    cases = {metric: _case(metric, found, overall, lost) for metric in {gate.metric for gate in gates}}
    reasons = records_differ(base.newest, new.newest)
    warnings = {sentence(caveat): caveat for side in (base, new) for caveat in _caveats(side.newest)}
    return SideComparison(
        new=info(new, name),
        same_device=same_device,
        reasons=tuple(map(cell_reason, reasons)),
        reason_codes=reasons,
        differences=(
            *differences(base.newest, new.newest),
            *predicted.budgets_and_clips(base.newest, new.newest),
        ),
        caveats=tuple(warnings),
        caveat_codes=tuple(warnings.values()),
        overall=overall,
        cells=cells,
        only_in_base=unpaired(missing),
        only_in_new=unpaired(observed for cell_id, observed in news.items() if cell_id not in olds),
        gates=tuple(decide(gate, cases[gate.metric]) for gate in gates),
    )


def _case(metric: str, found: Sequence[Paired], overall: Mapping[str, Change], lost: int) -> Case:
    """Input of a gate. One cell of many shows a change by chance: the level of each is that of all,
    divided by their number (Bonferroni).
    """
    observed = {one.cell.cell_id: one.observed[metric] for one in found if metric in one.observed}
    changes = {cell: change(metric, [values], ALPHA / len(observed)) for cell, values in observed.items()}
    return Case(
        overall=overall.get(metric),
        cells=tuple(one.cell for one in found),
        only_in_base=lost,
        one_sided={one.cell.cell_id: one.one_sided[metric] for one in found if metric in one.one_sided},
        corrected={cell: by for cell, by in changes.items() if by is not None},
    )


def _caveats(record: Record) -> tuple[RecordCaveat, ...]:
    return caveats(record, budgets_of(record), same_kernels(record))


def _overall(found: Sequence[Paired]) -> dict[str, Change]:
    changes = {
        metric: change(metric, [one.observed[metric] for one in found if metric in one.observed])
        for metric in METRICS
    }
    return {metric: over for metric, over in changes.items() if over is not None}


def _device(side: Side) -> str:
    return side.newest.device.name


def _require_two(base: Side, new: Side) -> None:
    ids = {record.record_id for record in base.records}
    both = [record.record_id for record in new.records if record.record_id in ids]
    if both:
        raise UsageError(
            f"--fail-on: both sides are the same record: {both[0]} is in {base.given} and in {new.given}",
            hint="Name a record of the other build",
        )


def _require_gateable(
    base: Side, new: Side, gates: Sequence[Gate], *, same_device: bool, shared: bool
) -> None:
    if gates and not same_device:
        raise UsageError(
            f"--fail-on: {base.given} ran on {_device(base)}, {new.given} on {_device(new)}",
            hint="A gate compares two builds on one device; leave it out to compare devices",
        )
    if gates and not shared:
        raise UsageError(
            f"--fail-on: {base.given} and {new.given} have no cell in common",
            hint="Run the same suite with the same options for both",
        )
