"""A dispatch mode that records each operator of a generation, its allocations and their releases."""

import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import Any, Final

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.hooks import RemovableHandle

from bench.errors import BenchError
from bench.moss_audio import MossAudioModel
from bench.moss_audio.language import PiecewiseMLP
from bench.predict.trace import Call, Kernel
from bench.predict.tracing.families import Parts, PartTrace, part_trace
from bench.predict.tracing.folding import Pass, RawEvent, Recording
from bench.predict.tracing.interiors import FUSED, SdpaInterior
from bench.predict.tracing.meta import META
from bench.records.enums import Phase

_READ: Final = torch.ops.aten._local_scalar_dense.default
# These may take workspace, which depends on their shapes, as does fused attention.
_WITH_CALL: Final = frozenset(
    {
        "aten::convolution",
        "aten::mm",
        "aten::addmm",
        "aten::bmm",
    }
)
_LAYER_NORM: Final = torch.ops.aten.native_layer_norm.default
"""Its mean and its deviations: in the type of the input on a CPU, in float32 on the meta device."""
_DEVICE: Final = torch.ops.prim.device.default


class TracingError(BenchError):
    """The model did something that a trace cannot follow."""


class Mark(Enum):
    """The part of a generation that begins when a module runs."""

    START = "a layer of a stack"
    END = "the part after the stack"


@dataclass(frozen=True, slots=True)
class Part:
    """A method of a module that runs often, and leaves nothing alive but its result: one tensor, or several.

    Its calls differ in one dimension of their first argument, `along`; all results have as much of it.
    """

    method: str
    along: int
    has_several: bool


