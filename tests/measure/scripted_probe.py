"""A card whose answers a test writes down."""

import threading
from collections.abc import Iterable
from time import perf_counter

from bench.hardware.readings import DriverLost, Sample, SlowSample


class Scripted:
    """A probe that answers from a list, the last answer for ever; `waits_s` is how long a call takes."""

    def __init__(self, answers: Iterable[Sample | DriverLost], waits_s: float = 0.0) -> None:
        self._answers = list(answers)
        self._waits_s = waits_s
        self._call = threading.Event()
        self.asked = threading.Event()
        self.calls = 0
        self.drawing = frozenset[int]()
        self.closed = False
        self.thread: threading.Thread | None = None

    def fast(self) -> Sample:
        self.thread = threading.current_thread()
        if self._waits_s:
            self._call.wait(self._waits_s)
        answer = self._answers[min(self.calls, len(self._answers) - 1)]
        self.calls += 1
        self.asked.set()
        if isinstance(answer, DriverLost):
            raise answer
        return Sample(perf_counter(), answer.used_bytes, answer.processes, answer.power_w, answer.energy_j)

    def slow(self) -> SlowSample:
        return SlowSample(perf_counter(), temperature_c=50.0, drawing=self.drawing)

    def close(self) -> None:
        self.closed = True
