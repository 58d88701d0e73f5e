"""When a comparison in alternation ends: by how sure it is, never by what it found."""

import pytest

from bench.judge.compare.compare import compare_pairs
from bench.judge.compare.enough import FEWEST_PAIRS, is_enough
from bench.judge.compare.gates import parse_gate
from bench.records.comparison import Comparison
from tests.judge.compare.made import cell, record

SPEED = parse_gate("decode_tokens_per_s:-5%")
MEMORY = parse_gate("reserved_peak_bytes:+2%")


def pairs(count: int, *, slow: float = 1.0, scatter: float = 0.0) -> Comparison:
    """So many pairs, every second one slower by the scatter and the others as much faster."""
    found = []
    for n in range(count):
        factor = slow * (1 + scatter) ** (1 if n % 2 else -1)
        found.append((record(cell(), number=2 * n), record(cell(slow=factor), number=2 * n + 1)))
    return compare_pairs(found, ("base", "new"))


@pytest.mark.parametrize("slow", [1.0, 1.1, 0.9])
def test_pairs_that_agree_are_enough_whatever_they_say(slow: float) -> None:
    assert is_enough(pairs(FEWEST_PAIRS, slow=slow), [SPEED])


def test_few_pairs_may_agree_by_chance() -> None:
    assert not is_enough(pairs(FEWEST_PAIRS - 1), [SPEED])


@pytest.mark.parametrize(("scatter", "enough"), [(0.01, True), (0.1, False)])
def test_the_interval_is_held_against_half_the_limit(*, scatter: float, enough: bool) -> None:
    assert is_enough(pairs(FEWEST_PAIRS, scatter=scatter), [SPEED]) is enough


def test_every_gate_counts_and_memory_is_told_by_few() -> None:
    scattered = pairs(FEWEST_PAIRS, scatter=0.1)
    assert is_enough(scattered, [MEMORY])
    assert not is_enough(scattered, [MEMORY, SPEED])


def test_without_a_gate_all_the_rounds_are_run() -> None:
    assert not is_enough(pairs(FEWEST_PAIRS), [])
