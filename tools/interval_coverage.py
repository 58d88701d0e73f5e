"""How often an interval holds the true value, by simulation, for docs/comparing.md.

    python -m tools.interval_coverage            # minutes; writes the tables

Values are drawn from distributions with a known median and go through the code of a run and of a comparison.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

import numpy as np

from bench.compare.ranks import rank_sum_interval, signed_rank_interval
from bench.measure.statistics import statistic
from bench.records.base import Interval
from bench.wording.phrases import interval as kind_words

PAGE: Final = Path(__file__).parents[1] / "docs" / "comparing.md"
MARKS: Final = ("<!-- interval coverage -->", "<!-- /interval coverage -->")
SEED: Final = 20260101
SAMPLES: Final = 4000
"""Per figure: a share of 95 % is known to 0.3 % (standard error)."""
SIZES: Final = range(3, 11)

Draw = Callable[[np.random.Generator, int], np.ndarray]
_SKEW: Final = 0.5
_HICCUPS: Final = 0.1


def _hiccups(random: np.random.Generator, n: int) -> np.ndarray:
    return random.normal(0, 1, n) + 5 * (random.random(n) < _HICCUPS)


DISTRIBUTIONS: Final[Mapping[str, tuple[Draw, float]]] = {
    "normal": (lambda random, n: random.normal(0, 1, n), 0.0),
    "log-normal (skewed)": (lambda random, n: random.lognormal(0, _SKEW, n), 1.0),
    "exponential (a least time, then a tail)": (lambda random, n: random.exponential(1, n), float(np.log(2))),
    "normal, 1 of 10 slower by 5 deviations": (_hiccups, 0.13971),
}
"""A sampler and its true median. Latencies have a least time and a tail."""


def coverage(name: str, n: int, samples: int = SAMPLES) -> float:
    """Share of samples of n values whose interval, as a record states it, holds the true median."""
    draw, truth = DISTRIBUTIONS[name]
    random = np.random.default_rng([SEED, n])
    return float(
        np.mean([_holds(statistic(draw(random, n).tolist()).interval, truth) for _ in range(samples)])
    )


def _holds(interval: Interval | None, truth: float) -> bool:
    return interval is not None and interval.low <= truth <= interval.high


def coverage_of_processes(n: int, drift: float, samples: int = SAMPLES) -> float:
    """Share of comparisons of equal builds whose rank sum interval holds no change.

    n processes a side, with a normal scatter of 1; the session of each side is off by a normal `drift`.
    """
    random = np.random.default_rng([SEED, n])
    return float(np.mean([_no_change(rank_sum_interval(*_sides(random, n, drift))) for _ in range(samples)]))


def coverage_of_pairs(n: int, drift: float, samples: int = SAMPLES) -> float:
    """The same of n pairs in alternation: both runs of a pair are off by the same `drift`."""
    random = np.random.default_rng([SEED, n])

    def differences() -> np.ndarray:
        moved = random.normal(0, drift, n)
        return (random.normal(0, 1, n) + moved) - (random.normal(0, 1, n) + moved)

    return float(np.mean([_no_change(signed_rank_interval(differences().tolist())) for _ in range(samples)]))


def _sides(random: np.random.Generator, n: int, drift: float) -> tuple[list[float], list[float]]:
    base, new = (random.normal(0, 1, n) + random.normal(0, drift) for _ in range(2))
    return base.tolist(), new.tolist()


def _no_change(ends: tuple[float, float] | None) -> bool:
    return ends is None or ends[0] <= 0 <= ends[1]


# --- the tables -------------------------------------------------------------------------------------------

DRIFTS: Final = (0.0, 0.5, 1.0, 2.0)
PROCESSES: Final = (4, 6, 8, 12)
PAIRS: Final = (6, 8, 12)


def tables() -> str:
    """Both tables, in Markdown."""
    return "\n".join([*_of_repeats(), "", *_of_runs(), ""])


def _of_repeats() -> Iterator[str]:
    yield f"| holds the true median, of 100 | {' | '.join(map(str, SIZES))} |"
    yield f"|---|{'---:|' * len(SIZES)}"
    kinds = [
        kind_words(statistic([float(n) for n in range(size)]).interval_kind or "range", size)
        for size in SIZES
    ]
    yield f"| stated as | {' | '.join(kinds)} |"
    for name in DISTRIBUTIONS:
        yield f"| {name} | {' | '.join(_percent(coverage(name, size)) for size in SIZES)} |"


def _of_runs() -> Iterator[str]:
    drifts = (f"drift {drift:g}" for drift in DRIFTS)
    yield f"| holds that nothing changed, of 100 | {' | '.join(drifts)} |"
    yield f"|---|{'---:|' * len(DRIFTS)}"
    for n in PROCESSES:
        shares = (_percent(coverage_of_processes(n, drift)) for drift in DRIFTS)
        yield f"| {n} processes a side, rank sum | {' | '.join(shares)} |"
    for n in PAIRS:
        shares = (_percent(coverage_of_pairs(n, drift)) for drift in DRIFTS)
        yield f"| {n} pairs in alternation, signed rank | {' | '.join(shares)} |"


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"


def write(table: str) -> None:
    """Put the tables between their marks."""
    before, mark, rest = PAGE.read_text(encoding="utf-8").partition(MARKS[0])
    PAGE.write_text(f"{before}{mark}\n{table}{MARKS[1]}{rest.partition(MARKS[1])[2]}", encoding="utf-8")


if __name__ == "__main__":
    write(tables())
