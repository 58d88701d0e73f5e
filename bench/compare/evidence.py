"""The raw values of a metric on both sides, how much it changed, and how sure that is."""

import functools
import math
import operator
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from statistics import fmean, median
from typing import Final

from bench.compare import ranks, resampling
from bench.compare.ranks import ALPHA, Ends, smallest_rank_sum_p, t_quantile
from bench.compare.sides import CellObservation
from bench.measure.statistics import coefficient_of_variation
from bench.records.cell import CellResult, Repeat
from bench.records.comparison import Unit
from bench.records.comparison_reasons import ChangeIntervalKind
from bench.records.enums import Provenance
from bench.records.metrics import METRICS, kind_of, value
from bench.records.record import Record

HOST_FACTOR: Final = 2.0
"""How far two runs of one build may lie apart in speed where it was not measured, as a factor: on a CPU. Of
all pairs of runs of one build in docs/data/operating-curve.jsonl.xz, made within an hour on one machine, 99
of 100 lay within it.
"""
CARD_FACTOR: Final = 1.35
"""The same on a graphics card. An assumption that no run has confirmed: about what lies between base clock
and boost clock, where a card that is not slowed down runs.
"""
_NOT_ASSUMED: Final = frozenset({"preprocess_s"})
"""Metrics without such a factor: milliseconds, of which two runs of one build differ by any factor."""
_FEWEST_PROCESSES: Final = 3
_LEAST: Final = 1e-150
_MOST: Final = 1e150
"""No figure of a run lies beyond these; ratios between them are numbers."""
_RAW: Final = frozenset(METRICS) & frozenset(Repeat.model_fields)


@dataclass(frozen=True, slots=True)
class Observed:
    """Values of both sides. `keys`: which process or pair each value is from; empty for repeats.

    `spread`: how far one process of the base may lie from another by chance alone, as a share; None where
    the values are processes or pairs, which have their own scatter, and where it is not known.
    `is_assumed`: nothing measured it; without a `spread` nothing is assumed either.
    `logs`: for pairs only, the difference of each as log(new / base). `runs`: processes of base and new.
    """

    seed: int
    unit: Unit
    base: tuple[float, ...]
    new: tuple[float, ...]
    base_keys: tuple[str, ...] = ()
    new_keys: tuple[str, ...] = ()
    logs: tuple[float, ...] = ()
    noise: float | None = None
    spread: float | None = None
    is_assumed: bool = False
    runs: tuple[int, int] = (0, 0)


Process = tuple[str, tuple[float, ...]]
"""Name and raw values of one process."""


def samples(cell: CellResult, metric: str) -> tuple[float, ...]:
    """The raw value of every repeat; of a metric that a cell has once, that one; empty where not available.

    Raises:
        KeyError: no such metric.
    """
    if metric in _RAW:
        raw = (getattr(repeat, metric) for repeat in cell.repeats)
        return tuple(min(float(one), _MOST) for one in raw if one is not None)
    if metric == "energy_j" and cell.power is not None:
        return tuple(min(one, _MOST) for one in cell.power.energies_j)
    single = value(cell.summary, metric)
    return () if single is None else (min(float(single), _MOST),)


def separate(metric: str, base: Sequence[CellObservation], new: Sequence[CellObservation]) -> Observed | None:
    """Two sides that ran apart from each other; None where one of them lacks the metric."""
    olds, news = _by_process(metric, base), _by_process(metric, new)
    if not olds or not news:
        return None
    factor = _run_factor(metric, base[0].record, new[0].record)
    return of_processes(int(base[0].cell.cell_id, 16), olds, news, factor)


def _run_factor(metric: str, base: Record, new: Record) -> float | None:
    """The factor by which two runs of one build may differ; None where no factor is assumed."""
    if metric in _NOT_ASSUMED or Provenance.SMOKE in {base.provenance, new.provenance}:
        return None
    return CARD_FACTOR if base.device.kind == new.device.kind == "cuda" else HOST_FACTOR


def paired(metric: str, pairs: Sequence[tuple[str, CellObservation, CellObservation]]) -> Observed | None:
    """Pairs of processes that ran one after the other, each with its name; None where none has the metric."""
    raw = [(name, samples(base.cell, metric), samples(new.cell, metric)) for name, base, new in pairs]
    both = [(name, olds, news) for name, olds, news in raw if olds and news]
    return of_pairs(int(pairs[0][1].cell.cell_id, 16), both) if both else None


