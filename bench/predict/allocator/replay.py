"""One generation as changes of the allocator's two pools, and their replay. Pure.

Which blocks live when, and how large they are, does not depend on the allocator: the changes of each pool
are listed once, for every card. Small blocks always take their rounded size, so that their live bytes are
known too; a peak is looked for while the large pool is replayed.

Decode steps that were not traced follow from the pattern of one. Short answers are replayed event by event.
In longer ones only the last step is: of the other decode steps, small blocks of constant size are added as a
constant, and the rest is replayed, in evenly spread steps where it has more than `MOST_EVENTS` events. Which
steps these are depends on the length of this answer alone. For the 4B model (clips of 4, 10 and 30 s, answers
of 128 and 512 tokens, SDPA) reserved bytes were at most 16 MiB away from replaying every event.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Final, NamedTuple

from bench.predict.allocator.caching import NEVER, SMALL_SIZE, Change, Peak, Pool, rounded
from bench.predict.cuda_workspace import is_product
from bench.predict.trace import DecodeStep, Event, Kernel, StepEvent, Trace
from bench.records.enums import Phase

MOST_EVENTS: Final = 10_000

TRANSIENT: Final = -1
"""Name of a block that is released at once. The blocks of a generation have names from 0 on."""

# A place is the index of an event, plus so much for each decode step; negative: before that event.
_STEP: Final = 2**32


class BlockPeak(NamedTuple):
    """The most bytes of live blocks at once, as torch counts them.

    `event` is the index of the event that reached it, in the trace or, with the number of a `step`, in the
    pattern of decode steps. `is_begin`: it is what was there before that event.
    """

    allocated_bytes: int
    event: int
    step: int | None = None
    is_begin: bool = False


def block_peak(peak: Peak) -> BlockPeak:
    """Return the peak with its place in the trace or in the pattern."""
    if peak.place < 0:
        return BlockPeak(peak.live_bytes, -1 - peak.place, is_begin=True)
    step, event = divmod(peak.place, _STEP)
    return BlockPeak(peak.live_bytes, event, step or None)


@dataclass(frozen=True, slots=True)
class ChangeBatch:
    """Consecutive changes of both pools in one phase. Levels are live bytes of the generation's small blocks.

    `begin` is the level before the first change, `head` the highest until the first change of the large pool.
    `is_last`: of equal peaks the last counts.
    """

    phase: Phase
    begin: Peak
    head: Peak
    small: tuple[Change, ...]
    large: tuple[Change, ...]
    is_last: bool = False


def replay(pool: Pool, batches: Iterable[ChangeBatch], peaks: Mapping[Phase, Peak]) -> dict[Phase, Peak]:
    """Replay the changes of one pool; return the peak of each phase that ends no lower than `peaks`.

    Those of the large pool are the generation's, apart from small blocks from before it. Those of the small
    pool mean nothing.
    """
    found = dict(peaks)
    for batch in batches:
        there = pool.allocated
        begin, head = batch.begin, batch.head
        peak = found.get(batch.phase, Peak(there + begin.live_bytes, begin.place))
        if there + head.live_bytes + batch.is_last > peak.live_bytes:
            peak = Peak(there + head.live_bytes, head.place)
        changes = batch.small if pool.is_small else batch.large
        found[batch.phase] = pool.replay(changes, peak, is_last=batch.is_last)
    return found


# --- changes by pool -------------------------------------------------------------------------------------

_Placed = tuple[int, int, int, int]
"""A place; a block and its bytes, whole 512, or 0 where it is released; live bytes of blocks left out."""


@dataclass(slots=True)
class _Live:
    """The live blocks of a generation so far, and the bytes of the small ones."""

    sizes: dict[int, int]
    small_bytes: int = 0

    def copy(self) -> "_Live":
        return _Live(self.sizes.copy(), self.small_bytes)

    def batch(
        self, phase: Phase, changes: Iterable[_Placed], before: int, *, is_last: bool = False
    ) -> ChangeBatch:
        """Sort changes into the two pools; `before` is the place of the begin."""
        sizes, level, begin = self.sizes, self.small_bytes, Peak(self.small_bytes, before)
        small: list[Change] = []
        large: list[Change] = []
        changed, changed_size, top, where = 0, 0, NEVER, -1
        for place, block, size, left_out in changes:
            if size:
                sizes[block] = grown = size
            else:
                grown = -sizes.pop(block)
            if -SMALL_SIZE <= grown <= SMALL_SIZE:
                small.append((block, size, NEVER, -1))
                level += grown
            else:
                large.append((changed, changed_size, top, where))
                changed, changed_size, top = block, size, NEVER
            if size and level + left_out + is_last > top:
                top, where = level + left_out, place
        large.append((changed, changed_size, top, where))
        self.small_bytes = level
        head = large.pop(0)
        return ChangeBatch(phase, begin, Peak(*head[2:]), tuple(small), tuple(large), is_last)


class TraceEvents:
    """The events of a trace, with rounded sizes, and those that long answers leave out."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.traced = trace.step.first if trace.step is not None else len(trace.tokens_at)
        self.blocks = [event.block for event in trace.events]
        self.sizes = [rounded(event.size_bytes) for event in trace.events]
        phases = [kernel.phase for kernel in trace.kernels]
        groups = groupby(phases[event.kernel] for event in trace.events)
        lengths = [(phase, len(list(group))) for phase, group in groups]
        ends = [0]
        for _, length in lengths:
            ends.append(ends[-1] + length)
        self.spans = [(phase, *bounds) for (phase, _), bounds in zip(lengths, pairwise(ends), strict=True)]
        self.step_events = () if trace.step is None else trace.step.events
        self.first_name = 1 + max(self.blocks, default=0)
        self.answers: dict[object, tuple[ChangeBatch, ...]] = {}
        """Changes after the first token, by the length of the answer and by workspaces."""

    def transients(self) -> dict[int, int]:
        """Small blocks that begin and end in one traced decode step, to their bytes."""
        found: dict[int, int] = {}
        for begin, end in pairwise(self.trace.tokens_at):
            events = list(zip(self.blocks[begin:end], self.sizes[begin:end], strict=True))
            released = {block for block, size in events if not size}
            found |= {block: size for block, size in events if block in released and 0 < size <= SMALL_SIZE}
        return found


