"""Memory of the native engine: from the CUDA allocator's counters, or counted in an extra pass."""

import gc
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import torch

from bench.engines.interface import MemoryProfiler, ProfiledMemory
from bench.engines.native.engine import NativeEngine
from bench.measure.memory import CachingAllocator, Counts, MemoryWatch, phase_memory
from bench.measure.observer import CombinedObserver, Observer
from bench.measure.resident import Resident
from bench.measure.tracker import AllocationTracker, TimelineWatch
from bench.records.cell import Memory, PhaseMemory
from bench.records.enums import Phase


class _TorchMemory(MemoryProfiler):
    """The common part of both profilers: the resident set, the weights and their loading."""

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
    """Counts tensors through torch's dispatcher, in an extra pass.

    With the limit of an emulated card it counts in every generation, so that the limit holds in all of them.
    Times of such a run mean nothing.
    """

    needs_a_pass = True

    def __init__(self, engine: NativeEngine, weights_bytes: int | None, limit_bytes: int | None) -> None:
        super().__init__(engine, AllocationTracker.source)
        self._expected_bytes = weights_bytes or 0
        self._limited = AllocationTracker(limit_bytes) if limit_bytes is not None else None

    def begin_load(self) -> None:
        """Start a new resident peak; check that the weights fit.

        Raises:
            EmulatedMemoryError: the weights alone exceed the limit.
        """
        super().begin_load()
        if self._limited is not None:
            self._limited.require(self._expected_bytes)

    def end_load(self) -> None:
        """Count the weights by their sizes: loaders fill memory in other threads, which cannot be counted.

        Raises:
            EmulatedMemoryError: they exceed the limit.
        """
        if self._limited is not None:
            self._limited.adopt_all(self._tensors())
        live = self._weights_bytes()
        counted = phase_memory(Counts(peak=live, live=live, reserved_peak=None), self._resident)
        self._load = counted.model_copy(update={"allocated_peak_bytes": None})

    def around(self) -> AbstractContextManager[object]:
        """Collect garbage of earlier generations, and return the limit (if there is one) as a context."""
        if self._limited is None:
            return nullcontext()
        gc.collect()
        return self._limited

    def profile(self, generate: Callable[[Observer], object]) -> ProfiledMemory:
        """Generate once under the tracker, and return the memory."""
        if self._limited is not None:  # `around` has entered it
            return self._followed(self._limited, generate)
        tracker = AllocationTracker()
        tracker.adopt_all(self._tensors())
        with tracker:
            return self._followed(tracker, generate)

    def _followed(self, tracker: AllocationTracker, generate: Callable[[Observer], object]) -> ProfiledMemory:
        peaks, timeline = MemoryWatch(tracker, self._resident), TimelineWatch(tracker)
        generate(CombinedObserver(peaks, timeline))
        return ProfiledMemory(self._memory(peaks.phases, retries=None), timeline.trace())

    def _tensors(self) -> list[torch.Tensor]:
        return [*self._engine.weights(), *self._engine.buffers()]


class CudaMemory(_TorchMemory):
    """Reads the CUDA allocator's counters at each phase of the timed repeats.

    The allocator itself keeps the limit of an emulated card, which was set before loading.
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
        """Start new phases, and count retries from here."""
        self._watch = MemoryWatch(self._allocated, self._resident)
        self._retries_before = self._allocated.retries()

    def before_warm_up(self) -> None:
        """Release the blocks of the cold call, which are not memory of this cell.

        The first phase of each repeat starts new peaks.
        """
        self._allocated.give_back()

    def observers(self) -> tuple[Observer, ...]:
        """Return one watch for all repeats: the largest peak of each phase counts."""
        return (self._watch,)

    def profile(self, generate: Callable[[Observer], object]) -> ProfiledMemory:  # noqa: ARG002 - no pass
        """Return the peaks of the repeats. A trace comes from the driver's samples instead."""
        return ProfiledMemory(
            self._memory(self._watch.phases, self._allocated.retries() - self._retries_before)
        )

    def end_cell(self) -> None:
        """Release cached blocks: the driver watches the next cell from its begin."""
        self._allocated.give_back()

    def reserved_bytes(self) -> int:
        """Bytes that the allocator holds now."""
        return self._allocated.reserved()
