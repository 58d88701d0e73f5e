"""The course of live tensor bytes over one generation, while it runs."""

from time import perf_counter

from bench.measure.timeline import ENOUGH, Timeline, joined, memory_trace
from bench.measure.tracker import AllocationTracker
from bench.records.enums import Phase
from bench.records.record import MemoryTrace


class CourseWatch:
    """An observer that has a tracker followed, each phase for itself, so that no stretch holds two phases.

    Told after whoever begins the tracker's peaks anew: both then start at the same bytes.
    """

    def __init__(self, tracker: AllocationTracker) -> None:
        self._tracker = tracker
        self._courses: dict[Phase, Timeline] = {}
        self._end_s: float | None = None

    def begin(self, phase: Phase) -> None:
        """Follow it in a course of its own."""
        self._courses[phase] = Timeline(ENOUGH)
        self._tracker.follow(self._courses[phase])

    def token(self) -> None:
        """Tokens change no phase."""

    def end(self) -> None:
        """Follow no more."""
        self._tracker.follow(None)
        self._end_s = perf_counter()

    def trace(self) -> MemoryTrace | None:
        """What was seen, in the times of a tracked generation; None before its end, and without any phase."""
        if self._end_s is None or not self._courses:
            return None
        parts = {phase: course.stretches() for phase, course in self._courses.items()}
        return memory_trace(
            joined(parts.values()),
            {phase: float(part.at_s[0]) for phase, part in parts.items()},
            self._end_s,
            what="allocated",
            source=self._tracker.source,
        )
