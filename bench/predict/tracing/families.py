"""Generations, and parts of them, of other lengths out of traced ones, where that is exact. Pure: no torch.

Clips of one structure (as many batches of chunks, padding or none) run the same operators, and every size
is affine in a few lengths: a generation whose lengths are a weighted sum of traced ones has the same weighted
sum of their sizes. Where the lengths are no such sum, or a size is not a whole number, the clip has to be
traced. The same holds for parts of one clip that run often: batches of encoder chunks, pieces of feed-forward
layers. All sums are of whole numbers: one of the lengths is the square of another, and floats would lose its
last bytes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import islice
from math import lcm
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench.predict.trace import Call, Event, Kernel
from bench.predict.tracing.folding import Pass, RawEvent, Unfolded

Lengths = tuple[int, ...]
_Wholes = NDArray[np.int64] | NDArray[np.object_]
"""Integers, of 64 bits or of any size."""


@dataclass(slots=True)
class Family:
    """Traced generations of one structure: all run the same operators on the same blocks.

    `_rows` are 1 and the lengths of each, none a weighted sum of others. `_numbers` are in a row the sizes of
    all events, then the shapes of all calls, of each.
    """

    _model: Unfolded | None = None
    _rows: list[tuple[int, ...]] = field(default_factory=list)
    _numbers: list[_Wholes] = field(default_factory=list)
    _largest: int = 0
    _is_affine: bool = True

    def add(self, lengths: Lengths, whole: Unfolded) -> None:
        """Add a traced generation; one that differs in more than sizes is left out.

        One that differs from a weighted sum of others ends the family: nothing follows from it any more.
        """
        if self._model is None:
            self._model = whole
        elif not _same_structure(self._model, whole):
            return
        numbers, found = _numbers(whole), self._at(lengths)
        if found is None:
            self._rows.append((1, *lengths))
            self._numbers.append(numbers)
            self._largest = max(self._largest, int(np.abs(numbers).max(initial=0)))
        elif not np.array_equal(found.numbers, numbers.astype(found.numbers.dtype) * found.divisor):
            self._is_affine = False

    def at(self, lengths: Lengths) -> Unfolded | None:
        """The generation of these lengths; None where it does not follow from the traced ones."""
        found = self._at(lengths) if self._is_affine else None
        if self._model is None or found is None or (found.numbers % found.divisor).any():
            return None
        return _with_numbers(self._model, (found.numbers // found.divisor).tolist())

    def _at(self, lengths: Lengths) -> "_Sum | None":
        weights = _weights(self._rows, (1, *lengths))
        if weights is None:
            return None
        divisor = lcm(*(weight.denominator for weight in weights))
        factors = [int(weight * divisor) for weight in weights]
        return _Sum(self._sum(factors), divisor)

    def _sum(self, factors: Sequence[int]) -> _Wholes:
        if sum(abs(factor) * self._largest for factor in factors) < 2**63:
            return np.array(factors, dtype=np.int64) @ np.array(self._numbers, dtype=np.int64)
        exact: _Wholes = np.array(factors, dtype=np.object_) @ np.array(self._numbers, dtype=np.object_)
        return exact


class _Sum(NamedTuple):
    """A weighted sum of numbers, times `divisor`, so that its weights are whole."""

    numbers: _Wholes
    divisor: int


def _numbers(whole: Unfolded) -> _Wholes:
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


def _first_with_their_call(kernels: Sequence[Kernel]) -> list[int]:
    """The place of the first kernel that has the same call, for each that has one."""
    first: dict[int, int] = {}
    calls = ((place, id(kernel.call)) for place, kernel in enumerate(kernels) if kernel.call is not None)
    return [first.setdefault(call, place) for place, call in calls]


def shape_numbers(call: Call) -> Iterator[int]:
    """All numbers of the call's shapes and strides, in a row."""
    for shape in (*call.inputs, *call.strides, call.output):
        yield from shape


def reshaped(call: Call, numbers: Iterator[int]) -> Call:
    """The same call with other numbers, as many as `shape_numbers` gives."""

    def take(shapes: tuple[tuple[int, ...], ...]) -> tuple[tuple[int, ...], ...]:
        return tuple(tuple(islice(numbers, len(shape))) for shape in shapes)

    return Call(take(call.inputs), take(call.strides), take((call.output,))[0], call.dtype)


