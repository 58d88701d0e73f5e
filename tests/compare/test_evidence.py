"""What one metric says of both sides, before any test."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.compare.change import change
from bench.compare.evidence import of_pairs, samples
from bench.records.comparison import ChangeVerdict
from tests.samples import records as samples_of

RATES = st.lists(st.floats(10, 1000), min_size=3, max_size=30)


@given(RATES, st.floats(0.5, 2.0))
def test_what_slows_both_repeats_of_a_pair_is_not_in_its_ratio(drift: list[float], ratio: float) -> None:
    """Whatever the machine did from repeat to repeat: the medians of both processes need not show it."""
    observed = of_pairs(0, [("1", tuple(drift), tuple(rate * ratio for rate in drift))])
    (log_ratio,) = observed.logs
    assert log_ratio == pytest.approx(math.log(ratio), abs=1e-9)


def test_a_process_that_repeated_more_is_held_against_what_stood_beside_it() -> None:
    observed = of_pairs(0, [("1", (100.0, 50.0), (90.0, 45.0, 45.0, 45.0))])
    (log_ratio,) = observed.logs
    assert log_ratio == pytest.approx(math.log(0.9))


def test_a_pair_without_two_values_above_zero_has_no_ratio() -> None:
    pairs = [(str(n), (0.0, 1.0, 1.0), (1.0, 0.0, 0.0)) for n in range(8)]
    found = change("decode_tokens_per_s", [of_pairs(0, pairs)])
    assert found is not None
    assert (found.change, found.verdict) == (None, ChangeVerdict.CANNOT_TELL)


def test_the_raw_repeats_are_kept_apart() -> None:
    cell = samples_of.measured(samples_of.requested())
    assert samples(cell, "latency_s") == tuple(repeat.latency_s for repeat in cell.repeats)
    assert samples(cell, "energy_j") == ()
    with pytest.raises(KeyError):
        samples(cell, "speed")
