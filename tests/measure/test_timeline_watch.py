"""The course of live bytes, followed operator by operator."""

import torch

from bench.measure.memory import MemoryWatch
from bench.measure.observer import Together
from bench.measure.resident import Resident
from bench.measure.timeline import MOST
from bench.measure.timeline_watch import CourseWatch
from bench.measure.tracker import AllocationTracker
from bench.records.enums import Phase

KIB = 1024


def floats(count: int) -> torch.Tensor:
    return torch.zeros(count, dtype=torch.float32)


def test_each_operator_is_a_stretch_with_what_was_released_before_it() -> None:
    tracker = AllocationTracker()
    tracker.adopt(floats(KIB))  # gone at once
    with tracker:
        kept = floats(KIB)
        watch = CourseWatch(tracker)
        tracker.begin()
        watch.begin(Phase.ENCODE)
        floats(10 * KIB)
        floats(2 * KIB)
        tracker.begin()
        watch.begin(Phase.PREFILL)
        watch.token()
        other = floats(3 * KIB)
        watch.end()
        floats(100 * KIB)  # after the end
    trace = watch.trace()
    assert trace is not None
    assert trace.low_bytes == (4 * KIB, 4 * KIB, 4 * KIB, 4 * KIB, 4 * KIB)
    assert trace.high_bytes == (4 * KIB, 44 * KIB, 12 * KIB, 4 * KIB, 16 * KIB)
    assert trace.phases == {Phase.ENCODE: trace.times_s[0], Phase.PREFILL: trace.times_s[3]}
    assert trace.times_s[0] == 0.0
    assert kept.numel() + other.numel() == 4 * KIB


def test_thousands_of_operators_are_few_stretches_with_the_peak_of_each_phase() -> None:
    tracker = AllocationTracker()
    peaks, course = MemoryWatch(tracker, Resident()), CourseWatch(tracker)
    watch = Together(peaks, course)
    with tracker:
        for phase, largest in ((Phase.PREFILL, 700), (Phase.DECODE, 300)):
            watch.begin(phase)
            for number in range(3000):
                floats(1 + number * 7919 % largest)
        watch.end()
    trace = course.trace()
    assert trace is not None
    assert MOST // 2 < len(trace.times_s) <= MOST
    border = trace.phases[Phase.DECODE]
    rows = list(zip(trace.times_s, trace.high_bytes, strict=True))
    assert max(high for at, high in rows if at < border) == 700 * 4
    assert max(high for at, high in rows if at >= border) == 300 * 4
    assert [seen.allocated_peak_bytes for seen in peaks.phases.values()] == [700 * 4, 300 * 4]


def test_before_the_end_and_without_a_generation_there_is_no_trace() -> None:
    tracker = AllocationTracker()
    watch = CourseWatch(tracker)
    assert watch.trace() is None
    watch.begin(Phase.ENCODE)
    assert watch.trace() is None
    unannounced = CourseWatch(tracker)
    unannounced.end()
    assert unannounced.trace() is None
