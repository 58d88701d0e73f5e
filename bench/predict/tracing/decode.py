"""Decode steps: the pattern of one, and those of one clip after the prefill of another. Pure: no torch.

A decode step runs the same operators after any prefill. Its allocations grow by the same amount for each
position more, whether of the answer or of the prompt; so the steps are traced once for all clips.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import count, pairwise

from bench.errors import BenchError
from bench.predict.trace import Call, DecodeStep, Event, Kernel, StepEvent
from bench.predict.tracing.families import reshaped, shape_numbers
from bench.predict.tracing.folding import Unfolded

TRACED_TOKENS = 4
"""The first decode step still releases blocks of the prefill; ids live for two steps. From the third step on,
each is like the one before."""


class UnsteadyStepsError(BenchError):
    """Two decode steps run different operators, so that later steps do not follow from them."""


def pattern(kernels: Sequence[Kernel], events: Sequence[Event], tokens_at: Sequence[int]) -> DecodeStep:
    """Return the step after the last traced one, as the pattern of all later ones.

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


# --- steps of another clip ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DecodeTrace:
    """A generation with its first decode steps, and the length of its prompt."""

    prompt_tokens: int
    whole: Unfolded


def splice_decode(prefill: Unfolded, prompt_tokens: int, known: DecodeTrace) -> Unfolded:
    """Return the generation of `prefill` up to its first token, continued with the steps of `known`.

    Raises:
        UnsteadyStepsError: the two prefills leave different blocks, or the steps of `known` differ.
    """
    source, shift = known.whole, prompt_tokens - known.prompt_tokens
    begun, first = prefill.events[: prefill.tokens_at[0]], source.tokens_at[0]
    sizes, longer = _sizes(source, shift), _kernels(source, shift)
    kernels, numbers = list(prefill.kernels), dict[int, int]()
    blocks, events = _corresponding_blocks(prefill, source), list(begun)
    unused = count(1 + max(event.block for event in begun))
    for event in source.events[first:]:
        if event.kernel not in numbers:
            numbers[event.kernel] = len(kernels)
            kernels.append(longer[event.kernel])
        if event.block not in blocks:
            blocks[event.block] = next(unused)
        size_bytes = sizes[event.block] if event.size_bytes else 0
        events.append(Event(numbers[event.kernel], blocks[event.block], size_bytes, event.is_cache))
    ahead = len(begun) - first
    return Unfolded(tuple(kernels), tuple(events), tuple(at + ahead for at in source.tokens_at))


def _corresponding_blocks(prefill: Unfolded, source: Unfolded) -> dict[int, int]:
    """Map the blocks of `source` that live at its first token to those of `prefill`."""
    there, here = (_alive(whole.events[: whole.tokens_at[0]]) for whole in (source, prefill))
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
    """Bytes of each block of a decode step with `shift` more positions before it."""
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


def _kernels(source: Unfolded, shift: int) -> tuple[Kernel, ...]:
    """The kernels of `source`, those of decode steps with the shapes of `shift` more positions."""
    steps = [
        list(dict.fromkeys(event.kernel for event in source.events[begin:end] if event.size_bytes))
        for begin, end in pairwise(source.tokens_at)
    ]
    kernels = list(source.kernels)
    for numbers in zip(*steps, strict=True):
        before, last = (source.kernels[number].call for number in numbers[-2:])
        for number in numbers:
            call = source.kernels[number].call
            if call is not None and before is not None and last is not None:
                kernels[number] = replace(kernels[number], call=_longer(call, before, last, shift))
    return tuple(kernels)


def _longer(call: Call, before: Call, last: Call, shift: int) -> Call:
    """The call with `shift` more positions; each step has one more than the step before."""
    triples = zip(shape_numbers(call), shape_numbers(before), shape_numbers(last), strict=True)
    return reshaped(call, (number + shift * (late - early) for number, early, late in triples))
