"""Memory of the native engine: where counting costs time in a pass of its own, else along the way."""

import gc
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import torch

from bench.engines.interface import MemoryProfiler, ProfiledMemory
from bench.engines.native.engine import NativeEngine
from bench.measure.memory import CachingAllocator, Counts, MemoryWatch, phase_memory
from bench.measure.observer import Observer, Together
from bench.measure.resident import Resident
from bench.measure.tracker import AllocationTracker, TimelineWatch
from bench.records.enums import Phase
from bench.records.record import Memory, PhaseMemory


class _TorchMemory(MemoryProfiler):
    """What both profilers share: the resident set of this process, the weights, and the loading of them."""

    def __init__(self, engine: NativeEngine, source: str) -> None:
        self._engine = engine
        self._source = source
        self._resident = Resident()
        self._baseline_bytes = 0
        self._load: PhaseMemory | None = None

    def begin_load(self) -> None:
        """Start a new resident peak."""
        self._baseline_bytes = self._resident.now()
        self._resident.begin()

    def _weights_bytes(self) -> int:
        return sum(tensor.untyped_storage().nbytes() for tensor in self._engine.weights())

    def _memory(self, phases: dict[Phase, PhaseMemory], retries: int | None) -> Memory:
        load = {} if self._load is None else {Phase.LOAD: self._load}
        return Memory(
            allocated_source=self._source,
            resident_source=self._resident.source,
            resident_baseline_bytes=self._baseline_bytes,
            weights_bytes=self._weights_bytes(),
            phases={**load, **phases},
            allocation_retries=retries,
        )


class TrackedMemory(_TorchMemory):
    """Follows tensors through the dispatcher, in a pass of its own.

    Under the limit of an emulated card it follows every generation, so that the limit holds in all of them:
    then the times of that run mean nothing.
    """

    needs_a_pass = True

    def __init__(self, engine: NativeEngine, weights_bytes: int | None, limit_bytes: int | None) -> None:
        super().__init__(engine, AllocationTracker.source)
        self._expected_bytes = weights_bytes or 0
        self._limited = AllocationTracker(limit_bytes) if limit_bytes is not None else None

    def begin_load(self) -> None:
        """Start a new resident peak; see whether the weights can fit at all.

        Raises:
            EmulatedMemoryError: the weights alone pass the limit, which needs no loading to know.
        """
        super().begin_load()
        if self._limited is not None:
            self._limited.require(self._expected_bytes)

    def end_load(self) -> None:
        """Weights by their sizes: loaders fill memory in threads of their own, where nothing can count it.

        Raises:
            EmulatedMemoryError: the limit is passed already.
        """
        if self._limited is not None:
            self._limited.adopt_all(self._tensors())
        live = self._weights_bytes()
        counted = phase_memory(Counts(peak=live, live=live, reserved_peak=None), self._resident)
        self._load = counted.model_copy(update={"allocated_peak_bytes": None})

    def around(self) -> AbstractContextManager[object]:
        """The limit, where there is one; garbage of the generation before is not held against this one."""
        if self._limited is None:
            return nullcontext()
        gc.collect()
        return self._limited

    def profile(self, generate: Callable[[Observer], object]) -> ProfiledMemory:
        """One generation under the tracker."""
        if self._limited is not None:  # which `around` enters
            return self._followed(self._limited, generate)
        tracker = AllocationTracker()
        tracker.adopt_all(self._tensors())
        with tracker:
            return self._followed(tracker, generate)

    def _followed(self, tracker: AllocationTracker, generate: Callable[[Observer], object]) -> ProfiledMemory:
        peaks, timeline = MemoryWatch(tracker, self._resident), TimelineWatch(tracker)
        generate(Together(peaks, timeline))
        return ProfiledMemory(self._memory(peaks.phases, retries=None), timeline.trace())

    def _tensors(self) -> list[torch.Tensor]:
        return [*self._engine.weights(), *self._engine.buffers()]


class CudaMemory(_TorchMemory):
    """Reads the allocator's counters, which it keeps anyway, at each phase of the timed repeats themselves.

    The limit of an emulated card is the allocator's own: it was set before anything was loaded.
    """

    def __init__(self, engine: NativeEngine, allocated: CachingAllocator) -> None:
        super().__init__(engine, allocated.source)
        self._allocated = allocated
        self._watch = MemoryWatch(self._allocated, self._resident)
        self._retries_before = 0

    def begin_load(self) -> None:
        """Start new peaks."""
        super().begin_load()
        self._allocated.begin()

    def end_load(self) -> None:
        """Wait for the last copy, and read the peaks."""
        self._allocated.wait()
        self._load = phase_memory(self._allocated.read(), self._resident)

    def begin_cell(self) -> None:
        """New phases; retries count from here."""
        self._watch = MemoryWatch(self._allocated, self._resident)
        self._retries_before = self._allocated.retries()

    def before_warm_up(self) -> None:
        """Blocks of the cold call would be in the reserved bytes of this cell.

        The peaks start anew with the first phase of each repeat.
        """
        self._allocated.give_back()

    def observers(self) -> tuple[Observer, ...]:
        """One watch for all repeats: the largest of each phase counts."""
        return (self._watch,)

    def profile(self, generate: Callable[[Observer], object]) -> ProfiledMemory:  # noqa: ARG002 - no pass
        """What the repeats showed; their course is the driver's to report."""
        return ProfiledMemory(
            self._memory(self._watch.phases, self._allocated.retries() - self._retries_before)
        )

    def end_cell(self) -> None:
        """The driver sees the next cell from its begin, which is before that gives anything back itself."""
        self._allocated.give_back()

    def reserved_bytes(self) -> int:
        """Bytes that the allocator holds now."""
        return self._allocated.reserved()
