"""The pattern of a decode step, from steps that were traced. Pure: no torch."""

from collections.abc import Sequence
from itertools import pairwise

from bench.errors import BenchError
from bench.predict.events import DecodeStep, Event, Kernel, StepEvent

TRACED_TOKENS = 4
"""The first decode step still drops what the prefill left; ids live for two steps. From the third on, a step
is like the one before."""


class UnsteadyStepsError(BenchError):
    """Two decode steps do not do the same: nothing follows from them for later ones."""


def pattern(kernels: Sequence[Kernel], events: Sequence[Event], tokens_at: Sequence[int]) -> DecodeStep:
    """The step after the last one traced, and all later ones.

    Raises:
        UnsteadyStepsError: the last two steps differ in more than sizes.
    """
    bounds = list(pairwise(tokens_at))
    steps = [events[begin:end] for begin, end in bounds[-2:]]
    made = [[event for event in step if event.size_bytes] for step in steps]
    names = [[kernels[event.kernel].name for event in step] for step in made]
    if names[0] != names[1]:
        raise UnsteadyStepsError("the last two decode steps do not run the same operators")
    blocks = tuple(tuple(event.block for event in step) for step in reversed(made))
    place = {
        block: (age, number) for age, step in enumerate(blocks) for number, block in enumerate(step)
    } | _earlier(events, tokens_at)
    return DecodeStep(
        first=len(tokens_at),
        events=tuple(_step_event(event, place, made) for event in steps[-1]),
        before=blocks,
    )


def _earlier(events: Sequence[Event], tokens_at: Sequence[int]) -> dict[int, tuple[int, int]]:
    """Blocks of the step before the last two, with their age seen from the last one."""
    begin, end = tokens_at[-4], tokens_at[-3]
    made = [event.block for event in events[begin:end] if event.size_bytes]
    return {block: (2, number) for number, block in enumerate(made)}


def _step_event(
    event: Event, place: dict[int, tuple[int, int]], made: Sequence[Sequence[Event]]
) -> StepEvent:
    if event.block not in place:
        raise UnsteadyStepsError("a decode step releases what is older than two steps")
    age, number = place[event.block]
    growth = made[-1][number].size_bytes - made[-2][number].size_bytes if event.size_bytes else 0
    size = event.size_bytes + growth if event.size_bytes else 0
    return StepEvent(event.kernel, age, number, size, growth, event.is_cache)
