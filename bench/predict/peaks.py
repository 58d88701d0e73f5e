"""The peak of each phase beyond the weights, from one trace for any number of new tokens. Pure.

The events of a trace are summed once, to the memory after each event. A kernel takes its workspace once its
outputs exist, at the last of its allocations, and releases it when it ends.

An answer longer than the traced ones continues with decode steps that differ in sizes only. Sizes grow by the
same amount from step to step, so that the bytes at one place of the step are a convex function of the step's
number (growth is never negative): highest at the first or the last step. Only the first steps may differ, as
they release blocks from before the pattern, which may be of any size. So few steps are computed, however long
the answer is (the tests compare with all steps).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench.predict.trace import DecodeStep, Event, Kernel, StepEvent, Trace
from bench.records.enums import Phase

ByteCounts = NDArray[np.int64]
Indices = NDArray[np.int64]
Flags = NDArray[np.bool_]

NO_KERNEL: Final = -1
"""Instead of the index of a kernel."""


@dataclass(frozen=True, slots=True)
class PhasePeak:
    """The peak of one phase, in bytes without the weights. `allocated_bytes` is the sum of the next three.

    `kernel` caused the peak; None where it is the memory at the phase's begin. `activations_peak_bytes` and
    `workspace_peak_bytes` are the peaks of these parts alone, at any time of the phase.
    """

    allocated_bytes: int
    cache_bytes: int
    activations_bytes: int
    workspace_bytes: int
    kernel: Kernel | None
    activations_peak_bytes: int
    workspace_peak_bytes: int


class Level(NamedTuple):
    """KV cache and other tensors after an event, and its kernel; None at the begin of a phase."""

    cache_bytes: int
    activations_bytes: int
    kernel: Kernel | None


def phase_peaks(
    trace: Trace, max_tokens: Sequence[int], workspace: Callable[[Kernel], int]
) -> dict[int, dict[Phase, PhasePeak]]:
    """Return the peaks of each phase for each number of new tokens: see `SummedTrace.peaks`."""
    summed = SummedTrace(trace, workspace)
    return {tokens: summed.peaks(tokens) for tokens in max_tokens}


# --- memory after each event ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Peak:
    """The highest point of a series: its parts, the index of its kernel, and the peaks of two parts alone."""

    cache_bytes: int
    activations_bytes: int
    workspace_bytes: int
    kernel: int
    activations_peak_bytes: int
    workspace_peak_bytes: int

    @property
    def allocated_bytes(self) -> int:
        """Sum of the three parts."""
        return self.cache_bytes + self.activations_bytes + self.workspace_bytes


@dataclass(frozen=True, slots=True)
class MemorySeries:
    """Bytes before the first event and after each event."""

    cache: ByteCounts
    activations: ByteCounts
    workspace: ByteCounts
    kernels: Indices

    def between(self, first: int, end: int) -> "MemorySeries":
        """The series from before event `first` until before event `end`."""
        part = slice(first, end + 1)
        workspace, kernels = self.workspace[part].copy(), self.kernels[part].copy()
        workspace[0], kernels[0] = 0, NO_KERNEL  # those of the previous kernel, which has ended
        return MemorySeries(self.cache[part], self.activations[part], workspace, kernels)

    def peak(self) -> Peak:
        """The highest point, the earliest of equals."""
        place = int(np.argmax(self.cache + self.activations + self.workspace))
        return Peak(
            cache_bytes=int(self.cache[place]),
            activations_bytes=int(self.activations[place]),
            workspace_bytes=int(self.workspace[place]),
            kernel=int(self.kernels[place]),
            activations_peak_bytes=int(self.activations.max()),
            workspace_peak_bytes=int(self.workspace.max()),
        )


def memory_series(
    changes: ByteCounts, is_cache: Flags, workspace: ByteCounts, kernels: Indices, before: tuple[int, int]
) -> MemorySeries:
    """Running sums of the changes of events, from the KV cache and other bytes `before` the first."""
    return MemorySeries(
        cache=_sums(np.where(is_cache, changes, 0), before[0]),
        activations=_sums(np.where(is_cache, 0, changes), before[1]),
        workspace=np.concatenate(([0], workspace)),
        kernels=np.concatenate(([NO_KERNEL], kernels)),
    )


def workspace_series(kernels: Indices, changes: ByteCounts, taken: ByteCounts) -> ByteCounts:
    """Workspace after each event: its kernel's at the kernel's last allocation, else none."""
    allocates = changes > 0
    continues = np.zeros_like(allocates)
    continues[:-1] = allocates[1:] & (kernels[1:] == kernels[:-1])
    return np.where(allocates & ~continues, taken[kernels], 0)


def highest(peaks: list[Peak]) -> Peak:
    """The highest of several peaks, the earliest of equals, with the peaks of both parts over all."""
    top = max(peaks, key=lambda peak: peak.allocated_bytes)
    return Peak(
        cache_bytes=top.cache_bytes,
        activations_bytes=top.activations_bytes,
        workspace_bytes=top.workspace_bytes,
        kernel=top.kernel,
        activations_peak_bytes=max(peak.activations_peak_bytes for peak in peaks),
        workspace_peak_bytes=max(peak.workspace_peak_bytes for peak in peaks),
    )


def _sums(changes: ByteCounts, before: int) -> ByteCounts:
    return np.cumsum(np.concatenate(([before], changes)), dtype=np.int64)


# --- decode steps that were not traced -----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DecodeSteps:
    """The pattern as arrays, one value an event. Changes are negative where a block is released.

    `changes` are those of step `first` if all earlier steps follow the pattern. `age` is the number of steps
    since the released block was made. `first_changes` are the real changes of the steps that release blocks
    from before the pattern. Blocks of one number are all KV cache or all not.
    """

    first: int
    changes: ByteCounts
    growth: ByteCounts
    age: Indices
    first_changes: tuple[ByteCounts, ...]
    is_cache: Flags
    workspace: ByteCounts
    kernels: Indices

    def peaks(self, begin: int, last: int, before: tuple[int, int]) -> list[Peak]:
        """Peaks of those of the steps `begin` to `last` that can be the highest, in order.

        Args:
            begin: the first of the steps, the pattern's own or a later one.
            last: the last of the steps.
            before: KV cache and other bytes when `begin` starts.
        """
        regular = max(begin, self.first + len(self.first_changes))
        found = []
        for number in range(begin, min(regular, last) + 1):
            found.append(self._series(number, before).peak())
            before = _sum(before, self._net(number))
        if last > regular:
            found.append(self._series(last, self._skipped(regular + 1, last, before)).peak())
        return found

    def series(self, number: int, begin: int, before: tuple[int, int]) -> MemorySeries:
        """The series of step `number`, from the KV cache and other bytes `before` step `begin`."""
        regular = max(begin, min(number, self.first + len(self.first_changes)))
        for earlier in range(begin, regular):
            before = _sum(before, self._net(earlier))
        if number > regular:
            before = self._skipped(regular, number, before)
        return self._series(number, before)

    def _changes(self, number: int) -> ByteCounts:
        """Bytes by which each event of a step changes the memory."""
        since = number - self.first
        if since < len(self.first_changes):
            return self.first_changes[since]
        return self.changes + (since - self.age) * self.growth

    def _series(self, number: int, before: tuple[int, int]) -> MemorySeries:
        return memory_series(self._changes(number), self.is_cache, self.workspace, self.kernels, before)

    def _net(self, number: int) -> tuple[int, int]:
        """KV cache and other bytes that a step leaves allocated."""
        changes = self._changes(number)
        cache = int(changes[self.is_cache].sum())
        return cache, int(changes.sum()) - cache

    def _skipped(self, number: int, end: int, before: tuple[int, int]) -> tuple[int, int]:
        """KV cache and other bytes when step `end` starts: the sum of an arithmetic series of steps."""
        first, last = self._net(number), self._net(end - 1)
        cache, other = ((end - number) * (first[kind] + last[kind]) // 2 for kind in (0, 1))
        return _sum(before, (cache, other))


def decode_steps(step: DecodeStep, traced: Mapping[int, int], taken: ByteCounts) -> DecodeSteps:
    """Return the steps of a pattern.

    Args:
        step: the pattern.
        traced: blocks of the trace, to their bytes.
        taken: the workspace of each kernel of the trace, the same in every step.
    """
    made = {event.number: event for event in step.events if event.size_bytes}
    makers = [made[event.number] for event in step.events]
    signs = np.array([1 if event.size_bytes else -1 for event in step.events], dtype=np.int64)
    kernels = np.array([event.kernel for event in step.events], dtype=np.int64)
    oldest = max((event.age for event in step.events), default=0)
    return DecodeSteps(
        first=step.first,
        changes=signs * np.array([maker.size_bytes for maker in makers], dtype=np.int64),
        growth=signs * np.array([maker.growth_bytes for maker in makers], dtype=np.int64),
        age=np.array([event.age for event in step.events], dtype=np.int64),
        first_changes=tuple(signs * _sizes(step, makers, since, traced) for since in range(oldest)),
        is_cache=np.array([maker.is_cache for maker in makers], dtype=np.bool_),
        workspace=workspace_series(kernels, signs, taken),
        kernels=kernels,
    )


def _sizes(step: DecodeStep, makers: list[StepEvent], since: int, traced: Mapping[int, int]) -> ByteCounts:
    """Sizes of the blocks of one of the first steps; blocks from before the pattern have traced sizes."""
    return np.array(
        [
            maker.size_bytes + (since - event.age) * maker.growth_bytes
            if event.age <= since
            else traced[step.before[event.age - since - 1][event.number]]
            for event, maker in zip(step.events, makers, strict=True)
        ],
        dtype=np.int64,
    )


def _sum(some: tuple[int, int], more: tuple[int, int]) -> tuple[int, int]:
    return some[0] + more[0], some[1] + more[1]


# --- a trace with its sums -------------------------------------------------------------------------------


class SummedTrace:
    """A trace with its running sums, which answers of all lengths share.

    `workspace` returns the bytes that a kernel takes in addition to its tensors while it runs; it is called
    for kernels with a `call`.
    """

    def __init__(self, trace: Trace, workspace: Callable[[Kernel], int]) -> None:
        taken = np.array([workspace(k) if k.call is not None else 0 for k in trace.kernels], dtype=np.int64)
        sizes = {event.block: event.size_bytes for event in trace.events if event.size_bytes}
        changes = np.array(
            [event.size_bytes or -sizes[event.block] for event in trace.events], dtype=np.int64
        )
        kernels = np.array([event.kernel for event in trace.events], dtype=np.int64)
        workspace_after = workspace_series(kernels, changes, taken)
        self._kernels = trace.kernels
        self._tokens_at = trace.tokens_at
        self._series = memory_series(changes, _is_cache(trace.events), workspace_after, kernels, (0, 0))
        self._spans = _phase_spans([trace.kernels[event.kernel].phase for event in trace.events])
        self._steps = decode_steps(trace.step, sizes, taken) if trace.step is not None else None

    def peaks(self, tokens: int) -> dict[Phase, PhasePeak]:
        """Return the peak of each phase of an answer, phases in order. One token has no decode phase.

        Raises:
            ValueError: less than one token; or more than were traced, of a trace without a decode step.
        """
        if tokens < 1:
            raise ValueError(f"An answer has at least one token, not {tokens}")
        traced = min(tokens, len(self._tokens_at))
        events = self._tokens_at[traced - 1]
        found = {
            phase: self._series.between(first, min(end, events)).peak()
            for phase, (first, end) in self._spans.items()
            if first < events
        }
        if tokens > traced:
            known = [found[Phase.DECODE]] if Phase.DECODE in found else []
            steps = self._pattern(traced, tokens)
            found[Phase.DECODE] = highest([*known, *steps.peaks(traced, tokens - 1, self._before(traced))])
        return {phase: _named(peak, self._kernels) for phase, peak in found.items()}

    def at(self, event: int, step: int | None = None, *, is_begin: bool = False) -> Level:
        """Return the memory after an event of the trace, or of a decode `step`; before it, if `is_begin`."""
        place = event if is_begin else event + 1
        if step is None:
            series = self._series
        else:
            begin = min(step, len(self._tokens_at))
            series = self._pattern(begin, step + 1).series(step, begin, self._before(begin))
        kernel = NO_KERNEL if is_begin else int(series.kernels[place])
        return Level(
            int(series.cache[place]),
            int(series.activations[place]),
            None if kernel == NO_KERNEL else self._kernels[kernel],
        )

    def _before(self, step: int) -> tuple[int, int]:
        """KV cache and other bytes when a decode step begins that follows a traced token."""
        place = self._tokens_at[step - 1]
        return int(self._series.cache[place]), int(self._series.activations[place])

    def _pattern(self, traced: int, tokens: int) -> DecodeSteps:
        if self._steps is None:
            raise ValueError(
                f"This trace ends after {traced} tokens, without a decode step to go on to {tokens}"
            )
        return self._steps


def _is_cache(events: Sequence[Event]) -> Flags:
    """Whether each event is of KV cache; a release is of the kind of its block."""
    cache = {event.block for event in events if event.is_cache}
    return np.array([event.block in cache for event in events], dtype=np.bool_)


def _phase_spans(phases: Sequence[Phase]) -> dict[Phase, tuple[int, int]]:
    """The first event of each phase and the one after its last; phases follow each other."""
    ends = {phase: place + 1 for place, phase in enumerate(phases)}
    first = [0, *ends.values()]
    return {phase: (begin, end) for begin, (phase, end) in zip(first, ends.items(), strict=False)}


def _named(peak: Peak, kernels: Sequence[Kernel]) -> PhasePeak:
    return PhasePeak(
        allocated_bytes=peak.allocated_bytes,
        cache_bytes=peak.cache_bytes,
        activations_bytes=peak.activations_bytes,
        workspace_bytes=peak.workspace_bytes,
        kernel=None if peak.kernel == NO_KERNEL else kernels[peak.kernel],
        activations_peak_bytes=peak.activations_peak_bytes,
        workspace_peak_bytes=peak.workspace_peak_bytes,
    )