def of_processes(
    seed: int, olds: Sequence[Process], news: Sequence[Process], factor: float | None = HOST_FACTOR
) -> Observed:
    """Values per process where a test of processes can show a difference, else those of their repeats.

    `factor`: how far two runs may lie apart where three of the base do not show it; None: not known.
    """
    noise = _noise([values for _, values in olds])
    if smallest_rank_sum_p(len(olds), len(news)) <= ALPHA:
        return _of_medians(seed, Unit.PROCESS, olds, news, noise)
    old = tuple(value for _, values in olds for value in values)
    now = tuple(value for _, values in news for value in values)
    unit = Unit.ONCE if len(olds) == len(old) and len(news) == len(now) else Unit.REPEAT
    spread = _spread([median(values) for _, values in olds])
    return Observed(
        seed,
        unit,
        old,
        now,
        noise=noise,
        spread=spread if spread is not None else None if factor is None else factor - 1,
        is_assumed=spread is None,
        runs=(len(olds), len(news)),
    )


def of_pairs(seed: int, pairs: Sequence[tuple[str, tuple[float, ...], tuple[float, ...]]]) -> Observed:
    """Each pair by the median of new / base over its repeats, n-th with n-th.

    Where the processes took turns, these two ran one after the other, and what slowed both cancels.
    """
    olds = [(name, values) for name, values, _ in pairs]
    news = [(name, values) for name, _, values in pairs]
    medians = _of_medians(seed, Unit.PAIR, olds, news, _noise([values for _, values in olds]))
    return replace(medians, logs=tuple(_log_ratio(old, new) for _, old, new in pairs))


def _log_ratio(olds: Sequence[float], news: Sequence[float]) -> float:
    """NaN where no two values above 0 make a pair. One side may have more repeats."""
    ratios = [math.log(new / old) for old, new in zip(olds, news, strict=False) if min(old, new) > _LEAST]
    return median(ratios) if ratios else math.nan


def _of_medians(
    seed: int, unit: Unit, olds: Sequence[Process], news: Sequence[Process], noise: float | None
) -> Observed:
    return Observed(
        seed,
        unit,
        base=tuple(median(values) for _, values in olds),
        new=tuple(median(values) for _, values in news),
        base_keys=tuple(key for key, _ in olds),
        new_keys=tuple(key for key, _ in news),
        noise=noise,
    )


def _by_process(metric: str, observations: Sequence[CellObservation]) -> list[Process]:
    found = [(one.record.record_id, samples(one.cell, metric)) for one in observations]
    return [(key, values) for key, values in found if values]


def _noise(processes: Sequence[tuple[float, ...]]) -> float | None:
    """The larger of the scatter within a process (the median of all) and between processes; None: unknown."""
    within = [cv for values in processes if (cv := coefficient_of_variation(values)) is not None]
    between = coefficient_of_variation([median(values) for values in processes])
    known = [*([median(within)] if within else []), *([between] if between is not None else [])]
    return max(known, default=None)


def _spread(medians: Sequence[float]) -> float | None:
    """How far one more process may lie from these, as a share: half a 95 % prediction interval of a normal
    distribution (Hahn and Meeker 1991, ch. 4). None below 3 processes.
    """
    count = len(medians)
    between = coefficient_of_variation(medians) if count >= _FEWEST_PROCESSES else None
    return None if between is None else t_quantile(count - 1) * between * math.sqrt(1 + 1 / count)


# --- how sure a change is ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Evidence:
    """`log_ratio` is log(new / base). `ends`: the interval around it; None where there are too few values.

    Processes and pairs: what their rank test does not reject at the requested level; of pairs that
    are too few for the test, their range, which shows nothing. Repeats of single processes have no p, which
    would be about those processes and not about the builds: their interval, of few repeats their range, is
    wider by the `spread` of processes, or by twice the base's noise. `kind` and `n`: of the interval.
    """

    unit: Unit
    n_base: int
    n_new: int
    log_ratio: float
    ends: Ends | None
    kind: ChangeIntervalKind
    n: int
    noise: float | None
    p: float | None = None
    spread: float | None = None
    is_assumed: bool = False
    runs: tuple[int, int] = (0, 0)


