"""What a timeline keeps of ever more events, and what a trace keeps of a timeline."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.measure.timeline import (
    ENOUGH,
    MOST,
    Segments,
    Timeline,
    cut,
    joined,
    memory_trace,
    thinned,
    trace_of_repeat,
)
from bench.records.cell import MemoryTrace
from bench.records.enums import Phase
from tests.samples import records as sample

GENERATION = (Phase.PREPROCESS, Phase.ENCODE, Phase.PREFILL, Phase.DECODE)

moments = st.lists(st.floats(0, 1e4), min_size=1, max_size=300).map(sorted)
sizes = st.integers(0, 2**40)


@st.composite
def events(draw: st.DrawFn) -> list[tuple[float, int, int]]:
    """Moment, least and most, in order."""
    return [(at, *sorted((draw(sizes), draw(sizes)))) for at in draw(moments)]  # type: ignore[misc]


def timeline_of(rows: list[tuple[float, int, int]], most: int = ENOUGH) -> Segments:
    timeline = Timeline(most)
    for at, low, high in rows:
        timeline.add(at, low, high)
    return timeline.segments()


@given(events(), st.integers(1, 40).map(lambda half: 2 * half))
def test_a_timeline_is_bounded_and_loses_neither_least_nor_most(
    rows: list[tuple[float, int, int]], most: int
) -> None:
    kept = timeline_of(rows, most)
    assert min(len(rows), most // 2) <= len(kept.at_s) <= most
    assert kept.at_s[0] == rows[0][0]
    assert np.all(np.diff(kept.at_s) >= 0)
    assert np.all(kept.low <= kept.high)
    assert kept.low.min() == min(low for _, low, _ in rows)
    assert kept.high.max() == max(high for _, _, high in rows)


@given(events())
def test_each_event_lies_within_its_segment(rows: list[tuple[float, int, int]]) -> None:
    rows = list({at: (at, low, high) for at, low, high in rows}.values())
    kept = timeline_of(rows, 16)
    for at, low, high in rows:
        index = int(np.searchsorted(kept.at_s, at, side="right")) - 1
        assert kept.low[index] <= low <= high <= kept.high[index]


def test_a_timeline_of_nothing_has_no_peak() -> None:
    timeline = Timeline(4)
    assert timeline.segments().peak is None
    timeline.add(0.0, 0, 0)
    assert timeline.segments().peak == 0


def test_millions_of_events_are_segments_of_equally_many() -> None:
    timeline = Timeline(8)
    for number in range(1000):
        timeline.add(number, number, number)
    kept = timeline.segments()
    assert set(np.diff(kept.at_s)) == {128}
    assert kept.low.tolist() == kept.at_s.tolist()
    assert kept.high.tolist() == [*range(127, 999, 128), 999]


@given(events(), st.integers(1, 100))
def test_thinning_keeps_begin_least_and_most(rows: list[tuple[float, int, int]], most: int) -> None:
    whole = timeline_of(rows)
    few = thinned(whole, most)
    assert len(few.at_s) == min(most, len(whole.at_s))
    assert few.at_s[0] == whole.at_s[0]
    assert (few.low.min(), few.high.max()) == (whole.low.min(), whole.high.max())


def test_what_is_in_force_at_the_begin_starts_there_and_nothing_before_the_first() -> None:
    whole = timeline_of([(1.0, 10, 10), (2.0, 20, 20), (3.0, 30, 30)])
    later = cut(whole, 2.5, 10)
    assert (later.at_s.tolist(), later.high.tolist()) == ([2.5, 3.0], [20, 30])
    exact = cut(whole, 2.0, 3.0)
    assert (exact.at_s.tolist(), exact.high.tolist()) == ([2.0], [20])
    assert cut(whole, 0.0, 2.0).at_s.tolist() == [1.0]
    assert cut(whole, 0.0, 1.0).at_s.tolist() == []
    assert cut(whole, 5.0, 6.0).high.tolist() == [30]


@given(events(), st.lists(st.floats(0, 1e4), min_size=5, max_size=5).map(sorted))
def test_a_trace_is_ordered_bounded_and_loses_no_peak(
    rows: list[tuple[float, int, int]], edges: list[float]
) -> None:
    whole = timeline_of(rows)
    begins = dict(zip(GENERATION, edges[:-1], strict=True))
    trace = memory_trace(whole, begins, edges[-1], what="device", source="x")
    inside = [row for row in zip(*columns(whole), strict=True) if edges[0] <= row[0] < edges[-1]]
    if not inside:
        assert trace is None
        return
    assert trace is not None
    assert len(trace.times_s) == len(trace.low_bytes) == len(trace.high_bytes) <= MOST
    assert all(one <= other for one, other in pairwise(trace.times_s))
    assert all(low <= high for low, high in zip(trace.low_bytes, trace.high_bytes, strict=True))
    assert all(0 <= begin <= trace.end_s for begin in trace.phases.values())
    assert 0 <= trace.times_s[0] <= trace.times_s[-1] <= trace.end_s
    assert max(trace.high_bytes) >= max(high for _, _, high in inside)
    assert min(trace.low_bytes) <= min(low for _, low, _ in inside)
    assert set(trace.high_bytes) <= set(whole.high.tolist())


def columns(whole: Segments) -> tuple[list[float], list[int], list[int]]:
    return whole.at_s.tolist(), whole.low.tolist(), whole.high.tolist()


def test_a_short_phase_beside_a_long_one_keeps_its_shape() -> None:
    encode = timeline_of([(at / 1000, at, at) for at in range(100)])
    decode = timeline_of([(0.1 + at, 7, 8) for at in range(10_000)])
    whole = joined([encode, decode])
    trace = memory_trace(
        whole, {Phase.ENCODE: 0.0, Phase.DECODE: 0.1}, 10_000.0, what="allocated", source="x"
    )
    assert trace is not None
    assert len([at for at in trace.times_s if at < 0.1]) == 8
    assert len(trace.times_s) > MOST - 2


def large(count: int) -> MemoryTrace:
    whole = timeline_of(
        [(1234.567891 + at * 1.234567, 98_765_432_109, 98_765_432_109) for at in range(count)]
    )
    begins = {phase: 1234.567891 + number * 20.1 for number, phase in enumerate(GENERATION)}
    trace = memory_trace(
        whole, begins, 9876.543211, what="allocated", source="allocation tracker " + "x" * 40
    )
    assert trace is not None
    return trace


@pytest.mark.parametrize("count", [MOST, 10_000])
def test_a_trace_of_a_big_card_and_of_hours_is_below_3000_bytes_of_json(count: int) -> None:
    assert MOST // 2 < len(large(count).times_s) <= MOST
    assert len(large(count).model_dump_json()) < 3000


def test_the_phases_of_a_timed_repeat_are_in_its_own_times() -> None:
    repeat = sample.repeat(sample.requested(10, 128))
    whole = timeline_of([(50.0 + at * 0.02, at, at) for at in range(1000)], most=1000)
    trace = trace_of_repeat(whole, repeat, 51.005, what="process", source="x")
    assert trace is not None
    assert trace.end_s == pytest.approx(repeat.latency_s, abs=1e-6)
    assert trace.phases == pytest.approx(
        {
            Phase.PREPROCESS: 0.0,
            Phase.ENCODE: repeat.preprocess_s,
            Phase.PREFILL: (repeat.preprocess_s or 0) + (repeat.encode_s or 0),
            Phase.DECODE: repeat.time_to_first_token_s,
        },
        abs=1e-6,
    )
    assert trace.times_s[0] == 0.0
    assert trace.low_bytes[0] == 50, "the sample before the begin was in force"
    assert trace_of_repeat(whole, repeat, 1e6, what="process", source="x") is None
    assert trace_of_repeat(whole, repeat, 0.0, what="process", source="x") is None
