"""One generation, replayed event by event through the modelled CUDA caching allocator. Pure.

Decode steps that were not traced follow from the pattern of one. Short answers are replayed event by event.
In longer ones only the last step is: of the other decode steps, small blocks of constant size are added as a
constant, and the rest is replayed, in evenly spread steps where it has more than `MOST_EVENTS` events. Which
steps these are depends on the length of this answer alone. For the 4B model (clips of 4, 10 and 30 s, answers
of 128 and 512 tokens, SDPA) reserved bytes were at most 16 MiB away from replaying every event.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby, pairwise, takewhile
from typing import Final, NamedTuple

from bench.predict.allocator.caching import SMALL_SIZE, CachingAllocator, rounded
from bench.predict.cuda_workspace import is_product
from bench.predict.trace import DecodeStep, Event, Kernel, StepEvent, Trace
from bench.records.enums import Phase

MOST_EVENTS: Final = 10_000

TRANSIENT: Final = -1
"""Name of a block that is released at once. The blocks of a generation have names from 0 on."""


class BlockPeak(NamedTuple):
    """The most bytes of live blocks at once, as torch counts them.

    `event` is the index of the event that reached it, in the trace or, with the number of a `step`, in the
    pattern of decode steps. `is_begin`: it is what was there before that event.
    """

    allocated_bytes: int
    event: int
    step: int | None = None
    is_begin: bool = False


class _Change(NamedTuple):
    """An event that is replayed, with its place in the trace or in the pattern of decode steps.

    `block` is its name in the trace, or its number in the pattern. `workspace_bytes` come and go after the
    event; `omitted_bytes` are in blocks that are not replayed.
    """

    place: int
    block: int
    size_bytes: int
    growth_bytes: int
    workspace_bytes: int
    omitted_bytes: int = 0


class Generation:
    """The generation of a trace, for answers of any length and any allocator.

    `workspace` returns the bytes that a kernel takes in addition to its tensors; it is called for kernels
    with a `call`. The bytes are allocated after the kernel's outputs and released at once.
    """

    def __init__(self, trace: Trace, workspace: Callable[[Kernel], int]) -> None:
        taken = [workspace(kernel) if kernel.call is not None else 0 for kernel in trace.kernels]
        self._trace = trace
        self._traced = trace.step.first if trace.step is not None else len(trace.tokens_at)
        self._events = [
            _Change(index, event.block, event.size_bytes, 0, extra)
            for index, (event, extra) in enumerate(
                zip(trace.events, _workspaces(trace.events, taken), strict=True)
            )
        ]
        self._first_name = 1 + max((event.block for event in trace.events), default=0)
        self._steps = [] if trace.step is None else _pattern(trace.step, taken)
        self._short_events, self._short_steps = self._events, self._steps
        self._leaves_some = False
        if trace.step is not None:
            self._leaves_some = bool(_made(trace.step) - _released(trace.step))
            self._short_steps = _without(self._steps, _small_constants(trace.step))
            self._short_events = _without(self._events, self._transients())

    def _transients(self) -> dict[int, int]:
        """Small blocks that begin and end in one traced decode step, to their bytes."""
        found: dict[int, int] = {}
        for begin, end in pairwise(self._trace.tokens_at):
            events = self._trace.events[begin:end]
            released = {event.block for event in events if not event.size_bytes}
            found |= {
                event.block: rounded(event.size_bytes)
                for event in events
                if event.block in released and 0 < event.size_bytes <= SMALL_SIZE
            }
        return found

    def until_product(self, allocator: CachingAllocator) -> None:
        """Replay the begin, up to the outputs of the first product of matrices, or all traced events."""
        events, kernels = self._trace.events, self._trace.kernels
        first = next((n for n, event in enumerate(events) if is_product(kernels[event.kernel])), len(events))
        while first + 1 < len(events) and events[first + 1].size_bytes and _same_kernel(events, first):
            first += 1
        self._replay(allocator, self._events[: first + 1])

    def run(self, allocator: CachingAllocator, tokens: int) -> dict[Phase, BlockPeak]:
        """Replay an answer and release what it leaves; return the peak of each phase.

        Raises:
            ValueError: less than one token; or more than were traced, of a trace without a decode step.
        """
        trace, traced = self._trace, self._traced
        if tokens < 1 or (tokens > traced and trace.step is None):
            raise ValueError(f"this trace has no answer of {tokens} tokens")
        is_short = (tokens - traced) * len(self._steps) <= MOST_EVENTS
        end = trace.tokens_at[min(tokens, traced) - 1]
        changes = self._events if is_short else self._short_events
        found = {
            phase: self._replay(allocator, list(group))
            for phase, group in groupby(
                takewhile(lambda change: change.place < end, changes),
                key=lambda change: trace.kernels[trace.events[change.place].kernel].phase,
            )
        }
        if trace.step is not None and tokens > traced:
            peak = found.get(Phase.DECODE, BlockPeak(allocator.allocated, end, is_begin=True))
            found[Phase.DECODE] = self._decode(allocator, trace.step, tokens - 1, peak, is_short=is_short)
        self.release(allocator)
        return found

    @staticmethod
    def release(allocator: CachingAllocator) -> None:
        """Release all blocks of a generation."""
        for name in allocator.live:
            if name >= 0:
                allocator.release(name)

    def _replay(self, allocator: CachingAllocator, changes: Sequence[_Change]) -> BlockPeak:
        """Replay consecutive events of the trace."""
        allocate, release = allocator.allocate, allocator.release
        highest, place = allocator.allocated, -1
        for index, block, size, _, workspace, omitted in changes:
            if not size:
                release(block)
                continue
            allocate(block, size)
            if allocator.allocated + omitted > highest:
                highest, place = allocator.allocated + omitted, index
            if workspace:
                allocate(TRANSIENT, workspace)
                release(TRANSIENT)
        return BlockPeak(highest, changes[0].place if place < 0 else place, is_begin=place < 0)

    def _decode(
        self, allocator: CachingAllocator, step: DecodeStep, last: int, peak: BlockPeak, *, is_short: bool
    ) -> BlockPeak:
        """Replay the steps of the pattern up to the last one; return their peak or `peak`, if higher.

        The live blocks of each number are a queue: a release takes the oldest one, whatever its age in
        steps. So steps in between can be left out.
        """
        allocate, release = allocator.allocate, allocator.release
        alive: defaultdict[int, list[int]] = defaultdict(list)
        for event in step.events:
            if not event.size_bytes:
                alive[event.number] = [blocks[event.number] for blocks in reversed(step.before[: event.age])]
        name = self._first_name
        for number in self._numbers(step.first, last, is_short=is_short):
            since = number - step.first
            changes = self._steps if is_short or number == last else self._short_steps
            for index, block, size, growth, workspace, omitted in changes:
                if not size:
                    release(alive[block].pop(0))
                    continue
                name += 1
                alive[block].append(name)
                allocate(name, size + since * growth)
                if allocator.allocated + omitted >= peak.allocated_bytes:
                    peak = BlockPeak(allocator.allocated + omitted, index, number)
                if workspace:
                    allocate(TRANSIENT, workspace)
                    release(TRANSIENT)
        return peak

    def _numbers(self, first: int, last: int, *, is_short: bool) -> list[int]:
        """Numbers of the steps to replay, the last one among them: all, unless these are many events."""
        count = last - first + 1
        most = (
            count if is_short or self._leaves_some else max(1, MOST_EVENTS // max(1, len(self._short_steps)))
        )
        replayed = min(count, most)
        return [first + (place + 1) * count // replayed - 1 for place in range(replayed)]


def _pattern(step: DecodeStep, taken: Sequence[int]) -> list[_Change]:
    return [
        _Change(index, event.number, event.size_bytes, event.growth_bytes, extra)
        for index, (event, extra) in enumerate(zip(step.events, _workspaces(step.events, taken), strict=True))
    ]


def _made(step: DecodeStep) -> set[int]:
    return {event.number for event in step.events if event.size_bytes}


def _released(step: DecodeStep) -> set[int]:
    return {event.number for event in step.events if not event.size_bytes}


def _small_constants(step: DecodeStep) -> dict[int, int]:
    """Small blocks of a decode step that are as large in each step and are released, to their bytes."""
    released = _released(step)
    return {
        event.number: rounded(event.size_bytes)
        for event in step.events
        if event.number in released and 0 < event.size_bytes <= SMALL_SIZE and not event.growth_bytes
    }


def _without(changes: Sequence[_Change], omitted: Mapping[int, int]) -> list[_Change]:
    """The changes without those of some blocks, whose bytes the others count instead."""
    found, live = list[_Change](), 0
    for change in changes:
        size_bytes = omitted.get(change.block)
        if size_bytes is None or change.workspace_bytes:
            found.append(change._replace(omitted_bytes=live))
        else:
            live += size_bytes if change.size_bytes else -size_bytes
    return found


def _same_kernel(events: Sequence[Event], index: int) -> bool:
    return events[index].kernel == events[index + 1].kernel


def _workspaces(events: Iterable[Event | StepEvent], taken: Sequence[int]) -> list[int]:
    """Workspace that begins and ends after each event: after the last output of its kernel."""
    found: list[int] = []
    following_kernel = None
    for event in reversed(list(events)):
        is_last = event.size_bytes > 0 and event.kernel != following_kernel
        found.append(taken[event.kernel] if is_last else 0)
        following_kernel = event.kernel if event.size_bytes else None
    return found[::-1]