def evidence(cells: Sequence[Observed], level: float = ALPHA) -> Evidence | None:
    """The geometric mean of the ratios of several cells, with the interval that suits their unit.

    None where no cell has values above 0 on both sides. Cells of one process go up and down together: where
    the unit is a process or a pair, each is one draw, whatever the number of its cells. `level` is that of
    the rank tests.
    """
    usable = [cell for cell in cells if _has_ratios(cell)]
    if not usable:
        return None
    units = {cell.unit for cell in usable}
    if units == {Unit.PAIR}:
        return _of_pairs(usable, level)
    return _of_processes(usable, level) if units == {Unit.PROCESS} else _of_repeats(usable)


def _has_ratios(cell: Observed) -> bool:
    return min((*cell.base, *cell.new), default=0.0) > _LEAST and not any(map(math.isnan, cell.logs))


def _of_pairs(cells: Sequence[Observed], level: float) -> Evidence:
    by_pair: dict[str, list[float]] = {}
    for cell in cells:
        for key, log_ratio in zip(cell.base_keys, cell.logs, strict=True):
            by_pair.setdefault(key, []).append(log_ratio)
    logs = [fmean(found) for found in by_pair.values()]
    tested = ranks.signed_rank_interval(logs, level)
    return Evidence(
        unit=Unit.PAIR,
        n_base=len(logs),
        n_new=len(logs),
        log_ratio=median(logs),
        ends=tested or ((min(logs), max(logs)) if len(logs) > 1 else None),
        kind="rank_95" if tested else "range",
        n=len(logs),
        p=ranks.signed_rank_p(logs),
        noise=_typical(cell.noise for cell in cells),
    )


def _of_processes(cells: Sequence[Observed], level: float) -> Evidence:
    olds, news = _scores(cells, of_base=True), _scores(cells, of_base=False)
    return Evidence(
        unit=Unit.PROCESS,
        n_base=len(olds),
        n_new=len(news),
        log_ratio=math.log(median(news) / median(olds)),
        ends=ranks.rank_sum_interval([*map(math.log, olds)], [*map(math.log, news)], level),
        kind="rank_95",
        n=min(len(olds), len(news)),
        p=ranks.rank_sum_p(olds, news),
        noise=_typical(cell.noise for cell in cells),
    )


def _scores(cells: Sequence[Observed], *, of_base: bool) -> list[float]:
    """Each process relative to the base: over its cells, the geometric mean of value / median of the base."""
    by_process: dict[str, list[float]] = {}
    for cell in cells:
        level = median(cell.base)
        keys, values = (cell.base_keys, cell.base) if of_base else (cell.new_keys, cell.new)
        for key, one in zip(keys, values, strict=True):
            by_process.setdefault(key, []).append(math.log(one / level))
    return [math.exp(fmean(found)) for found in by_process.values()]


def _of_repeats(cells: Sequence[Observed]) -> Evidence:
    unit = Unit.ONCE if all(cell.unit is Unit.ONCE for cell in cells) else Unit.REPEAT
    assumed = [cell for cell in cells if cell.is_assumed]
    noise, spread = _typical(cell.noise for cell in cells), _typical(cell.spread for cell in assumed or cells)
    fewest = min(min(len(cell.base), len(cell.new)) for cell in cells)
    is_known = all(cell.spread is not None for cell in cells) and fewest >= resampling.FEWEST
    kind = kind_of(fewest)
    ends = (_mean_range(cells) if kind == "range" else _mean_draws(cells)) if is_known else None
    wider = max(math.log1p(spread or 0.0), 2 * math.log1p(noise or 0.0))
    return Evidence(
        unit=unit,
        n_base=sum(len(cell.base) for cell in cells),
        n_new=sum(len(cell.new) for cell in cells),
        log_ratio=fmean(math.log(median(cell.new) / median(cell.base)) for cell in cells),
        ends=None if ends is None or unit is Unit.ONCE else (ends[0] - wider, ends[1] + wider),
        kind=kind,
        n=fewest,
        noise=noise,
        spread=spread,
        is_assumed=bool(assumed),
        runs=(min(cell.runs[0] for cell in cells), min(cell.runs[1] for cell in cells)),
    )


def _mean_range(cells: Sequence[Observed]) -> Ends:
    """The least and the most that the mean over the cells can be."""
    lows, highs = zip(*(resampling.log_range(cell.base, cell.new) for cell in cells), strict=True)
    return fmean(lows), fmean(highs)


def _mean_draws(cells: Sequence[Observed]) -> Ends:
    """One cell after the other: the draws of a hundred thousand cells would not fit into memory."""
    draws = (resampling.log_ratios(cell.base, cell.new, cell.seed) / len(cells) for cell in cells)
    return resampling.ends(functools.reduce(operator.add, draws))


def _typical(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None