def _weights(rows: Sequence[tuple[int, ...]], wanted: tuple[int, ...]) -> list[Fraction] | None:
    """Weights with which the rows, independent of each other, add up to the wanted one; None without any."""
    columns = [list(map(Fraction, column)) for column in zip(*rows, wanted, strict=True)]
    for place in range(len(rows)):
        pivot = next(number for number in range(place, len(columns)) if columns[number][place])
        columns[place], columns[pivot] = columns[pivot], columns[place]
        head = columns[place] = [value / columns[place][place] for value in columns[place]]
        for number, column in enumerate(columns):
            if number != place and column[place]:
                columns[number] = [
                    value - column[place] * above for value, above in zip(column, head, strict=True)
                ]
    if not rows or any(column[-1] for column in columns[len(rows) :]):
        return None
    return [column[-1] for column in columns[: len(rows)]]


def _same_structure(one: Unfolded, other: Unfolded) -> bool:
    """Whether both run the same kernels but for shapes, and make and release blocks in one order."""
    return _structure(one) == _structure(other)


def _structure(whole: Unfolded) -> tuple[object, ...]:
    return (
        [(event.block, event.kernel, event.size_bytes > 0) for event in whole.events],
        [(kernel.name, kernel.scope) for kernel in whole.kernels],
        [len(list(shape_numbers(call))) for call in _calls(whole.kernels)],
        _first_with_their_call(whole.kernels),
        whole.tokens_at,
    )


# --- parts that run often -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PartTrace:
    """One call of a part: kernels and blocks are numbered from 0.

    `made` are the blocks that the call returned, `shapes` those of the results without the dimension in which
    calls differ. An event whose `where` is None happened where the call did.
    """

    kernels: tuple[Kernel, ...]
    events: tuple[RawEvent, ...]
    made: tuple[int, ...]
    shapes: tuple[tuple[int, ...], ...]


@dataclass(slots=True)
class _Kind:
    """Calls that differ in lengths only."""

    wheres: tuple[Pass | None, ...]
    made: tuple[int, ...]
    shapes: tuple[tuple[int, ...], ...]
    family: Family = field(default_factory=Family)


@dataclass(slots=True)
class Parts:
    """The parts traced so far. Sizes follow from a call's `lengths`, all else from its `kind`."""

    _kinds: dict[object, _Kind] = field(default_factory=dict)

    def add(self, kind: object, lengths: Lengths, trace: PartTrace) -> None:
        """Add a traced call."""
        wheres = tuple(event.where for event in trace.events)
        known = self._kinds.setdefault(kind, _Kind(wheres, trace.made, trace.shapes))
        events = tuple(Event(event.kernel, event.block, event.size_bytes) for event in trace.events)
        if (wheres, trace.made, trace.shapes) == (known.wheres, known.made, known.shapes):
            known.family.add(lengths, Unfolded(trace.kernels, events, ()))

    def of(self, kind: object, lengths: Lengths) -> PartTrace | None:
        """The trace of such a call; None where it does not follow from the traced ones."""
        known = self._kinds.get(kind)
        found = None if known is None else known.family.at(lengths)
        if known is None or found is None:
            return None
        events = tuple(
            RawEvent(event.kernel, event.block, event.size_bytes, where)
            for event, where in zip(found.events, known.wheres, strict=True)
        )
        return PartTrace(found.kernels, events, known.made, known.shapes)


def part_trace(
    kernels: Sequence[Kernel],
    events: Sequence[RawEvent],
    *,
    first_kernel: int,
    inside: Pass | None,
    made: Sequence[int],
    shapes: Sequence[tuple[int, ...]],
) -> PartTrace:
    """Cut a call, made `inside` a pass, out of a recording; its kernels are numbered from `first_kernel`."""
    blocks: dict[int, int] = {}
    begun = min((e.where.nth for e in events if e.where is not None and e.where != inside), default=0)
    return PartTrace(
        kernels=tuple(kernels),
        events=tuple(
            RawEvent(
                event.kernel - first_kernel,
                blocks.setdefault(event.block, len(blocks)),
                event.size_bytes,
                _later(event.where, -begun) if event.where != inside else None,
            )
            for event in events
        ),
        made=tuple(blocks[block] for block in made),
        shapes=tuple(shapes),
    )


def _later(where: Pass | None, passes: int) -> Pass | None:
    return None if where is None else where._replace(nth=where.nth + passes)
