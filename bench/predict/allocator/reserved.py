"""The peak of the modelled CUDA caching allocator, from an empty card to the end of an answer. Pure.

The weights are loaded into a fresh allocator one by one, and stay. `from_pretrained` with a
`device_map` first allocates all their bytes as one block and frees it (`caching_allocator_warmup` of
transformers; its cap, 1.2 GiB below the card's total, is left out: a card that needs it has no memory
left to generate), so that they lie in one segment. Buffers and the workspace that stays with cuBLAS follow,
then the generation. Nothing is released to the driver in between: memory that only loading needed
counts.

Answers longer than the traced ones have a thousand decode steps of 4,000 events. The first of them and the
last one of the longest answer are replayed entirely; of the others only the blocks that grow from step to
step, in evenly spread steps and the last one of each answer, at most `MOST_STEPS` with at most
`MOST_EVENTS` in all. (Where all steps have no more events than that, they are replayed.) For the 4B model
(clips of 10, 60 and 120 s, answers of 128 to 1,024 tokens, SDPA) that was at most 6 MiB away from replaying
every step entirely.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from bench.predict.allocator.caching import DEFAULT, AllocatorSettings, CachingAllocator
from bench.predict.trace import DecodeStep, Event, Kernel, ModelMemory, StepEvent, Trace

MOST_STEPS: Final = 48
MOST_EVENTS: Final = 20_000

_TRANSIENT: Final = -1
"""Name of a block that is released at once. The blocks of a trace have names from 0 on."""
_BUFFERS: Final = -2
_PERSISTENT: Final = -3
_WEIGHTS: Final = -4
"""Names of the weights, from here downwards."""


def reserved_peaks(  # noqa: PLR0917 - in the order of a prediction
    memory: ModelMemory,
    trace: Trace,
    max_tokens: Sequence[int],
    workspace: Callable[[Kernel], int],
    persistent_workspace_bytes: int,
    settings: AllocatorSettings = DEFAULT,
) -> dict[int, int]:
    """Return, for an answer of each length, the bytes that the allocator holds from the driver at its end.

    `workspace` returns the bytes that a kernel takes in addition to its tensors; it is called for kernels
    with a `call`. The bytes are allocated after the kernel's outputs and released at once.

    Raises:
        ValueError: less than one token; or more than were traced, of a trace without a decode step.
    """
    allocator = CachingAllocator(settings)
    _load(allocator, memory)
    for name, size_bytes in ((_BUFFERS, memory.buffers_bytes), (_PERSISTENT, persistent_workspace_bytes)):
        if size_bytes:
            allocator.allocate(name, size_bytes)
    taken = [workspace(kernel) if kernel.call is not None else 0 for kernel in trace.kernels]
    generation = _Generation(allocator, trace, taken, longest=max(max_tokens, default=1))
    found = {}
    for tokens in sorted(set(max_tokens)):
        generation.advance(tokens)
        found[tokens] = allocator.reserved
    return found


def _load(allocator: CachingAllocator, memory: ModelMemory) -> None:
    _allocate_and_release(allocator, memory.weights_bytes)
    for place, size_bytes in enumerate(memory.tensors):
        allocator.allocate(_WEIGHTS - place, size_bytes)
    for place in memory.leaving:
        allocator.release(_WEIGHTS - place)


def _allocate_and_release(allocator: CachingAllocator, size_bytes: int) -> None:
    if size_bytes:
        allocator.allocate(_TRANSIENT, size_bytes)
        allocator.release(_TRANSIENT)


class _Generation:
    """Replays the generation of a trace through an allocator, from the inputs on."""

    def __init__(
        self, allocator: CachingAllocator, trace: Trace, taken: Sequence[int], *, longest: int
    ) -> None:
        self._allocator = allocator
        self._trace = trace
        self._taken = taken
        self._done = 0
        self._longest = longest
        # From the pattern's own step on, all events come from the pattern, also those that were traced.
        self._traced = trace.step.first if trace.step is not None else len(trace.tokens_at)
        name = 1 + max((event.block for event in trace.events), default=0)
        self._pattern = _Pattern(allocator, trace.step, taken, name) if trace.step is not None else None
        self._plan = self._pattern.plan(longest - 1) if self._pattern is not None else []

    def advance(self, tokens: int) -> None:
        """Replay on to the end of an answer of so many tokens, no fewer than in the last call."""
        if tokens < 1 or (tokens > self._traced and self._pattern is None):
            raise ValueError(f"this trace has no answer of {tokens} tokens")
        self._replay(self._trace.tokens_at[min(tokens, self._traced) - 1])
        if tokens > self._traced and self._pattern is not None:
            while self._plan and self._plan[0].number < tokens - 1:
                self._pattern.replay(self._plan.pop(0))
            self._plan = [step for step in self._plan if step.number >= tokens]
            self._pattern.replay(_Step(tokens - 1, is_whole=tokens == self._longest))

    def _replay(self, end: int) -> None:
        allocator, events = self._allocator, self._trace.events[self._done : end]
        for (_, block, size_bytes, _), workspace in zip(
            events, _workspaces(events, self._taken), strict=True
        ):
            if size_bytes:
                allocator.allocate(block, size_bytes)
                if workspace:
                    _allocate_and_release(allocator, workspace)
            else:
                allocator.release(block)
        self._done = max(self._done, end)


@dataclass(frozen=True, slots=True)
class _Step:
    """A decode step to replay: its number, and whether all of its events or only growing blocks."""

    number: int
    is_whole: bool


class _Pattern:
    """Replays decode steps, from the pattern of one.

    The live blocks of each number are a queue: a release takes the oldest one, whatever its age in steps. So
    steps in between can be left out.
    """

    def __init__(
        self, allocator: CachingAllocator, step: DecodeStep, taken: Sequence[int], first_name: int
    ) -> None:
        self._allocator = allocator
        self._first = step.first
        self._name = first_name
        released = {event.number: event.age for event in step.events if not event.size_bytes}
        made = {event.number: event for event in step.events if event.size_bytes}
        self._leaves_some = bool(made.keys() - released.keys())
        self._whole = list(zip(step.events, _workspaces(step.events, taken), strict=True))
        self._growing = [
            (event, workspace)
            for event, workspace in self._whole
            if event.number not in released or made[event.number].growth_bytes
        ]
        self._alive: defaultdict[int, list[int]] = defaultdict(list)
        for number, age in released.items():
            self._alive[number] = [blocks[number] for blocks in reversed(step.before[:age])]

    def plan(self, last: int) -> list[_Step]:
        """Return the steps to replay up to the last one: few, unless steps leave blocks allocated."""
        count = last - self._first + 1
        is_short = count * len(self._whole) <= MOST_EVENTS
        affordable = max(1, min(MOST_STEPS, MOST_EVENTS // max(1, len(self._growing))))
        replayed = count if is_short or self._leaves_some else min(count, affordable)
        return [
            _Step(self._first + place * count // replayed, is_whole=is_short or place == 0)
            for place in range(replayed)
        ]

    def replay(self, step: _Step) -> None:
        """Replay one step. The next replayed step releases the blocks that this one leaves."""
        since = step.number - self._first
        allocator, alive = self._allocator, self._alive
        for (_, _, number, size_bytes, growth, _), workspace in (
            self._whole if step.is_whole else self._growing
        ):
            if size_bytes:
                self._name += 1
                alive[number].append(self._name)
                allocator.allocate(self._name, size_bytes + since * growth)
                if workspace:
                    _allocate_and_release(allocator, workspace)
            else:
                allocator.release(alive[number].pop(0))


def _workspaces(events: Iterable[Event | StepEvent], taken: Sequence[int]) -> list[int]:
    """Workspace that begins and ends after each event: after the last output of its kernel."""
    found: list[int] = []
    following_kernel = None
    for event in reversed(list(events)):
        is_last = event.size_bytes > 0 and event.kernel != following_kernel
        found.append(taken[event.kernel] if is_last else 0)
        following_kernel = event.kernel if event.size_bytes else None
    return found[::-1]
