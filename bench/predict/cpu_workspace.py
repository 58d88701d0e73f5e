"""Workspace of kernels on a CPU: probed on this machine, since it does not follow from the architecture.

A convolution in BF16 reorders its weights, its input and its output; a product may copy one side and takes
scratch; attention has buffers per thread. This depends on the processor, the type and the number of threads.
So the real operators run here, on zeros, at small sizes, under a profiler that sees the allocator.

How the bytes depend on the sizes (found on an AMX machine, checked with sizes that were not probed in the
tests):

- convolution: affine in the number of chunks, from 2 on (one alone may lie in one piece where several do not,
  and then is not copied); probed with 2 and 3;
- batched product: affine in the batch from 2 on (one alone is cut among the threads in another way), up to
  a per mille; probed with 2 and 4. The right side may be copied, so that columns count: probed up to 9728 as
  they are, with half of that and all of it beyond. Rows as for a product;
- product: its scratch depends on rows and depth. In columns it stays the same from some thousands on, or
  there is a copy of the result (seen on a processor without AMX): probed with 9728 and 12160. In rows there
  are steps up to about 1000, so that these are probed as they are, as are more where that is cheap; beyond
  it is affine but for an alignment to 32 rows: probed with 768 and 1024;
- fused attention: affine in the batch; in the positions there are steps up to 768, then it is affine: probed
  as it is up to 2048, with 1024 and 2048 beyond.

Where a kernel changes its algorithm beyond the probed sizes (seen for narrow products of more than 2000
rows), its scratch is wrong by up to a quarter, which is less than a hundredth of the allocated bytes then.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import torch
from torch import Tensor

from bench.predict.memory_events import MemoryEvents
from bench.predict.trace import Kernel

_MAX_OPERATIONS: Final = 2e10
_MAX_BYTES: Final = 64e6
_COLUMNS: Final = 9728  # no power of two: those are blocked in another way
_MORE_COLUMNS: Final = _COLUMNS * 5 // 4


@dataclass(frozen=True, slots=True)
class _Operation:
    """An operator and its tensors. `output` are the sizes of a convolution's result, else it is empty."""

    name: str
    shapes: tuple[tuple[int, ...], ...]
    strides: tuple[tuple[int, ...], ...]
    dtype: str
    output: tuple[int, ...]

    def size(self, axis: "_Axis") -> int:
        """Length of the axis."""
        tensor, dimension = axis.places[0]
        return self.shapes[tensor][dimension]

    def resized(self, axis: "_Axis", size: int) -> "_Operation":
        """The operation with another length of an axis and the same order of strides."""
        shapes, strides = list(self.shapes), list(self.strides)
        before = self.size(axis)
        for tensor, dimension in axis.places:
            if shapes[tensor][dimension] == before:  # else it is 1, and the operator broadcasts it
                old = shapes[tensor]
                shapes[tensor] = (*old[:dimension], size, *old[dimension + 1 :])
                strides[tensor] = _packed(old, strides[tensor], shapes[tensor])
        return replace(self, shapes=tuple(shapes), strides=tuple(strides))


class _Axis(NamedTuple):
    """Dimensions of several tensors that are one: (tensor, dimension), the first of them never broadcast.

    Up to `limit` its real length is probed, beyond that `low` and `high`, from which follows a line; where
    those are equal, a constant.
    """

    places: tuple[tuple[int, int], ...]
    limit: int
    low: int
    high: int


class ProbedWorkspace:
    """Peak bytes of the real kernel beyond its outputs; 0 for kernels without workspace.

    Known kernels are convolutions, products and fused attention. Results are kept. Call `prepare` with all
    kernels first, so that one session of the profiler is enough.
    """

    def __init__(self) -> None:
        self._probed: dict[_Operation, int] = {}
        self._results: dict[_Operation, int] = {}

    def __call__(self, kernel: Kernel) -> int:
        """Return the bytes; probe a kernel that was not prepared."""
        operation = _operation(kernel)
        if operation is None:
            return 0
        if operation not in self._results:
            self._probe(_probes(operation))
            self._results[operation] = max(0, round(_estimate(operation, self._probed)))
        return self._results[operation]

    def prepare(self, kernels: Iterable[Kernel]) -> None:
        """Probe the kernels that were not probed yet."""
        operations = {operation: None for kernel in kernels if (operation := _operation(kernel))}
        self._probe(probe for operation in operations for probe in _probes(operation))

    def _probe(self, operations: Iterable[_Operation]) -> None:
        missing = [operation for operation in dict.fromkeys(operations) if operation not in self._probed]
        if missing:
            self._probed.update(zip(missing, _workspaces(missing), strict=True))


