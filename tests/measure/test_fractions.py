"""Fractions of what the card can do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.measure.fractions import bandwidth_fraction, bf16_fraction
from bench.records.cell import Repeat, Work
from tests.samples import records as sample

WORK = Work(decode_bytes_per_token=8_000_000_000, encode_operations=1e12, prefill_operations=6e12)
POSITIVE = st.floats(min_value=1e-3, max_value=1e15)


def repeat(prefill_s: float) -> Repeat:
    first_s = 0.5 + prefill_s
    return sample.repeat(sample.requested()).model_copy(
        update={"preprocess_s": 0.1, "encode_s": 0.4, "time_to_first_token_s": first_s}
    )


def test_a_card_that_reads_all_that_it_can_reaches_one() -> None:
    assert bandwidth_fraction(WORK, 63.0, 504e9) == pytest.approx(1.0)
    assert bandwidth_fraction(WORK, 31.5, 504e9) == pytest.approx(0.5)


def test_the_prefill_is_what_preprocessing_and_encoder_leave_and_its_median_counts() -> None:
    repeats = [repeat(0.2), repeat(0.1), repeat(7.0)]
    assert bf16_fraction(WORK, repeats, 60e12) == pytest.approx(0.5)


def test_not_available_stays_so() -> None:
    assert bandwidth_fraction(None, 63.0, 504e9) is None
    assert bandwidth_fraction(WORK, None, 504e9) is None
    assert bandwidth_fraction(WORK, 63.0, None) is None
    assert bf16_fraction(None, [repeat(0.2)], 60e12) is None
    assert bf16_fraction(WORK, [], 60e12) is None
    assert bf16_fraction(WORK, [repeat(0.2)], None) is None


@given(st.floats(max_value=0.0, min_value=-1e9))
def test_no_time_and_no_speed_say_nothing(nothing: float) -> None:
    assert bandwidth_fraction(WORK, nothing, 504e9) is None
    assert bf16_fraction(WORK, [repeat(nothing)], 60e12) is None
    assert bf16_fraction(WORK, [repeat(0.2)], nothing) is None


@given(POSITIVE, POSITIVE, st.lists(st.floats(min_value=1e-6, max_value=1e6), min_size=1, max_size=9))
def test_fractions_are_positive_and_scale_with_the_card(
    speed: float, capacity: float, prefills: list[float]
) -> None:
    repeats = [repeat(duration_s) for duration_s in prefills]
    pairs = (
        (bandwidth_fraction(WORK, speed, capacity), bandwidth_fraction(WORK, speed, 2 * capacity)),
        (bf16_fraction(WORK, repeats, capacity), bf16_fraction(WORK, repeats, 2 * capacity)),
    )
    for small, large in pairs:
        assert small is not None
        assert large is not None
        assert small == pytest.approx(2 * large)
        assert small > 0