class Generation:
    """The generation of a trace, for answers of any length, with one kind of workspace.

    `workspace` returns the bytes that a kernel takes in addition to its tensors; it is called for kernels
    with a `call`. The bytes are allocated after the kernel's outputs and released at once.
    """

    def __init__(self, events: TraceEvents, workspace: Callable[[Kernel], int]) -> None:
        trace = events.trace
        taken = {
            index: rounded(extra)
            for index, kernel in enumerate(trace.kernels)
            if kernel.call is not None and (extra := workspace(kernel))
        }
        self._events = events
        self._taken = _after_outputs(trace.events, taken)
        self._step_taken = _after_outputs(events.step_events, taken)
        later = ((place, extra) for place, extra in self._taken.items() if place >= trace.tokens_at[0])
        self._later = tuple(later), tuple(self._step_taken.items())
        self._live = _Live({})
        self.begin = self._traced(0, trace.tokens_at[0], self._live, {})
        """The changes up to the first token."""

    def key(self, *, is_small: bool) -> object:
        """Return a value that is equal for generations of one trace with equal changes of this pool."""
        return tuple(batch.small if is_small else batch.large for batch in self.begin), self._later

    def until_product(self) -> Sequence[ChangeBatch]:
        """Return the changes up to the outputs of the first product of matrices, or all that were traced."""
        events, kernels = self._events.trace.events, self._events.trace.kernels
        first = next((n for n, event in enumerate(events) if is_product(kernels[event.kernel])), len(events))
        while first + 1 < len(events) and events[first + 1].size_bytes and _same_kernel(events, first):
            first += 1
        return self._traced(0, min(first + 1, len(events)), _Live({}), {})

    def rest(self, tokens: int) -> tuple[ChangeBatch, ...]:
        """Return the changes of an answer after its first token. Generations of one trace share them.

        Raises:
            ValueError: less than one token; or more than were traced, of a trace without a decode step.
        """
        if tokens < 1 or (tokens > self._events.traced and self._events.trace.step is None):
            raise ValueError(f"this trace has no answer of {tokens} tokens")
        key = tokens, self._later
        if key not in self._events.answers:
            self._events.answers[key] = tuple(self._rest(tokens))
        return self._events.answers[key]

    def _rest(self, tokens: int) -> Iterator[ChangeBatch]:
        trace, traced, live = self._events.trace, self._events.traced, self._live.copy()
        is_short = (tokens - traced) * len(self._events.step_events) <= MOST_EVENTS
        end = trace.tokens_at[min(tokens, traced) - 1]
        yield from self._traced(trace.tokens_at[0], end, live, {} if is_short else self._events.transients())
        if trace.step is not None and tokens > traced:
            steps = self._stepped(trace.step, tokens - 1, is_short=is_short)
            yield live.batch(Phase.DECODE, steps, -1 - end, is_last=True)

    def _traced(
        self, begin: int, end: int, live: _Live, left_out: Mapping[int, int]
    ) -> tuple[ChangeBatch, ...]:
        """Events of the trace without some small blocks, whose bytes the others count."""
        found = []
        for phase, first, last in self._events.spans:
            changes = list(self._placed(max(first, begin), min(last, end), left_out))
            if changes:
                found.append(live.batch(phase, changes, -1 - changes[0][0]))
        return tuple(found)

    def _placed(self, begin: int, end: int, left_out: Mapping[int, int]) -> Iterator[_Placed]:
        blocks, sizes, taken, hidden = self._events.blocks, self._events.sizes, self._taken, 0
        for place in range(begin, end):
            block, size = blocks[place], sizes[place]
            if block in left_out:
                hidden += size or -left_out[block]
                continue
            yield place, block, size, hidden
            if place in taken:
                yield place, TRANSIENT, taken[place], NEVER
                yield place, TRANSIENT, 0, NEVER

    def _stepped(self, step: DecodeStep, last: int, *, is_short: bool) -> Iterator[_Placed]:
        """Changes of the steps of the pattern up to the last one.

        The live blocks of each number are a queue: a release takes the oldest one, whatever its age in
        steps. So steps in between can be left out.
        """
        alive: defaultdict[int, list[int]] = defaultdict(list)
        for event in step.events:
            if not event.size_bytes:
                alive[event.number] = [blocks[event.number] for blocks in reversed(step.before[: event.age])]
        every, few = _placed_steps(step, {}), _placed_steps(step, _small_constants(step))
        name, taken = self._events.first_name, self._step_taken
        for number in _numbers(step, last, few if not is_short else None):
            since, place = number - step.first, number * _STEP
            for index, block, size, growth, hidden in every if is_short or number == last else few:
                if not size:
                    yield place + index, alive[block].pop(0), 0, hidden
                    continue
                name += 1
                alive[block].append(name)
                yield place + index, name, rounded(size + since * growth), hidden
                if index in taken:
                    yield place + index, TRANSIENT, taken[index], NEVER
                    yield place + index, TRANSIENT, 0, NEVER


