"""Generations of other lengths out of those that were traced, where that is exact. Pure: no torch.

Clips of one structure (as many batches of chunks, padding or none) run the same operators, and every size
is affine in a few lengths: a generation whose lengths are a weighted sum of traced ones has the same weighted
sum of their sizes. Where the lengths are no such sum, or a size comes out as no whole number, nothing is
claimed: that clip has to be traced.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bench.predict.events import Call, Event, Kernel
from bench.predict.tracing.folding import Unfolded

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
        """Take in one that was traced; one that differs in more than sizes is left out."""
        sample = _Sample(lengths, whole, _numbers(whole))
        if not self._samples or _alike(self._samples[0].whole, whole):
            self._samples.append(sample)

    def at(self, lengths: Lengths) -> Unfolded | None:
        """The generation of these lengths; None where it does not follow from those taken in."""
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
    """Each call once: the copies of a layer share theirs."""
    found = {id(kernel.call): kernel.call for kernel in kernels if kernel.call is not None}
    return list(found.values())


def shape_numbers(call: Call) -> Iterator[int]:
    """All numbers of its shapes and strides in a row."""
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


def _alike(one: Unfolded, other: Unfolded) -> bool:
    """Whether they do the same: the same kernels but for shapes, blocks made and released in one order."""
    return _doings(one) == _doings(other)


def _doings(whole: Unfolded) -> tuple[object, ...]:
    return (
        [(event.block, event.kernel, event.size_bytes > 0) for event in whole.events],
        [(kernel.name, kernel.scope) for kernel in whole.kernels],
        [len(list(shape_numbers(call))) for call in _calls(whole.kernels)],
        whole.tokens_at,
    )
