"""The raw values of one metric in one cell of both sides, and what is known of the base's own noise."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Final

from bench.compare.ranks import ALPHA, smallest_rank_sum_p, t_quantile
from bench.compare.sides import CellObservation
from bench.measure.statistics import coefficient_of_variation
from bench.records.comparison import Unit
from bench.records.metrics import METRICS, PROCESS_NOISE, value
from bench.records.record import CellResult, Repeat

_FEWEST_PROCESSES: Final = 3
_RAW: Final = frozenset(METRICS) & frozenset(Repeat.model_fields)


@dataclass(frozen=True, slots=True)
class Observed:
    """Values of both sides. `keys`: which process or pair each value is from; empty for repeats.

    `spread` is how far one process of the base may lie from another by chance alone, as a share; None where
    the values are processes or pairs, so that their own scatter tells. `is_assumed`: nothing measured it.
    `logs`: of pairs alone, by how much each differs, as log(new / base).
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


Process = tuple[str, tuple[float, ...]]
"""What one process is called, and the raw values that it gave."""


def samples(cell: CellResult, metric: str) -> tuple[float, ...]:
    """The raw value of every repeat; of a metric that a cell has once, that one; empty where not available.

    Raises:
        KeyError: no such metric.
    """
    if metric in _RAW:
        raw = (getattr(repeat, metric) for repeat in cell.repeats)
        return tuple(float(one) for one in raw if one is not None)
    if metric == "energy_j" and cell.power is not None:
        return cell.power.energies_j
    single = value(cell.summary, metric)
    return () if single is None else (float(single),)


def separate(metric: str, base: Sequence[CellObservation], new: Sequence[CellObservation]) -> Observed | None:
    """Two sides that ran apart from each other; None where one of them lacks the metric."""
    olds, news = _by_process(metric, base), _by_process(metric, new)
    if not olds or not news:
        return None
    return of_processes(int(base[0].cell.cell_id, 16), olds, news)


def paired(metric: str, pairs: Sequence[tuple[str, CellObservation, CellObservation]]) -> Observed | None:
    """Pairs of processes that ran one after the other, each with its name; None where none has the metric."""
    raw = [(name, samples(base.cell, metric), samples(new.cell, metric)) for name, base, new in pairs]
    both = [(name, olds, news) for name, olds, news in raw if olds and news]
    return of_pairs(int(pairs[0][1].cell.cell_id, 16), both) if both else None


def of_processes(seed: int, olds: Sequence[Process], news: Sequence[Process]) -> Observed:
    """Processes are what is compared where there are enough of them on both sides, else their repeats."""
    noise = _noise([values for _, values in olds])
    if smallest_rank_sum_p([(len(olds), len(news))]) <= ALPHA:
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
        spread=PROCESS_NOISE if spread is None else spread,
        is_assumed=spread is None,
    )


def of_pairs(seed: int, pairs: Sequence[tuple[str, tuple[float, ...], tuple[float, ...]]]) -> Observed:
    """Each pair by the median over its repeats of new / base, the n-th beside the n-th: where they took turns
    these ran one after the other, and what slowed both is in neither.
    """
    olds = [(name, values) for name, values, _ in pairs]
    news = [(name, values) for name, _, values in pairs]
    medians = _of_medians(seed, Unit.PAIR, olds, news, _noise([values for _, values in olds]))
    return replace(medians, logs=tuple(_log_ratio(old, new) for _, old, new in pairs))


def _log_ratio(olds: Sequence[float], news: Sequence[float]) -> float:
    """NaN where no two values above 0 stand beside each other. One side may have more repeats."""
    ratios = [math.log(new / old) for old, new in zip(olds, news, strict=False) if old > 0 and new > 0]
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


def _by_process(metric: str, seen: Sequence[CellObservation]) -> list[Process]:
    found = [(one.record.record_id, samples(one.cell, metric)) for one in seen]
    return [(key, values) for key, values in found if values]


def _noise(processes: Sequence[tuple[float, ...]]) -> float | None:
    """The larger of the scatter within a process (the median of all) and between processes; None: unknown."""
    within = [cv for values in processes if (cv := coefficient_of_variation(values)) is not None]
    between = coefficient_of_variation([median(values) for values in processes])
    known = [*([median(within)] if within else []), *([between] if between is not None else [])]
    return max(known, default=None)


def _spread(medians: Sequence[float]) -> float | None:
    """How far one more process may lie from these, as a share: half a 95 % prediction interval of a normal
    distribution (Hahn and Meeker 1991, ch. 4). None where there are too few to tell.
    """
    count = len(medians)
    between = coefficient_of_variation(medians) if count >= _FEWEST_PROCESSES else None
    return None if between is None else t_quantile(count - 1) * between * math.sqrt(1 + 1 / count)