class Recorder(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Records operators on tensors of the meta device, which have sizes and no memory.

    It is also the observer of the generation. `generate` reads two values: whether a mask is all ones, which
    it is, and whether the answer has ended, which it has after `max_tokens`. With `parts`, a part that
    follows from traced ones does not run, and one that runs is added to them.
    """

    def __init__(self, max_tokens: int, sdpa: SdpaInterior, parts: Parts | None = None) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._max_tokens = max_tokens
        self._sdpa = sdpa
        self._parts = parts
        self._kernels: list[Kernel] = []
        self._events: list[RawEvent] = []
        self._tokens: list[int] = []
        self._alive: dict[int, tuple[int, weakref.ref[torch.UntypedStorage]]] = {}
        self._ignored: set[int] = set()
        self._scopes: list[str] = []
        self._phase = Phase.PREPROCESS
        self._pass: Pass | None = None
        self._passes: dict[str, int] = {}
        self._blocks = 0
        self._paused = False
        self._outer: str | None = None
        self._all_flags: set[int] = set()
        self._names: dict[Callable[..., Any], str] = {}

    # --- the observer -------------------------------------------------------------------------------------

    def begin(self, phase: Phase) -> None:
        """Assign the operators that follow to this phase."""
        self._phase = phase

    def token(self) -> None:
        """Note a token: an answer of that length would end here."""
        self._tokens.append(len(self._events))

    def end(self) -> None:
        """Do nothing: releases after the generation do not count."""

    # --- modules ------------------------------------------------------------------------------------------

    @contextmanager
    def attached(self, model: MossAudioModel, stacks: Sequence[str]) -> Iterator[None]:
        """Record the model while the context is open; its weights and buffers must outlive the recording.

        Scopes are named after modules, and passes after the layers of `stacks`. The pass of a layer lasts
        until the next layer begins; that of the last one until the norm behind its stack does.
        """
        weights = (*model.parameters(), *model.buffers())
        self._ignored.update(tensor.untyped_storage()._cdata for tensor in weights)
        hooks = list(self._follow(model, stacks))
        often = _parts_of(model)
        for module, part in often:
            setattr(module, part.method, self._often(part, getattr(module, part.method)))
        try:
            with self:
                yield
        finally:
            for module, part in often:
                delattr(module, part.method)
            for hook in hooks:
                hook.remove()

    def _follow(self, model: MossAudioModel, stacks: Sequence[str]) -> Iterator[RemovableHandle]:
        lists = {stack: model.get_submodule(stack) for stack in stacks}
        starts = {f"{stack}.{name}" for stack, layers in lists.items() for name, _ in layers.named_children()}
        ends = {"audio_encoder.layer_norm", "language_model.norm"}
        for name, module in model.named_modules():
            mark = Mark.START if name in starts else Mark.END if name in ends else None
            yield module.register_forward_pre_hook(partial(self._enter, name, mark))
            yield module.register_forward_hook(self._leave)

    def _enter(self, name: str, mark: Mark | None, *_: object) -> None:
        self._scopes.append(name)
        if mark is Mark.START:
            stack, _dot, layer = name.rpartition(".")
            nth = self._passes[stack] = self._passes.get(stack, -1) + (layer == "0")
            self._pass = Pass(stack, int(layer), nth)
        elif mark is Mark.END:
            self._pass = None

    def _leave(self, *_: object) -> None:
        self._scopes.pop()

    # --- operators ----------------------------------------------------------------------------------------

    def __torch_dispatch__(
        self,
        func: Callable[..., Any],
        types: tuple[type, ...],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Run one operator and note what it allocates.

        Raises:
            TracingError: the model reads a value that is not a flag.
        """
        if self._paused:
            return func(*args, **(kwargs or {}))
        if func is _READ:
            return self._read(args[0])
        if func is _DEVICE:  # no operator: a property of a tensor
            return func(*args)
        steps = self._sdpa.steps.get(func)
        if steps is not None:
            stepped = self._stepped(self._name(func), partial(steps, *args, **(kwargs or {})))
            if stepped is not None:
                return stepped
        name = self._outer or self._name(func)
        kernel = len(self._kernels)
        # A release that the operator itself causes comes after its own allocations, as on a device.
        self._kernels.append(Kernel(name, self._scopes[-1] if self._scopes else "", self._phase))
        result = func(*args, **(kwargs or {}))
        if name == self._sdpa.fused_name:
            result = self._sdpa.fused_results(result)
        elif func is _LAYER_NORM:
            result = result[0], *(result[0].new_empty(each.shape) for each in result[1:])
        outputs = list(_tensors(result))
        for tensor in outputs:
            self._allocated(kernel, tensor)
        if name == "aten::all":
            self._all_flags.add(self._blocks - 1)
        if name in _WITH_CALL or name == self._sdpa.fused_name:
            self._kernels[kernel] = _with_call(self._kernels[kernel], args, outputs[0])
        return result

    def _stepped(self, name: str, steps: Callable[[], torch.Tensor | None]) -> torch.Tensor | None:
        """Run the steps of an operator under its name."""
        self._outer = name
        with self:
            result = steps()
        self._outer = None
        return result

    def _name(self, func: Callable[..., Any]) -> str:
        """`aten::add`, without its overload; the fused operator has the name that it has on the device."""
        if func not in self._names:
            name = func.name().partition(".")[0]  # type: ignore[attr-defined]
            self._names[func] = self._sdpa.fused_name if name == FUSED else name
        return self._names[func]

    def _read(self, tensor: torch.Tensor) -> bool:
        if tensor.dtype is not torch.bool:
            raise TracingError(f"the model reads a value of type {tensor.dtype}, which a trace does not have")
        block, _ = self._alive.get(tensor.untyped_storage()._cdata, (None, None))
        return block in self._all_flags or len(self._tokens) >= self._max_tokens

    def _allocated(self, kernel: int, tensor: torch.Tensor) -> None:
        storage = tensor.untyped_storage()
        key = storage._cdata
        if key in self._alive or key in self._ignored or storage.nbytes() == 0:
            return
        block = self._new_block()
        self._watch(block, storage)
        self._events.append(RawEvent(kernel, block, storage.nbytes(), self._pass))

    def _new_block(self) -> int:
        self._blocks += 1
        return self._blocks - 1

    def _watch(self, block: int, storage: torch.UntypedStorage) -> None:
        key = storage._cdata
        self._alive[key] = block, weakref.ref(storage, partial(self._released, key))

    def _released(self, key: int, _reference: object) -> None:
        block, _ = self._alive.pop(key)
        self._events.append(RawEvent(len(self._kernels) - 1, block, 0, self._pass))

    # --- parts that run often -------------------------------------------------------------------------------

    def _often(self, part: Part, run: Callable[..., Any]) -> Callable[..., Any]:
        """Wrap `run` so that it runs only where its trace does not follow from earlier ones."""
        parts, known = self._parts, dict[object, PartTrace]()
        if parts is None:
            return run

        def often(given: torch.Tensor, *more: object) -> Any:
            one_alone = given.shape[part.along] == 1  # with strides of its own; others are cut out of a whole
            empty = tuple(other is None for other in more)
            kind = (self._scopes[-1], self._phase, _without(given.shape, part.along), one_alone, empty)
            lengths = (given.shape[part.along], *given.stride())
            trace = known.get((kind, lengths)) or parts.of(kind, lengths)
            if trace is not None:
                known[kind, lengths] = trace
                made = self._replay(trace, part.along, lengths[0], given.dtype)
                return made if part.has_several else made[0]
            result, trace = self._cut(part.along, partial(run, given, *more))
            known[kind, lengths] = trace
            parts.add(kind, lengths, trace)
            return result

        return often

    def _cut(self, along: int, run: Callable[[], Any]) -> tuple[Any, PartTrace]:
        """Run a part; return its result, and its trace."""
        kernels, events = len(self._kernels), len(self._events)
        result = run()
        made = list(_tensors(result))
        return result, part_trace(
            self._kernels[kernels:],
            self._events[events:],
            first_kernel=kernels,
            inside=self._pass,
            made=[self._alive[tensor.untyped_storage()._cdata][0] for tensor in made],
            shapes=[_without(tensor.shape, along) for tensor in made],
        )

    def _replay(
        self, trace: PartTrace, along: int, size: int, dtype: torch.dtype
    ) -> tuple[torch.Tensor, ...]:
        """Record the call without running it, and return results of its shapes."""
        kernels, blocks = len(self._kernels), self._blocks
        self._kernels.extend(trace.kernels)
        passes = {where: self._next_pass(where) for where in dict.fromkeys(e.where for e in trace.events)}
        for event in trace.events:
            self._blocks = max(self._blocks, blocks + event.block + 1)
            where = passes[event.where]
            self._events.append(
                RawEvent(kernels + event.kernel, blocks + event.block, event.size_bytes, where)
            )
        self._paused = True
        results = tuple(
            torch.empty(*shape[:along], size, *shape[along:], dtype=dtype, device=META)
            for shape in trace.shapes
        )
        self._paused = False
        for block, tensor in zip(trace.made, results, strict=True):
            self._watch(blocks + block, tensor.untyped_storage())
        return results

    def _next_pass(self, where: Pass | None) -> Pass | None:
        if where is None:
            return self._pass
        if where.layer == 0:
            self._passes[where.stack] = self._passes.get(where.stack, -1) + 1
        return where._replace(nth=self._passes[where.stack])

    def recording(self) -> Recording:
        """Return the recording up to the last token."""
        last = self._tokens[-1] if self._tokens else len(self._events)
        events = tuple(self._events[:last])
        kernels = events[-1].kernel + 1 if events else 0
        return Recording(tuple(self._kernels[:kernels]), events, tuple(self._tokens))


def _parts_of(model: MossAudioModel) -> list[tuple[torch.nn.Module, Part]]:
    """Batches of encoder chunks, and pieces of feed-forward layers."""
    pieces = [module for module in model.language_model.modules() if isinstance(module, PiecewiseMLP)]
    return [
        (model.audio_encoder, Part("_encode", along=0, has_several=True)),
        *((module, Part("_piece", along=1, has_several=False)) for module in pieces),
    ]


def _without(shape: Sequence[int], along: int) -> tuple[int, ...]:
    """The shape without a dimension."""
    return (*shape[:along], *shape[along + 1 :])


def _tensors(result: object) -> Iterator[torch.Tensor]:
    if isinstance(result, torch.Tensor):
        yield result
    elif isinstance(result, tuple | list):
        for part in result:
            yield from _tensors(part)


def _with_call(kernel: Kernel, args: Sequence[object], output: torch.Tensor) -> Kernel:
    given = [argument for argument in args if isinstance(argument, torch.Tensor)]
    call = Call(
        inputs=tuple(tuple(tensor.shape) for tensor in given),
        strides=tuple(tuple(tensor.stride()) for tensor in given),
        output=tuple(output.shape),
        dtype=str(given[0].dtype).removeprefix("torch."),
    )
    return Kernel(kernel.name, kernel.scope, kernel.phase, call)
