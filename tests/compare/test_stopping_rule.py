"""When a comparison in alternation ends: by how sure it is, not because something shows."""

from collections.abc import Sequence

import pytest

from bench.compare.compare import compare_pairs
from bench.compare.gates import Gate, parse_gate
from bench.compare.stopping_rule import FEWEST_PAIRS, may_stop
from tests.samples.comparisons import cell, record

SPEED = parse_gate("decode_tokens_per_s:-5%")
MEMORY = parse_gate("reserved_peak_bytes:+2%")


def stops(factors: Sequence[float], gates: Sequence[Gate]) -> bool:
    """A pair for each factor, by which its second build is slower."""
    found = [
        (record(cell(), number=2 * n), record(cell(slow=factor), number=2 * n + 1))
        for n, factor in enumerate(factors)
    ]
    return may_stop(compare_pairs(found, ("base", "new"), gates), gates)


def scattered(by: float, count: int = FEWEST_PAIRS) -> list[float]:
    """Every second pair is slower by so much, and the others as much faster."""
    return [(1 + by) ** (1 if n % 2 else -1) for n in range(count)]


@pytest.mark.parametrize("slow", [1.0, 1.1, 0.9])
def test_pairs_that_agree_end_it_whatever_they_show(slow: float) -> None:
    assert stops([slow] * FEWEST_PAIRS, [SPEED])


def test_few_pairs_may_agree_by_chance() -> None:
    assert not stops([1.0] * (FEWEST_PAIRS - 1), [SPEED])


@pytest.mark.parametrize(("scatter", "stops_now"), [(0.01, True), (0.1, False)])
def test_the_interval_is_held_against_half_the_limit(*, scatter: float, stops_now: bool) -> None:
    assert stops(scattered(scatter), [SPEED]) is stops_now


def test_every_gate_counts_and_memory_stops_by_few() -> None:
    assert stops(scattered(0.1), [MEMORY])
    assert not stops(scattered(0.1), [MEMORY, SPEED])


def test_an_undecided_gate_needs_more_pairs() -> None:
    """Seven pairs agree on a loss; one is so far the other way that a test cannot exclude chance."""
    agreed = [1.08] * (FEWEST_PAIRS - 1)
    assert not stops([*agreed, 0.7], [SPEED])
    assert stops([*agreed, 1.08], [SPEED])
