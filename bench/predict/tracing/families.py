"""Generations and encoder batches of other lengths out of traced ones, where that is exact. Pure: no torch.

Clips of one structure (as many batches of chunks, padding or none) run the same operators, and every size
is affine in a few lengths: a generation whose lengths are a weighted sum of traced ones has the same weighted
sum of their sizes. Where the lengths are no such sum, or a size is not a whole number, the clip has to be
traced. The same holds for batches of encoder chunks within one clip.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bench.predict.trace import Call, Event, Kernel
from bench.predict.tracing.folding import Pass, RawEvent, Unfolded

_EXACT: Final = 1e-6
_WHOLE: Final = 1e-3
# Beyond that, rounding errors of the sum would come near a byte.
_LARGEST_WEIGHT: Final = 1e4

Lengths = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class _Sample:
    """`numbers` are the sizes of all events, then the shapes of all calls, in one row."""

    lengths: Lengths
    whole: Unfolded
    numbers: NDArray[np.int64]


@dataclass(slots=True)
class Family:
    """Traced generations of one structure. All samples run the same operators on the same blocks."""

    _samples: list[_Sample] = field(default_factory=list)

    def add(self, lengths: Lengths, whole: Unfolded) -> None:
        """Add a traced generation; one that differs in more than sizes is left out."""
        sample = _Sample(lengths, whole, _numbers(whole))
        if not self._samples or _same_structure(self._samples[0].whole, whole):
            self._samples.append(sample)

    def at(self, lengths: Lengths) -> Unfolded | None:
        """The generation of these lengths; None where it does not follow from the traced ones."""
        if not self._samples:
            return None
        weights = _weights([sample.lengths for sample in self._samples], lengths)
        if weights is None:
            return None
        numbers = weights @ np.array([sample.numbers for sample in self._samples], dtype=np.float64)
        whole = np.rint(numbers)
        if np.abs(numbers - whole).max() > _WHOLE:
            return None
        return _with_numbers(self._samples[0].whole, whole.astype(np.int64).tolist())


def _numbers(whole: Unfolded) -> NDArray[np.int64]:
    sizes = [event.size_bytes for event in whole.events]
    shapes = [size for call in _calls(whole.kernels) for size in shape_numbers(call)]
    return np.array(sizes + shapes, dtype=np.int64)


def _with_numbers(model: Unfolded, numbers: Sequence[int]) -> Unfolded:
    rest = iter(numbers[len(model.events) :])
    calls = {id(call): reshaped(call, rest) for call in _calls(model.kernels)}
    return Unfolded(
        kernels=tuple(
            kernel if kernel.call is None else replace(kernel, call=calls[id(kernel.call)])
            for kernel in model.kernels
        ),
        events=tuple(map(_resized, model.events, numbers)),
        tokens_at=model.tokens_at,
    )


def _resized(event: Event, size_bytes: int) -> Event:
    return Event(event.kernel, event.block, size_bytes, event.is_cache)


def _calls(kernels: Sequence[Kernel]) -> list[Call]:
    """Each call once: copies of a layer share a call."""
    found = {id(kernel.call): kernel.call for kernel in kernels if kernel.call is not None}
    return list(found.values())


def shape_numbers(call: Call) -> Iterator[int]:
    """All numbers of the call's shapes and strides, in a row."""
    for shape in (*call.inputs, *call.strides, call.output):
        yield from shape


def reshaped(call: Call, numbers: Iterator[int]) -> Call:
    """The same call with other numbers, as many as `shape_numbers` gives."""

    def take(shapes: tuple[tuple[int, ...], ...]) -> tuple[tuple[int, ...], ...]:
        return tuple(tuple(islice(numbers, len(shape))) for shape in shapes)

    return Call(take(call.inputs), take(call.strides), take((call.output,))[0], call.dtype)