_PlacedStep = tuple[int, int, int, int, int]
"""Index, number, bytes and growth of an event of a decode step; live bytes of blocks left out."""


def _placed_steps(step: DecodeStep, left_out: Mapping[int, int]) -> list[_PlacedStep]:
    found, hidden = list[_PlacedStep](), 0
    for index, event in enumerate(step.events):
        if event.number in left_out:
            hidden += left_out[event.number] if event.size_bytes else -left_out[event.number]
        else:
            found.append((index, event.number, event.size_bytes, event.growth_bytes, hidden))
    return found


def _numbers(step: DecodeStep, last: int, few: Sequence[_PlacedStep] | None) -> list[int]:
    """Numbers of the steps to replay: all, unless these are many events.

    The last step is one, as are those whose blocks it releases: its live blocks have their real sizes.
    """
    first, count = step.first, last - step.first + 1
    most = count if few is None or _leaves_some(step) else max(1, MOST_EVENTS // max(1, len(few)))
    replayed = min(count, most)
    spread = {first + (place + 1) * count // replayed - 1 for place in range(replayed)}
    oldest = max((event.age for event in step.events), default=0)
    return sorted(spread.union(range(max(first, last - oldest), last)))


def _leaves_some(step: DecodeStep) -> bool:
    made = {event.number for event in step.events if event.size_bytes}
    return bool(made - _released(step))


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


def _same_kernel(events: Sequence[Event], index: int) -> bool:
    return events[index].kernel == events[index + 1].kernel


def _after_outputs(events: Sequence[Event | StepEvent], taken: Mapping[int, int]) -> dict[int, int]:
    """Workspace by the index of the event after which it is taken: the last output of its kernel in a row."""
    if not taken:
        return {}
    found = {}
    for index, event in enumerate(events):
        if event.kernel in taken and event.size_bytes:
            following = events[index + 1] if index + 1 < len(events) else None
            if following is None or not following.size_bytes or following.kernel != event.kernel:
                found[index] = taken[event.kernel]
    return found
