"""How memory is measured on a device: where counting costs time in a pass of its own, else along the way."""

import gc
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Protocol

import torch

from bench.engines.interface import Engine
from bench.measure.cuda_memory import CudaAllocated
from bench.measure.memory import CachingAllocator, Counts, MemoryWatch, phase_memory
from bench.measure.observer import Observer, Together
from bench.measure.resident import Resident
from bench.measure.tracker import AllocationTracker, TimelineWatch
from bench.records.enums import Phase
from bench.records.record import MemoryTrace, PhaseMemory

Generate = Callable[[Observer], object]


@dataclass(frozen=True, slots=True)
class Watched:
    """Memory of the generations that were watched: peaks of each phase, and the course of one of them."""

    phases: dict[Phase, PhaseMemory]
    trace: MemoryTrace | None = None


class MemoryProfiler(Protocol):
    """Asked by the runner of cells in the order of its methods."""

    source: str
    needs_a_pass: bool

    def begin_load(self, weights_bytes: int) -> None:
        """The model is about to be loaded.

        Raises:
            EmulatedMemoryError: its weights alone pass the limit, which needs no loading to know.
        """

    def end_load(self) -> PhaseMemory:
        """It is there, once the device is done.

        Raises:
            EmulatedMemoryError: the limit is passed already.
        """

    def begin_cell(self) -> None:
        """Counting starts anew."""

    def around(self) -> AbstractContextManager[object]:
        """To be entered around every generation."""

    def before_warm_up(self) -> None:
        """What ran before the cell's own shape is over."""

    def observers(self) -> tuple[Observer, ...]:
        """Who may watch the timed repeats without disturbing them."""

    def watched(self, generate: Generate) -> Watched:
        """What was seen of this cell; `generate` is called where that needs a pass of its own."""

    def end_cell(self) -> None:
        """The cell was measured: nothing of it may be held while the next one is watched from outside."""

    def retries(self) -> int | None:
        """How often the allocator had to give back its cache during this cell; None without one."""

    def reserved(self) -> int | None:
        """Bytes that the caching allocator holds now; None without one."""


class CpuGauge:
    """Follows tensors through the dispatcher, in a pass of its own.

    Under the limit of an emulated card it follows every generation, so that the limit holds in all of them:
    then the times of that run mean nothing.
    """

    source = AllocationTracker.source
    needs_a_pass = True

    def __init__(self, engine: Engine, limit_bytes: int | None) -> None:
        self._engine = engine
        self._resident = Resident()
        self._limited = AllocationTracker(limit_bytes) if limit_bytes is not None else None

    def begin_load(self, weights_bytes: int) -> None:
        """Start a new resident peak; see whether the weights can fit at all."""
        self._resident.begin()
        if self._limited is not None:
            self._limited.require(weights_bytes)

    def end_load(self) -> PhaseMemory:
        """Weights by their sizes: loaders fill memory in threads of their own, where nothing can count it."""
        if self._limited is not None:
            self._limited.adopt_all(self._tensors())
        live = sum(tensor.untyped_storage().nbytes() for tensor in self._engine.weights())
        counted = phase_memory(Counts(peak=live, live=live, reserved_peak=None), self._resident)
        return counted.model_copy(update={"allocated_peak_bytes": None})

    def begin_cell(self) -> None:
        """Nothing is kept from cell to cell."""

    def around(self) -> AbstractContextManager[object]:
        """The limit, where there is one; garbage of the generation before is not held against this one."""
        if self._limited is None:
            return nullcontext()
        gc.collect()
        return self._limited

    def before_warm_up(self) -> None:
        """There is no cache to give back."""

    def observers(self) -> tuple[Observer, ...]:
        """Nobody: timed repeats run unwatched."""
        return ()

    def watched(self, generate: Generate) -> Watched:
        """One generation under the tracker."""
        if self._limited is not None:  # which `around` enters
            return self._followed(self._limited, generate)
        tracker = AllocationTracker()
        tracker.adopt_all(self._tensors())
        with tracker:
            return self._followed(tracker, generate)

    def _followed(self, tracker: AllocationTracker, generate: Generate) -> Watched:
        peaks, course = MemoryWatch(tracker, self._resident), TimelineWatch(tracker)
        generate(Together(peaks, course))
        return Watched(peaks.phases, course.trace())

    def end_cell(self) -> None:
        """There is no cache to give back."""

    def retries(self) -> None:
        """No caching allocator."""

    def reserved(self) -> None:
        """No caching allocator."""

    def _tensors(self) -> list[torch.Tensor]:
        return [*self._engine.weights(), *self._engine.buffers()]


class CudaGauge:
    """Reads the allocator's counters, which it keeps anyway, at each phase of the timed repeats themselves.

    The limit of an emulated card is the allocator's own: it was set before anything was loaded.
    """

    needs_a_pass = False

    def __init__(self, allocated: CachingAllocator) -> None:
        self.source = allocated.source
        self._allocated = allocated
        self._resident = Resident()
        self._watch = MemoryWatch(self._allocated, self._resident)
        self._retries_before = 0

    def begin_load(self, weights_bytes: int) -> None:  # noqa: ARG002 - the allocator will say if they fit
        """Start new peaks."""
        self._resident.begin()
        self._allocated.begin()

    def end_load(self) -> PhaseMemory:
        """Wait for the last copy, and read the peaks."""
        self._allocated.wait()
        return phase_memory(self._allocated.read(), self._resident)

    def begin_cell(self) -> None:
        """New phases; retries count from here."""
        self._watch = MemoryWatch(self._allocated, self._resident)
        self._retries_before = self._allocated.retries()

    def around(self) -> AbstractContextManager[object]:
        """The allocator counts by itself."""
        return nullcontext()

    def before_warm_up(self) -> None:
        """Blocks of the cold call would be in the reserved bytes of this cell.

        The peaks start anew with the first phase of each repeat.
        """
        self._allocated.give_back()

    def observers(self) -> tuple[Observer, ...]:
        """One watch for all repeats: the largest of each phase counts."""
        return (self._watch,)

    def watched(self, generate: Generate) -> Watched:  # noqa: ARG002 - it is all there
        """What the repeats showed; their course is the driver's to tell."""
        return Watched(self._watch.phases)

    def end_cell(self) -> None:
        """The driver sees the next cell from its begin, which is before that gives anything back itself."""
        self._allocated.give_back()

    def retries(self) -> int:
        """Since the cell began."""
        return self._allocated.retries() - self._retries_before

    def reserved(self) -> int:
        """Bytes that the allocator holds now."""
        return self._allocated.reserved()


def gauge(engine: Engine, device: torch.device, limit_bytes: int | None) -> MemoryProfiler:
    """The one for a device; `limit_bytes` is what a smaller card would leave."""
    return CudaGauge(CudaAllocated(device)) if device.type == "cuda" else CpuGauge(engine, limit_bytes)