def _weights(known: Sequence[Lengths], wanted: Lengths) -> NDArray[np.float64] | None:
    """Weights with which the known lengths, and 1 for each, add up to the wanted ones and 1."""
    matrix = np.array([(1.0, *lengths) for lengths in known], dtype=np.float64).T
    target = np.array((1.0, *wanted), dtype=np.float64)
    weights = np.asarray(np.linalg.lstsq(matrix, target, rcond=None)[0], dtype=np.float64)
    off = np.abs(matrix @ weights - target) / np.maximum(np.abs(target), 1.0)
    return weights if off.max() < _EXACT and np.abs(weights).max() < _LARGEST_WEIGHT else None


def _same_structure(one: Unfolded, other: Unfolded) -> bool:
    """Whether both run the same kernels but for shapes, and make and release blocks in one order."""
    return _structure(one) == _structure(other)


def _structure(whole: Unfolded) -> tuple[object, ...]:
    return (
        [(event.block, event.kernel, event.size_bytes > 0) for event in whole.events],
        [(kernel.name, kernel.scope) for kernel in whole.kernels],
        [len(list(shape_numbers(call))) for call in _calls(whole.kernels)],
        whole.tokens_at,
    )


# --- batches of encoder chunks ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class BatchTrace:
    """One call of the encoder: kernels and blocks are numbered from 0.

    `made` are the blocks that the call returned, `rows` the shapes of one chunk in each.
    """

    kernels: tuple[Kernel, ...]
    events: tuple[RawEvent, ...]
    made: tuple[int, ...]
    rows: tuple[tuple[int, ...], ...]


@dataclass(slots=True)
class _BatchKind:
    """Batches that differ in lengths only."""

    wheres: tuple[Pass | None, ...]
    made: tuple[int, ...]
    rows: tuple[tuple[int, ...], ...]
    family: Family = field(default_factory=Family)


@dataclass(slots=True)
class Batches:
    """The batches traced so far. Sizes follow from a batch's `lengths`, all else from its `kind`."""

    _kinds: dict[object, _BatchKind] = field(default_factory=dict)

    def add(self, kind: object, lengths: Lengths, trace: BatchTrace) -> None:
        """Add a traced batch."""
        wheres = tuple(event.where for event in trace.events)
        known = self._kinds.setdefault(kind, _BatchKind(wheres, trace.made, trace.rows))
        events = tuple(Event(event.kernel, event.block, event.size_bytes) for event in trace.events)
        if (wheres, trace.made, trace.rows) == (known.wheres, known.made, known.rows):
            known.family.add(lengths, Unfolded(trace.kernels, events, ()))

    def of(self, kind: object, lengths: Lengths) -> BatchTrace | None:
        """The trace of such a batch; None where it does not follow from the traced ones."""
        known = self._kinds.get(kind)
        found = None if known is None else known.family.at(lengths)
        if known is None or found is None:
            return None
        events = tuple(
            RawEvent(event.kernel, event.block, event.size_bytes, where)
            for event, where in zip(found.events, known.wheres, strict=True)
        )
        return BatchTrace(found.kernels, events, known.made, known.rows)


def batch_trace(
    kernels: Sequence[Kernel],
    events: Sequence[RawEvent],
    *,
    first_kernel: int,
    made: Sequence[int],
    rows: Sequence[tuple[int, ...]],
) -> BatchTrace:
    """Cut a call out of a recording, whose kernels are numbered from `first_kernel`."""
    blocks: dict[int, int] = {}
    begun = min((event.where.nth for event in events if event.where is not None), default=0)
    return BatchTrace(
        kernels=tuple(kernels),
        events=tuple(
            RawEvent(
                event.kernel - first_kernel,
                blocks.setdefault(event.block, len(blocks)),
                event.size_bytes,
                None if event.where is None else event.where._replace(nth=event.where.nth - begun),
            )
            for event in events
        ),
        made=tuple(blocks[block] for block in made),
        rows=tuple(rows),
    )
