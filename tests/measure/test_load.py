import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.hardware.readings import SlowSample
from bench.measure.energy import Trace
from bench.measure.load import (
    any_throttles,
    is_contended,
    is_throttled,
    power_of,
    range_of,
    shares,
)

REASONS = ["sw_power_cap", "sw_thermal_slowdown", "hw_slowdown", "hw_thermal_slowdown", "hw_power_brake"]


def slow(at_s: float, *reasons: str, temperature_c: float | None = None, generation: int = 1) -> SlowSample:
    return SlowSample(
        at_s,
        temperature_c=temperature_c,
        throttle_reasons=frozenset(reasons),
        pcie_generation=generation,
        pcie_width=16,
    )


def test_the_figures_are_those_of_the_repeats_and_the_link_that_of_the_whole_cell() -> None:
    at = np.arange(0.0, 10.0)
    power = np.array([10.0, 10, 100, 110, 120, 10, 10, 10, 10, 10])
    timeline = Trace(at, power, np.full(10, np.nan))
    samples = [
        slow(0.5, "hw_slowdown", temperature_c=30, generation=4),
        slow(2.5, temperature_c=60),
        slow(3.5, "sw_power_cap", temperature_c=62),
        slow(7.5, "hw_slowdown", temperature_c=70),
    ]
    found = power_of(timeline, samples, [(2.0, 4.0)], 0.5)
    assert found.power_w is not None
    assert (found.power_w.low, found.power_w.median, found.power_w.high) == (100, 110, 120)
    assert found.temperature_c is not None
    assert (found.temperature_c.low, found.temperature_c.high) == (60, 62)
    assert found.throttle_reasons == {"sw_power_cap": 0.5}
    assert (found.pcie_generation, found.pcie_width) == (4, 16)
    assert found.sm_clock_mhz is None
    assert found.energies_j == (220.0,)
    assert (found.sampler.period_s, found.sampler.samples, found.sampler.largest_gap_s) == (
        0.5,
        3,
        1.0,
    )


def test_a_gap_that_reaches_into_a_repeat_is_told_whole() -> None:
    at = np.array([0.0, 1.0, 1.1, 4.1, 4.2])
    timeline = Trace(at, np.full(5, 50.0), np.full(5, np.nan))
    assert power_of(timeline, [], [(1.0, 1.5)], 0.02).sampler.largest_gap_s == pytest.approx(3.0)
    assert power_of(timeline, [], [(0.2, 0.8)], 0.02).sampler.samples == 0


def test_a_cell_of_which_nothing_was_seen_has_no_figures() -> None:
    empty = np.array([])
    found = power_of(Trace(empty, empty, empty), [], [(0.0, 1.0)], 0.02)
    assert found.source is None
    assert found.energies_j == ()
    assert found.power_w is None
    assert found.throttle_reasons is None
    assert found.pcie_generation is None
    assert found.sampler.largest_gap_s is None


@given(st.lists(st.one_of(st.none(), st.just(math.nan), st.floats(-50, 5000)), max_size=30))
def test_a_range_is_of_what_was_told(values: list[float | None]) -> None:
    found = range_of(values)
    reported = [value for value in values if value is not None and not math.isnan(value)]
    assert (found is None) == (not reported)
    if found is not None:
        assert found.low == min(reported)
        assert found.high == max(reported)
        assert found.low <= found.median <= found.high


@given(st.lists(st.frozensets(st.sampled_from(REASONS)), min_size=1, max_size=50))
def test_shares_are_parts_of_the_samples(reasons: list[frozenset[str]]) -> None:
    found = shares([slow(float(number), *names) for number, names in enumerate(reasons)])
    assert found is not None
    for name in REASONS:
        assert found.get(name, 0.0) * len(reasons) == pytest.approx(sum(name in names for names in reasons))
    assert 0.0 not in found.values()


@pytest.mark.parametrize(
    ("held", "of", "throttled"),
    [(0, 20, False), (1, 21, False), (1, 20, True), (20, 20, True), (0, 0, False)],
)
def test_a_moment_of_heat_is_no_throttling(held: int, of: int, throttled: bool) -> None:
    samples = [slow(float(n), *(["hw_thermal_slowdown"] if n < held else [])) for n in range(of)]
    assert is_throttled(samples, limit_lowered=False) is throttled


def test_two_causes_that_take_turns_are_one_throttling() -> None:
    samples = [slow(float(n)) for n in range(38)] + [slow(38.0, "hw_slowdown"), slow(39.0, "hw_power_brake")]
    assert is_throttled(samples, limit_lowered=False)


@given(st.lists(st.frozensets(st.sampled_from(REASONS)), max_size=50), st.booleans())
def test_a_reason_that_throttles_alone_throttles_with_others(
    reasons: list[frozenset[str]], lowered: bool
) -> None:
    samples = [slow(float(number), *names) for number, names in enumerate(reasons)]
    if any_throttles(shares(samples) or {}, limit_lowered=lowered):
        assert is_throttled(samples, limit_lowered=lowered)


@pytest.mark.parametrize("name", REASONS)
def test_one_reason_of_a_record_says_what_its_samples_said(name: str) -> None:
    samples = [slow(float(number), *([name] if number < 2 else [])) for number in range(30)]
    for lowered in (False, True):
        said = any_throttles(shares(samples) or {}, limit_lowered=lowered)
        assert said is is_throttled(samples, limit_lowered=lowered)


def test_the_power_cap_counts_where_somebody_lowered_it() -> None:
    samples = [slow(float(n), "sw_power_cap", "application_clocks") for n in range(20)]
    assert not is_throttled(samples, limit_lowered=False)
    assert is_throttled(samples, limit_lowered=True)


@pytest.mark.parametrize(
    ("seen", "before", "workers", "contended"),
    [
        (set(), set(), {7}, False),
        ({7}, set(), {7}, False),
        ({7, 9}, set(), {7}, True),  # it came during the cell
        ({9}, {9}, {7}, True),  # it was there before, and we are not reported of
        ({7, 9}, {9}, {7}, True),
        ({7, 8}, set(), {7, 8}, False),  # two workers of this run, one after the other
        ({7}, {9}, {7}, False),  # it left before the cell
        ({9}, set(), {7}, False),  # a container: pid 9 of the host may be our own pid 7
        ({7}, {7}, {7}, True),  # a container: the host's pid 7 was there before our worker of that number
    ],
)
def test_another_process_on_the_card(
    seen: set[int], before: set[int], workers: set[int], contended: bool
) -> None:
    assert is_contended(seen, before, workers) is contended