# --- from a kernel to probes -------------------------------------------------------------------------------


def _operation(kernel: Kernel) -> _Operation | None:
    call = kernel.call
    if call is None or kernel.name not in _KNOWN:
        return None
    output = call.output[2:] if kernel.name == "aten::convolution" else ()
    return _Operation(kernel.name, call.inputs, call.strides, call.dtype, output)


def _probes(operation: _Operation) -> Iterator[_Operation]:
    """Yield the operations from which the workspace of this one follows."""
    axis = _too_long(operation)
    if axis is None:
        yield operation
        return
    for size in sorted({axis.low, axis.high}):
        yield from _probes(operation.resized(axis, size))


def _estimate(operation: _Operation, probed: dict[_Operation, int]) -> float:
    axis = _too_long(operation)
    if axis is None:
        return probed[operation]
    high = _estimate(operation.resized(axis, axis.high), probed)
    if axis.low == axis.high:
        return high
    low = _estimate(operation.resized(axis, axis.low), probed)
    return high + (high - low) / (axis.high - axis.low) * (operation.size(axis) - axis.high)


def _too_long(operation: _Operation) -> _Axis | None:
    axes = _KNOWN[operation.name].axes(operation)
    return next((axis for axis in axes if operation.size(axis) > axis.limit), None)


def _packed(shape: tuple[int, ...], strides: tuple[int, ...], resized: tuple[int, ...]) -> tuple[int, ...]:
    """Strides for another shape: the same order, gaps where there were gaps, 0 where it was 0."""
    packed, span, new_span = list(strides), 1, 1
    for dimension in sorted(range(len(shape)), key=lambda place: (strides[place], shape[place])):
        if strides[dimension] == 0:
            continue
        gap = max(0, strides[dimension] - span)
        packed[dimension] = new_span + gap
        span = strides[dimension] * shape[dimension]
        new_span = packed[dimension] * resized[dimension]
    return tuple(packed)


# --- which lengths are probed -----------------------------------------------------------------------------


def _convolution_axes(_: _Operation) -> tuple[_Axis, ...]:
    return (_Axis(((0, 0),), limit=3, low=2, high=3),)


def _product_axes(operation: _Operation) -> tuple[_Axis, ...]:
    """Axes of `mm` and `addmm`: columns, then rows. The bias of `addmm` comes first, with rows or without."""
    left, right = len(operation.shapes) - 2, len(operation.shapes) - 1
    bias = operation.shapes[0] if left else ()
    columns = ((right, 1), *(((0, len(bias) - 1),) if bias else ()))
    rows = ((left, 0), *(((0, 0),) if len(bias) == 2 else ()))
    cut = _Axis(columns, limit=_MORE_COLUMNS, low=_COLUMNS, high=_MORE_COLUMNS)
    return cut, _rows(operation, rows, left)


