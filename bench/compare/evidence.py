"""How much a metric changed and how sure that is, in one cell or over several."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean, median

import numpy as np

from bench.compare import ranks, resampling
from bench.compare.observed import Observed
from bench.records.comparison import Unit


@dataclass(frozen=True, slots=True)
class Evidence:
    """`log_ratio` is log(new / base). `draws`: the same, drawn again; no p is below `smallest_p`.

    Repeats of single processes have no p, for it would be about those processes and not about the builds, but
    a `spread`; `are_apart`: the repeats of one side lie beyond those of the other.
    """

    unit: Unit
    n_base: int
    n_new: int
    log_ratio: float
    draws: np.ndarray | None
    noise: float | None
    p: float | None = None
    smallest_p: float = 1.0
    spread: float | None = None
    is_assumed: bool = False
    are_apart: bool = False


def evidence(cells: Sequence[Observed]) -> Evidence | None:
    """Over several cells the geometric mean of their ratios, with the test that suits how they were seen.

    None where no cell has values above 0 on both sides. Cells of one process go up and down together: where
    processes or pairs were seen, each is one draw, whatever the number of its cells.
    """
    usable = [cell for cell in cells if _has_ratios(cell)]
    if not usable:
        return None
    units = {cell.unit for cell in usable}
    if units == {Unit.PAIR}:
        return _of_pairs(usable)
    return _of_processes(usable) if units == {Unit.PROCESS} else _of_repeats(usable)


def _has_ratios(cell: Observed) -> bool:
    return min((*cell.base, *cell.new), default=0.0) > 0 and not any(map(math.isnan, cell.logs))


def _of_pairs(cells: Sequence[Observed]) -> Evidence:
    by_pair: dict[str, list[float]] = {}
    for cell in cells:
        for key, log_ratio in zip(cell.base_keys, cell.logs, strict=True):
            by_pair.setdefault(key, []).append(log_ratio)
    logs = [fmean(found) for found in by_pair.values()]
    return Evidence(
        unit=Unit.PAIR,
        n_base=len(logs),
        n_new=len(logs),
        log_ratio=median(logs),
        draws=resampling.median_draws(logs, cells[0].seed),
        p=ranks.signed_rank_p(logs),
        smallest_p=ranks.smallest_signed_rank_p(len(logs)),
        noise=_typical(cell.noise for cell in cells),
    )


def _of_processes(cells: Sequence[Observed]) -> Evidence:
    olds, news = _scores(cells, of_base=True), _scores(cells, of_base=False)
    return Evidence(
        unit=Unit.PROCESS,
        n_base=len(olds),
        n_new=len(news),
        log_ratio=math.log(median(news) / median(olds)),
        draws=resampling.log_ratios(olds, news, cells[0].seed),
        p=ranks.rank_sum_p([(olds, news)]),
        smallest_p=ranks.smallest_rank_sum_p([(len(olds), len(news))]),
        noise=_typical(cell.noise for cell in cells),
    )


def _scores(cells: Sequence[Observed], *, of_base: bool) -> list[float]:
    """How each process stands to the base, over its cells: of one cell, values / median of the base."""
    by_process: dict[str, list[float]] = {}
    for cell in cells:
        level = median(cell.base)
        keys, values = (cell.base_keys, cell.base) if of_base else (cell.new_keys, cell.new)
        for key, value in zip(keys, values, strict=True):
            by_process.setdefault(key, []).append(math.log(value / level))
    return [math.exp(fmean(found)) for found in by_process.values()]


def _of_repeats(cells: Sequence[Observed]) -> Evidence:
    return Evidence(
        unit=Unit.ONCE if all(cell.unit is Unit.ONCE for cell in cells) else Unit.REPEAT,
        n_base=sum(len(cell.base) for cell in cells),
        n_new=sum(len(cell.new) for cell in cells),
        log_ratio=fmean(math.log(median(cell.new) / median(cell.base)) for cell in cells),
        draws=_mean_draws(cells),
        noise=_typical(cell.noise for cell in cells),
        spread=_typical(cell.spread for cell in cells),
        is_assumed=any(cell.is_assumed for cell in cells),
        are_apart=_are_apart(cells),
    )


def _are_apart(cells: Sequence[Observed]) -> bool:
    """Whether the nearest repeats still differ the same way; over several cells their geometric mean."""
    rises = fmean(math.log(min(cell.new) / max(cell.base)) for cell in cells)
    falls = fmean(math.log(max(cell.new) / min(cell.base)) for cell in cells)
    return rises > 0 or falls < 0


def _mean_draws(cells: Sequence[Observed]) -> np.ndarray | None:
    """One cell after the other: those of a hundred thousand cells would not fit into memory."""
    total: np.ndarray | None = None
    for cell in cells:
        draws = resampling.log_ratios(cell.base, cell.new, cell.seed)
        if draws is None:
            return None
        total = draws if total is None else total + draws
    return None if total is None else total / len(cells)


def _typical(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None
