"""Decode steps of one clip put behind the prefill of another. Pure: no torch.

A decode step does the same after any prefill. What it allocates grows by the same amount for each position
more, whether that is one of the answer or of the prompt; so the steps have to be traced once.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from bench.predict.events import Call, Event, Kernel
from bench.predict.tracing.families import reshaped, shape_numbers
from bench.predict.tracing.folding import Unfolded
from bench.predict.tracing.steps import UnsteadyStepsError


@dataclass(frozen=True, slots=True)
class DecodeTrace:
    """A generation with its first decode steps, and the length of its prompt."""

    prompt_tokens: int
    whole: Unfolded


def splice_decode(prefill: Unfolded, prompt_tokens: int, known: DecodeTrace) -> Unfolded:
    """The generation that begins as `prefill` does, up to its first token, and goes on as `known` did.

    Raises:
        UnsteadyStepsError: the two prefills left something different, or the steps of `known` differ.
    """
    source = known.whole
    first = source.tokens_at[0]
    result = _Renumbered()
    begun = prefill.events[: prefill.tokens_at[0]]
    for event in begun:
        result.add(event, prefill.kernels, event.size_bytes, event.block)
    place = _same_place(prefill, source)
    shift = prompt_tokens - known.prompt_tokens
    sizes, kernels = _sizes(source, shift), _kernels(source, shift)
    for event in source.events[first:]:
        # Blocks of the two generations may have the same number: those of the second get negative names.
        block = place.get(event.block, -1 - event.block)
        result.add(event, kernels, sizes[event.block] if event.size_bytes else 0, block)
    ahead = len(begun) - first
    return Unfolded(tuple(result.kernels), tuple(result.events), tuple(at + ahead for at in source.tokens_at))


class _Renumbered:
    """A generation put together from others: kernels and blocks are numbered as they come."""

    def __init__(self) -> None:
        self.kernels: list[Kernel] = []
        self.events: list[Event] = []
        self._kernel_numbers: dict[tuple[int, int], int] = {}
        self._blocks: dict[int, int] = {}

    def add(self, event: Event, kernels: Sequence[Kernel], size_bytes: int, block: int) -> None:
        """One event of the generation whose kernels these are; `block` is its name among all of them."""
        key = id(kernels), event.kernel
        if key not in self._kernel_numbers:
            self._kernel_numbers[key] = len(self.kernels)
            self.kernels.append(kernels[event.kernel])
        number = self._blocks.setdefault(block, len(self._blocks))
        self.events.append(Event(self._kernel_numbers[key], number, size_bytes, event.is_cache))


def _same_place(prefill: Unfolded, source: Unfolded) -> dict[int, int]:
    """Blocks of `source` that are alive at its first token, to those of `prefill` in their place."""
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


def _kernels(source: Unfolded, shift: int) -> tuple[Kernel, ...]:
    """The kernels of `source`, in decode steps with the shapes of so many more positions."""
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
    """The call with so many more positions; from one step to the next there is one more."""
    triples = zip(shape_numbers(call), shape_numbers(before), shape_numbers(last), strict=True)
    return reshaped(call, (number + shift * (late - early) for number, early, late in triples))