def _batched_axes(operation: _Operation) -> tuple[_Axis, ...]:
    """Batch, columns, rows."""
    batch = _Axis(((0, 0), (1, 0)), limit=4, low=2, high=4)
    columns = _Axis(((1, 2),), limit=_COLUMNS, low=_COLUMNS // 2, high=_COLUMNS)
    return batch, columns, _rows(operation, ((0, 1),), 0)


def _rows(operation: _Operation, places: tuple[tuple[int, int], ...], left: int) -> _Axis:
    """The axis of rows: probed up to a cheap number, at least 1024 where these fit."""
    depth, columns = operation.shapes[left + 1][-2:]
    batch = math.prod(operation.shapes[left][:-2])
    width = batch * (depth + columns) * _type(operation.dtype).itemsize
    fit = int(_MAX_BYTES / width) // 64 * 64
    cheap = max(1024, int(_MAX_OPERATIONS / (2 * batch * depth * columns)))
    limit = max(64, min(fit, cheap))
    high = min(1024, limit)
    return _Axis(places, limit, low=high * 3 // 4, high=high)


def _attention_axes(operation: _Operation) -> tuple[_Axis, ...]:
    """Batch; positions, of query, key, value and mask (which may be broadcast over queries)."""
    tensors = range(len(operation.shapes))
    batch = _Axis(tuple((tensor, 0) for tensor in tensors), limit=4, low=2, high=4)
    queries, keys = operation.shapes[0][2], operation.shapes[1][2]
    if queries != keys:
        return (batch,)
    mask = ((3, 2), (3, 3)) if len(tensors) > 3 else ()
    return batch, _Axis(((0, 2), (1, 2), (2, 2), *mask), limit=2048, low=1024, high=2048)


# --- running it -------------------------------------------------------------------------------------------


def _workspaces(operations: Sequence[_Operation]) -> list[int]:
    """Peak inside each operator beyond its results."""
    with MemoryEvents() as events:
        for operation in operations:
            _run(operation, events)
    ran = [segment for segment in events.segments() if segment.name]
    return [segment.peak - max(segment.before, segment.after) for segment in ran]


@torch.no_grad()
def _run(operation: _Operation, events: MemoryEvents) -> None:
    tensors = [
        _zeros(shape, strides, _type(operation.dtype))
        for shape, strides in zip(operation.shapes, operation.strides, strict=True)
    ]
    events.mark(operation.name)
    result = _KNOWN[operation.name].run(operation, tensors)
    events.mark("")  # the release of the result is not part of the operator
    del result


def _zeros(shape: tuple[int, ...], strides: tuple[int, ...], dtype: torch.dtype) -> Tensor:
    extent = 1 + sum((size - 1) * stride for size, stride in zip(shape, strides, strict=True))
    return torch.zeros(extent, dtype=dtype).as_strided(shape, strides)


def _type(name: str) -> torch.dtype:
    found = getattr(torch, name)
    if not isinstance(found, torch.dtype):
        raise TypeError(f"torch.{name} is not a type of numbers")
    return found


def _convolution(operation: _Operation, tensors: Sequence[Tensor]) -> object:
    """Padding of half a kernel, as in this model; the stride follows from the sizes of input and output."""
    data, weight = tensors[:2]
    bias = tensors[2] if len(tensors) > 2 else None
    kernel = list(weight.shape[2:])
    padding = [size // 2 for size in kernel]
    reach = [size + 2 * pad - of for size, pad, of in zip(data.shape[2:], padding, kernel, strict=True)]
    stride = [far // out + 1 for far, out in zip(reach, operation.output, strict=True)]
    ones, nothing = [1] * len(kernel), [0] * len(kernel)
    return torch.convolution(data, weight, bias, stride, padding, ones, False, nothing, 1)


def _attention(_: _Operation, tensors: Sequence[Tensor]) -> object:
    query, key, value = tensors[:3]
    mask = tensors[3] if len(tensors) > 3 else None
    causal = mask is None and 1 < query.shape[2] == key.shape[2]  # saves time; takes the same memory
    attend = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
    return attend(query, key, value, 0.0, causal, attn_mask=mask)


class _Known(NamedTuple):
    axes: Callable[[_Operation], tuple[_Axis, ...]]
    run: Callable[[_Operation, Sequence[Tensor]], object]


_KNOWN: Final = {
    "aten::convolution": _Known(_convolution_axes, _convolution),
    "aten::mm": _Known(_product_axes, lambda _, tensors: torch.mm(*tensors)),
    "aten::addmm": _Known(_product_axes, lambda _, tensors: torch.addmm(*tensors)),
    "aten::bmm": _Known(_batched_axes, lambda _, tensors: torch.bmm(*tensors)),
    "aten::_scaled_dot_product_flash_attention_for_cpu": _Known(_attention_axes, _attention),
}
