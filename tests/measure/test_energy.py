from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bench.measure.energy import Trace, counted, energies, integrated, is_awaited

GAPS = st.lists(st.floats(0.005, 0.5), min_size=8, max_size=60)
WATTS = st.floats(0.5, 600)


def trace(
    at_s: Sequence[float], power_w: Sequence[float] | None = None, energy_j: Sequence[float] | None = None
) -> Trace:
    unknown = [np.nan] * len(at_s)
    return Trace(
        np.array(at_s), np.array(unknown if power_w is None else power_w), np.array(energy_j or unknown)
    )


def moments(gaps: Sequence[float], start: float = 1000.0) -> list[float]:
    return [start, *(start + np.cumsum(gaps))]


def before(at: Sequence[float]) -> list[float]:
    """The same moments and one more ahead of them, at which the counter has its first, unknown age."""
    return [at[0] - 1.0, *at]


@st.composite
def spans(draw: st.DrawFn, gaps: Sequence[float]) -> tuple[float, float]:
    """A span with at least two samples in it and one on either side."""
    at = moments(gaps)
    first = draw(st.integers(1, len(at) - 4))
    last = draw(st.integers(first + 1, len(at) - 3))
    begin = draw(st.floats(at[first - 1], at[first]))
    end = draw(st.floats(at[last], at[last + 1]))
    return begin, end


@given(WATTS, GAPS.flatmap(lambda gaps: st.tuples(st.just(gaps), spans(gaps))))
def test_constant_power_times_time_is_the_energy_of_both_sources(
    watts: float, case: tuple[list[float], tuple[float, float]]
) -> None:
    gaps, (begin, end) = case
    at = moments(gaps)
    counter = [5e6 + watts * (moment - at[0]) for moment in before(at)]
    expected = pytest.approx(watts * (end - begin), rel=1e-5, abs=1e-6)
    assert counted(trace(before(at), energy_j=counter), begin, end) == expected
    assert integrated(trace(at, power_w=[watts] * len(at)), begin, end) == expected


@given(st.data(), GAPS)
def test_adjacent_spans_add_up(data: st.DataObject, gaps: list[float]) -> None:
    at = moments(gaps)
    steps = data.draw(st.lists(st.floats(0.001, 300), min_size=len(at), max_size=len(at)))
    power = data.draw(st.lists(WATTS, min_size=len(at), max_size=len(at)))
    seen = trace(before(at), power_w=[1.0, *power], energy_j=[0.0, *np.cumsum(steps)])
    begin, end = at[0], at[-1]
    middle = data.draw(st.floats(at[1], at[-2]))
    for energy in (counted, integrated):
        first, second = energy(seen, begin, middle), energy(seen, middle, end)
        whole = energy(seen, begin, end)
        assert whole is not None
        assert first is not None
        assert second is not None
        assert first + second == pytest.approx(whole, rel=1e-9, abs=1e-6)


@given(st.data(), GAPS)
def test_energy_is_never_negative_and_never_more_than_the_greatest_power_allows(
    data: st.DataObject, gaps: list[float]
) -> None:
    at = moments(gaps)
    power = data.draw(st.lists(WATTS, min_size=len(at), max_size=len(at)))
    begin, end = data.draw(spans(gaps))
    energy = integrated(trace(at, power_w=power), begin, end)
    assert energy is not None
    duration = end - begin
    assert min(power) * duration * 0.999 <= energy <= max(power) * duration * 1.001


@given(st.floats(0, 20), st.floats(0, 20))
def test_a_span_that_was_not_watched_from_before_to_after_has_no_energy(begin: float, end: float) -> None:
    assume(begin < end)
    at = [5.0, 6.0, 7.0, 8.0]
    seen = trace(at, power_w=[100.0] * 4, energy_j=[0.0, 100.0, 200.0, 300.0])
    inside = sum(begin <= moment <= end for moment in at)
    known = begin >= 5.0 and end <= 8.0 and inside >= 2
    assert (integrated(seen, begin, end) is not None) is known
    moves = sum(begin <= moment <= end for moment in at[1:])
    assert (counted(seen, begin, end) is not None) is (begin >= 6.0 and end <= 8.0 and moves >= 2)


def test_a_counter_that_steps_is_read_where_it_moves() -> None:
    # 200 W, sampled every 20 ms, while the driver renews the counter every 100 ms.
    at = [index * 0.02 for index in range(101)]
    counter = [200 * (int(moment / 0.1 + 1e-9) * 0.1) for moment in at]
    found = counted(trace(at, energy_j=counter), 0.49, 1.19)
    assert found == pytest.approx(140.0, rel=0.02)


def test_the_age_of_the_first_figure_is_unknown_so_it_is_no_step() -> None:
    # 200 W, renewed at 0.1, 0.2, ...: the figure at 0.08 is that of 0.0, and energy would be missing.
    at = [0.08, 0.1, 0.2, 0.3, 0.4]
    seen = trace(at, energy_j=[0.0, 20.0, 40.0, 60.0, 80.0])
    assert counted(seen, 0.09, 0.35) is None
    assert counted(seen, 0.15, 0.35) == pytest.approx(40.0)


def test_a_counter_is_awaited_until_it_moved_after_the_end() -> None:
    at = [0.0, 0.1, 0.2, 0.3]
    stands = trace(at, energy_j=[0.0, 20.0, 20.0, 20.0])
    assert is_awaited(stands, 0.15)
    assert not is_awaited(stands, 0.05)
    assert not is_awaited(trace(at, energy_j=[0.0, 20.0, 20.0, 40.0]), 0.25)
    assert is_awaited(trace(at, energy_j=[9.0] * 4), 0.05)
    assert not is_awaited(trace(at, power_w=[9.0] * 4), 0.05), "there is no counter to wait for"


def test_a_counter_that_starts_anew_gives_none() -> None:
    at = [0.0, 1.0, 2.0, 3.0, 4.0]
    assert counted(trace(at, energy_j=[900.0, 950.0, 0.0, 50.0, 100.0]), 0.5, 3.5) is None


def test_a_counter_that_stands_still_gives_none() -> None:
    at = [0.0, 1.0, 2.0, 3.0, 4.0]
    assert counted(trace(at, energy_j=[900.0] * 5), 0.5, 3.5) is None


def test_the_counter_is_preferred_and_power_is_said_to_be_integrated() -> None:
    at = [0.0, 1.0, 2.0, 3.0, 4.0]
    both = trace(at, power_w=[999.0] * 5, energy_j=[0.0, 10.0, 20.0, 30.0, 40.0])
    assert energies(both, [(1.0, 2.0), (2.0, 4.0)]) == ("energy counter", (10.0, 20.0))
    only_power = trace(at, power_w=[10.0] * 5)
    assert energies(only_power, [(0.0, 2.0), (2.0, 4.0)]) == ("integrated power", (20.0, 20.0))


def test_samples_without_a_figure_are_not_zero() -> None:
    at = [0.0, 1.0, 2.0, 3.0, 4.0]
    seen = trace(at, power_w=[10.0, float("nan"), 10.0, 10.0, 10.0])
    assert integrated(seen, 0.5, 3.5) == pytest.approx(30.0)


def test_one_repeat_that_was_too_short_leaves_all_without() -> None:
    at = [0.0, 1.0, 2.0, 3.0, 4.0]
    seen = trace(at, power_w=[10.0] * 5)
    assert energies(seen, [(0.0, 2.0), (2.4, 2.6)]) == (None, ())
    assert energies(trace([]), [(0.0, 1.0)]) == (None, ())
    assert energies(seen, []) == (None, ())
