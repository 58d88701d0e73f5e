"""Decode steps of one clip put behind the prefill of another. Pure: no torch.

A decode step does the same after any prefill. What it allocates grows by the same amount for each position
more, whether that is one of the answer or of the prompt; so the steps have to be traced once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from bench.envelope.events import Event, Kernel
from bench.envelope.tracing.folding import Unfolded
from bench.envelope.tracing.steps import UnsteadyStepsError


@dataclass(frozen=True, slots=True)
class Answered:
    """A generation with its first decode steps, and the length of its prompt."""

    prompt_tokens: int
    whole: Unfolded


def graft(prefill: Unfolded, prompt_tokens: int, known: Answered) -> Unfolded:
    """The generation that begins with `prefill`, which ends with its first token, and goes on as `known` did.

    Raises:
        UnsteadyStepsError: the two prefills left something different, or the steps of `known` differ.
    """
    source = known.whole
    first = source.tokens_at[0]
    blocks = _same_place(prefill, source)
    sizes = _sizes(source, prompt_tokens - known.prompt_tokens)
    kernels = list(prefill.kernels)
    moved: dict[int, int] = {}
    events = list(prefill.events)
    next_block = 1 + max(event.block for event in prefill.events)
    for event in source.events[first:]:
        if event.kernel not in moved:
            moved[event.kernel] = len(kernels)
            kernels.append(source.kernels[event.kernel])
        if event.size_bytes:
            blocks[event.block] = next_block
            next_block += 1
        size = sizes[event.block] if event.size_bytes else 0
        events.append(Event(moved[event.kernel], blocks[event.block], size, event.is_cache))
    ahead = len(prefill.events) - first
    return Unfolded(tuple(kernels), tuple(events), tuple(at + ahead for at in source.tokens_at))


def _same_place(prefill: Unfolded, source: Unfolded) -> dict[int, int]:
    """Blocks of `source` that are alive at its first token, to those of `prefill` in their place."""
    there, here = _alive(source.events[: source.tokens_at[0]]), _alive(prefill.events)
    names = [_names(blocks, whole.kernels) for blocks, whole in ((there, source), (here, prefill))]
    if names[0] != names[1]:
        raise UnsteadyStepsError("the prefills of two clips do not leave the same behind")
    return {event.block: twin.block for event, twin in zip(there, here, strict=True)}


def _alive(events: Sequence[Event]) -> list[Event]:
    released = {event.block for event in events if not event.size_bytes}
    return [event for event in events if event.size_bytes and event.block not in released]


def _names(events: Sequence[Event], kernels: Sequence[Kernel]) -> list[str]:
    return [str(kernels[event.kernel]) for event in events]


def _sizes(source: Unfolded, shift: int) -> dict[int, int]:
    """What each block of a decode step would have with so many more positions before it."""
    steps = [
        [event for event in source.events[begin:end] if event.size_bytes]
        for begin, end in pairwise(source.tokens_at)
    ]
    before, last = steps[-2:]
    names = [_names(step, source.kernels) for step in steps]
    if any(other != names[-1] for other in names):
        raise UnsteadyStepsError("decode steps do not run the same operators")
    growth = [late.size_bytes - early.size_bytes for early, late in zip(before, last, strict=True)]
    return {
        event.block: event.size_bytes + shift * grown
        for step in steps
        for event, grown in zip(step, growth, strict=True)
    }
