"""Live bytes of tensors where no allocator counts them: their peak, their timeline, and a limit on them."""

import weakref
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from time import perf_counter
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from bench.measure.memory import Counts
from bench.measure.timeline import ENOUGH, Timeline, joined, memory_trace
from bench.records.cell import MemoryTrace
from bench.records.enums import Phase
from bench.records.reasons import EmulatedCardFull
from bench.wording import outcomes


class EmulatedMemoryError(torch.OutOfMemoryError):
    """The limit of an emulated card was exceeded; a real allocator would have failed here."""

    def __init__(self, reason: EmulatedCardFull) -> None:
        super().__init__(outcomes.reason(reason))
        self.reason = reason


@dataclass(slots=True)
class _Storage:
    """A storage that is alive, and the bytes counted for it."""

    reference: weakref.ref[torch.UntypedStorage]
    size: int


def _tensors(result: object) -> Iterator[torch.Tensor]:
    """The tensors in an operator's result: one, a tuple, or a tuple with lists."""
    if isinstance(result, torch.Tensor):
        yield result
    elif isinstance(result, tuple | list):
        for part in result:
            yield from _tensors(part)


class AllocationTracker(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts the bytes of every storage that an operator returns for as long as it lives.

    It sees what the dispatcher sees: workspace that a kernel takes and gives back inside one operator is not
    in it (on the CPU there is no allocator to ask). Storages that were alive before it was entered are added
    with `adopt`.

    With `limit_bytes`, an operator whose result takes the live bytes beyond it raises EmulatedMemoryError.
    """

    source = "allocation tracker (tensors that the dispatcher sees)"

    def __init__(self, limit_bytes: int | None = None) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._limit = limit_bytes
        self._live = 0
        self._peak = 0
        self._timeline: Timeline | None = None
        self._known: dict[int, _Storage] = {}

    def __torch_dispatch__(
        self,
        func: Callable[..., Any],
        types: tuple[type, ...],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Run one operator and count what it returns.

        Raises:
            EmulatedMemoryError: it returned more than the limit leaves.
        """
        result = func(*args, **(kwargs or {}))
        before, peak = self._live, self._peak
        for tensor in _tensors(result):
            self.adopt(tensor)
        if self._timeline is not None:
            low, high = (before, self._live) if before < self._live else (self._live, before)
            self._timeline.add(perf_counter(), low, self._peak if self._peak > peak else high)
        if self._limit is not None and self._live > self._limit:
            raise self._out_of_memory(self._limit, before, self._live - before)
        return result

    def adopt(self, tensor: torch.Tensor) -> None:
        """Count the storage of a tensor, once, until it is freed; a storage that was resized, anew."""
        storage = tensor.untyped_storage()
        key, size = storage._cdata, storage.nbytes()
        known = self._known.get(key)
        if known is None:
            self._known[key] = _Storage(weakref.ref(storage, partial(self._release, key)), size)
            self._live += size
        else:
            self._live += size - known.size
            known.size = size
        self._peak = max(self._peak, self._live)

    def adopt_all(self, tensors: Iterable[torch.Tensor]) -> None:
        """Count the storages of tensors that were made elsewhere.

        Raises:
            EmulatedMemoryError: they are more than the limit leaves.
        """
        before = self._live
        for tensor in tensors:
            self.adopt(tensor)
        if self._limit is not None and self._live > self._limit:
            raise self._out_of_memory(self._limit, before, self._live - before)

    def require(self, size_bytes: int) -> None:
        """Check that so many bytes still fit, before they are allocated.

        Raises:
            EmulatedMemoryError: they would not.
        """
        if self._limit is not None and self._live + size_bytes > self._limit:
            raise self._out_of_memory(self._limit, self._live, size_bytes)

    @staticmethod
    def _out_of_memory(limit: int, live: int, requested: int) -> EmulatedMemoryError:
        return EmulatedMemoryError(
            EmulatedCardFull(requested_bytes=requested, free_bytes=limit - live, limit_bytes=limit)
        )

    def _release(self, key: int, _reference: object) -> None:
        self._live -= self._known.pop(key).size

    def begin(self) -> None:
        """Start a new peak at the bytes that are live now."""
        self._peak = self._live

    def follow(self, timeline: Timeline | None) -> None:
        """Add the live bytes since the last `begin` to this timeline, once an operator; None ends that."""
        self._timeline = timeline
        if timeline is not None:
            timeline.add(perf_counter(), self._live, self._peak)

    def read(self) -> Counts:
        """Most live bytes since `begin`, and those of now."""
        return Counts(peak=self._peak, live=self._live, reserved_peak=None)


class TimelineWatch:
    """An observer that keeps a timeline of a tracker's live bytes for each phase of a generation.

    Place it after the observer that begins the tracker's peaks: both then start at the same bytes.
    """

    def __init__(self, tracker: AllocationTracker) -> None:
        self._tracker = tracker
        self._timelines: dict[Phase, Timeline] = {}
        self._end_s: float | None = None

    def begin(self, phase: Phase) -> None:
        """Start the timeline of this phase."""
        self._timelines[phase] = Timeline(ENOUGH)
        self._tracker.follow(self._timelines[phase])

    def token(self) -> None:
        """Tokens change no phase."""

    def end(self) -> None:
        """End the last timeline."""
        self._tracker.follow(None)
        self._end_s = perf_counter()

    def trace(self) -> MemoryTrace | None:
        """The trace of the generation, slowed down by the tracker; None before its end or without a phase."""
        if self._end_s is None or not self._timelines:
            return None
        parts = {phase: timeline.segments() for phase, timeline in self._timelines.items()}
        return memory_trace(
            joined(parts.values()),
            {phase: float(part.at_s[0]) for phase, part in parts.items()},
            self._end_s,
            what="allocated",
            source=self._tracker.source,
        )
