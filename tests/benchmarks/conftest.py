"""What the benchmarks share: pairs in alternation, and how a ratio is told."""

import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from bench.measure.statistics import statistic
from bench.weights.tiny import write_tiny_checkpoint
from bench.wording import phrases

Pair = Callable[[], tuple[float, float]]


class Pairs(Protocol):
    """Runs pairs and holds their ratio against a bound."""

    def __call__(self, what: str, pair: Pair, *, at_least: float = 0.0, at_most: float = math.inf) -> None:
        """Fails only where the whole interval of the median ratio is beyond the bound."""


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where caches and settings lie."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny checkpoint."""
    directory = tmp_path_factory.mktemp("weights") / "tiny"
    write_tiny_checkpoint(directory)
    return directory


@pytest.fixture
def pairs(benchmark: BenchmarkFixture, capsys: pytest.CaptureFixture[str]) -> Pairs:
    """Run `pair` again and again (BENCH_PAIRS, default 10); a round is one pair, its ratio A / B."""

    def run(what: str, pair: Pair, *, at_least: float = 0.0, at_most: float = math.inf) -> None:
        ratios: list[float] = []

        def once() -> None:
            a, b = pair()
            ratios.append(a / b)

        benchmark.pedantic(once, rounds=int(os.environ.get("BENCH_PAIRS", "10")), iterations=1)  # type: ignore[no-untyped-call]
        found = statistic(ratios)
        benchmark.extra_info.update(ratios=ratios, statistic=found.model_dump())
        interval = "no interval"
        if found.interval is not None and found.interval_kind is not None:
            kind = phrases.interval(found.interval_kind, found.n)
            interval = f"{kind}: {found.interval.low:.4g} to {found.interval.high:.4g}"
        with capsys.disabled():
            print(f"\n{what}: median {found.median:.4g}, {interval}, {found.n} pairs")
        if found.interval is not None:
            assert found.interval.high >= at_least, f"{what} is below {at_least}"
            assert found.interval.low <= at_most, f"{what} is above {at_most}"

    return run
