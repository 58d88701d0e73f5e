"""The recording of a shortened model, and the whole model's generation out of it. Pure: no torch.

A stack is a row of layers, most of them plain; the others, taps and those that take DeepStack features, do
something of their own. Of each run of plain layers two are traced. The second follows a plain layer, as all
later ones of the run do: its events are repeated for them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

from bench.errors import BenchError
from bench.predict.trace import Event, Kernel


class Pass(NamedTuple):
    """One run through one layer: the stack's name, the layer's number, and the number of earlier runs."""

    stack: str
    layer: int
    nth: int


class RawEvent(NamedTuple):
    """An allocation or, with 0 bytes, a release, and the layer in which it happened; None outside."""

    kernel: int
    block: int
    size_bytes: int
    where: Pass | None


@dataclass(frozen=True, slots=True)
class Recording:
    """One generation. `tokens[n - 1]` is how many events there were when the n-th token was there."""

    kernels: tuple[Kernel, ...]
    events: tuple[RawEvent, ...]
    tokens: tuple[int, ...]

    def to_first_token(self) -> "Recording":
        """The recording of an answer of one token."""
        events = self.events[: self.tokens[0]]
        return Recording(self.kernels[: events[-1].kernel + 1], events, self.tokens[:1])


class UnlikeLayersError(BenchError):
    """Layers that should run the same operators differ, so that none can be repeated."""


@dataclass(frozen=True, slots=True)
class Fold:
    """A stack with fewer layers.

    Layer i represents `copies[i]` in a row; `special` are the numbers of those that are not plain.
    """

    copies: tuple[int, ...]
    special: tuple[int, ...]

    @property
    def layers(self) -> int:
        """Number of layers that are traced."""
        return len(self.copies)

    def number(self, layer: int) -> int:
        """Number, in the whole stack, of the first layer that this one represents."""
        return sum(self.copies[:layer])


def fold(layers: int, special: Sequence[int]) -> Fold:
    """Return the stack without layers that can be repeated; `special` numbers those that are not plain."""
    copies: list[int] = []
    kept: list[int] = []
    for is_special, run in groupby(range(layers), key=lambda layer: layer in special):
        length = len(list(run))
        if is_special:
            kept.extend(range(len(copies), len(copies) + length))
            copies.extend([1] * length)
        else:
            copies.extend([1] if length == 1 else [1, length - 1])
    return Fold(tuple(copies), tuple(kept))


@dataclass(frozen=True, slots=True)
class Unfolded:
    """The generation of the whole model. `tokens_at` as in `Trace`."""

    kernels: tuple[Kernel, ...]
    events: tuple[Event, ...]
    tokens_at: tuple[int, ...]


def unfold(recording: Recording, folds: Mapping[str, Fold]) -> Unfolded:
    """Return the generation of the whole model, with the repeated layers.

    Raises:
        UnlikeLayersError: a layer to be repeated differs from the one before it.
    """
    whole = _Unfolding(recording, folds)
    marks = iter((*recording.tokens, -1))
    mark, tokens_at, done = next(marks), [], 0
    for where, group in groupby(recording.events, key=lambda event: event.where):
        run = tuple(group)
        if where is not None:
            whole.layer(where, run)
            done += len(run)
            continue
        for event in run:
            if done == mark:
                tokens_at.append(len(whole.events))
                mark = next(marks)
            whole.outside(event)
            done += 1
    return Unfolded(tuple(whole.kernels), tuple(whole.events), (*tokens_at, len(whole.events)))


class _Unfolding:
    """The whole generation so far. A block of a repeated layer has an image for each copy."""

    def __init__(self, recording: Recording, folds: Mapping[str, Fold]) -> None:
        self.kernels = list(recording.kernels)
        self.events: list[Event] = []
        self._folds = folds
        self._next_block = 1 + max((event.block for event in recording.events), default=0)
        self._images: dict[int, list[int]] = {}
        self._born: dict[int, tuple[Pass, int]] = {}
        self._made: dict[Pass, list[RawEvent]] = {}
        self._alive: set[int] = set()
        self._scoped: dict[tuple[int, str], Kernel] = {}

    def outside(self, event: RawEvent) -> None:
        """Add an event outside the layers. A block made in a layer is released in all copies still alive."""
        if event.size_bytes:
            self._alive.add(event.block)
            self.events.append(Event(event.kernel, event.block, event.size_bytes))
            return
        for image in self._images.get(event.block, [event.block]):
            if image in self._alive:
                self._alive.discard(image)
                self.events.append(Event(event.kernel, image, 0))

    def layer(self, where: Pass, run: tuple[RawEvent, ...]) -> None:
        """Add one layer in one pass, once for each layer that it represents."""
        folded = self._folds[where.stack]
        made = [event for event in run if event.size_bytes]
        self._made[where] = made
        self._born.update({event.block: (where, number) for number, event in enumerate(made)})
        released = {event.block for event in run if not event.size_bytes}
        own = {block for block in released if self._is_of_layer(where, block)}
        stay = {event.block for event in made if event.block not in released and self._is_cache(event.kernel)}
        inside = self._inside(where, run)
        images, alive, add = self._images, self._alive, self.events.append
        for copy in range(folded.copies[where.layer]):
            names = self._renamed(where.stack, folded.number(where.layer) + copy, inside) if copy else {}
            for kernel, block, size_bytes, _ in run:
                number = names.get(kernel, kernel)
                if size_bytes:
                    image = self._new_block() if copy else block
                    images.setdefault(block, []).append(image)
                    alive.add(image)
                    add(Event(number, image, size_bytes, block in stay))
                else:
                    image = images[block][copy] if block in own else self._released_by(where, copy, block)
                    alive.discard(image)
                    add(Event(number, image, 0))

    def _is_of_layer(self, where: Pass, block: int) -> bool:
        """Whether the layer made the block, in this pass or an earlier one."""
        born = self._born.get(block)
        return born is not None and born[0][:2] == where[:2]

    def _released_by(self, where: Pass, copy: int, block: int) -> int:
        """The block that a copy releases, where the traced layer releases `block` of another layer."""
        if copy == 0:
            return self._images.get(block, [block])[-1]
        born, number = self._born.get(block, (None, 0))
        before = where._replace(layer=where.layer - 1)
        if born != before or _sizes(self._made[before]) != _sizes(self._made[where]):
            raise UnlikeLayersError(
                f"layer {where.layer} of {where.stack} does not do what the one before did"
            )
        return self._images[self._made[where][number].block][copy - 1]

    def _inside(self, where: Pass, run: Sequence[RawEvent]) -> dict[int, str]:
        """The kernels within a layer, each with the rest of its scope."""
        layer = f"{where.stack}.{where.layer}"
        scopes = {event.kernel: self.kernels[event.kernel].scope for event in run}
        return {
            kernel: scope[len(layer) :]
            for kernel, scope in scopes.items()
            if scope == layer or scope.startswith(f"{layer}.")
        }

    def _renamed(self, stack: str, layer: int, inside: Mapping[int, str]) -> dict[int, int]:
        """Number the kernels of a layer as in the whole stack; returns old index to new index."""
        names = dict(zip(inside, range(len(self.kernels), len(self.kernels) + len(inside)), strict=True))
        name = f"{stack}.{layer}"
        self.kernels.extend(
            self._in_scope(self.kernels[kernel], name + rest) for kernel, rest in inside.items()
        )
        return names

    def _in_scope(self, kernel: Kernel, scope: str) -> Kernel:
        """The kernel in another scope; parts that run often share one."""
        key = id(kernel), scope
        if key not in self._scoped:
            self._scoped[key] = Kernel(kernel.name, scope, kernel.phase, kernel.call)
        return self._scoped[key]

    def _is_cache(self, kernel: int) -> bool:
        """Whether what this kernel makes, if it stays, is keys or values."""
        scope = self.kernels[kernel].scope
        return scope.startswith("language_model.") and ".self_attn" in scope

    def _new_block(self) -> int:
        self._next_block += 1
        return self._next_block - 1


def _sizes(made: Sequence[RawEvent]) -> list[int]:
    return [event.size_bytes for event in made]
