"""Traces made by hand and at random, small enough to be walked through step by step."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from hypothesis import strategies as st

from bench.predict.trace import Call, DecodeStep, Event, Kernel, StepEvent, Trace
from bench.records.enums import Phase

CALL: Final = Call(inputs=((2, 2), (2, 2)), strides=((2, 1), (2, 1)), output=(2, 2), dtype="bfloat16")


@dataclass
class Made:
    """A trace in the making."""

    kernels: list[Kernel] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    tokens_at: list[int] = field(default_factory=list)
    blocks: int = 0

    def run(self, name: str, phase: Phase, *sizes: int, cache: bool = False) -> list[int]:
        """One kernel that allocates blocks of these sizes."""
        self.kernels.append(Kernel(name, "", phase, CALL))
        made = list(range(self.blocks, self.blocks + len(sizes)))
        self.blocks += len(sizes)
        for block, size in zip(made, sizes, strict=True):
            self.events.append(Event(len(self.kernels) - 1, block, size, cache))
        return made

    def release(self, *blocks: int) -> None:
        self.events.extend(Event(len(self.kernels) - 1, block, 0) for block in blocks)

    def token(self) -> None:
        self.tokens_at.append(len(self.events))

    def trace(self, step: DecodeStep | None = None) -> Trace:
        return Trace(10, 5, tuple(self.kernels), tuple(self.events), tuple(self.tokens_at), step)


def unrolled(trace: Trace, tokens: int) -> Trace:
    """The same generation with every decode step of so many tokens among its events."""
    events, tokens_at = list(trace.events), list(trace.tokens_at)
    fresh = 1 + max((event.block for event in events), default=0)
    made = _made_by_step(trace)
    for number in range(len(tokens_at), tokens):
        assert trace.step is not None
        made[number] = {}
        for event in trace.step.events:
            block = made[number - event.age].get(event.number, fresh)
            size = event.size_bytes and event.size_bytes + (number - trace.step.first) * event.growth_bytes
            if size:
                made[number][event.number], fresh = fresh, fresh + 1
            events.append(Event(event.kernel, block, size, event.is_cache))
        tokens_at.append(len(events))
    return replace(trace, events=tuple(events), tokens_at=tuple(tokens_at), step=None)


def _made_by_step(trace: Trace) -> dict[int, dict[int, int]]:
    """Blocks by number, of each step before the first that is still to come."""
    if trace.step is None:
        return {}
    made = {
        trace.step.first - age: dict(enumerate(blocks)) for age, blocks in enumerate(trace.step.before, 1)
    }
    numbers = [event.number for event in trace.step.events if event.size_bytes]
    for step in range(trace.step.first, len(trace.tokens_at)):
        events = trace.events[trace.tokens_at[step - 1] : trace.tokens_at[step]]
        blocks = [event.block for event in events if event.size_bytes]
        made[step] = dict(zip(numbers, blocks, strict=True))
    return made


def levels(trace: Trace) -> Iterator[tuple[Event, int, int]]:
    """Each event with the KV cache and the other bytes that are there after it."""
    alive: dict[int, tuple[int, bool]] = {}
    cache = other = 0
    for event in trace.events:
        size, is_cache = (event.size_bytes, event.is_cache) if event.size_bytes else alive.pop(event.block)
        if event.size_bytes:
            alive[event.block] = size, is_cache
        change = size if event.size_bytes else -size
        cache, other = (cache + change, other) if is_cache else (cache, other + change)
        yield event, cache, other


@st.composite
def generations(draw: st.DrawFn) -> Trace:
    """A generation of any shape: what decode steps make goes at once, in a later step, or stays."""
    made, bytes_of = Made(), st.integers(1, 50)
    for phase in (Phase.ENCODE, Phase.PREFILL):
        for _ in range(draw(st.integers(1, 5))):
            blocks = made.run(phase, phase, *draw(st.lists(bytes_of, min_size=1, max_size=3)))
            made.release(*draw(st.lists(st.sampled_from(blocks), unique=True)))
    is_cache = draw(st.lists(st.booleans(), min_size=4, max_size=4))
    before = tuple(
        tuple(made.run(age, Phase.PREFILL, draw(bytes_of), cache=cache)[0] for cache in is_cache)
        for age in ("last", "last but one")
    )
    made.token()
    step = _step(draw, made, before, is_cache)
    traced = unrolled(made.trace(step), draw(st.integers(1, 4)))
    return Trace(10, 5, traced.kernels, traced.events, traced.tokens_at, step)


def _step(
    draw: st.DrawFn, made: Made, before: tuple[tuple[int, ...], ...], is_cache: list[bool]
) -> DecodeStep:
    first_kernel = len(made.kernels)
    made.kernels += [Kernel(f"step {number}", "", Phase.DECODE, CALL) for number in range(4)]
    events = []
    for number in draw(st.permutations(range(4))):
        kernel = first_kernel + number
        growth = draw(st.integers(0, 9))
        events.append(StepEvent(kernel, 0, number, draw(st.integers(1, 50)), growth, is_cache[number]))
        age = draw(st.sampled_from([0, 1, 2, None]))
        if age is not None:
            events.append(StepEvent(kernel, age, number, 0, 0))
    return DecodeStep(1, tuple(events), before)
