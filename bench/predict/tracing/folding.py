"""Layers that are alike are traced twice and repeated. Pure: no torch.

A stack is a row of layers, most of them plain; the others, taps and those that take DeepStack features, do
something of their own. Of each run of plain layers two are kept. The second follows on a plain layer, as all
later ones of the run do: its events stand for theirs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from bench.errors import BenchError
from bench.predict.events import Event, Kernel
from bench.predict.tracing.raw import Pass, Raw, Recording


class UnlikeLayersError(BenchError):
    """Layers that should do the same do not: repeating one would be wrong."""


@dataclass(frozen=True, slots=True)
class Fold:
    """A stack with fewer layers.

    Layer i stands for `copies[i]` in a row; `special` are the numbers of those that are not plain.
    """

    copies: tuple[int, ...]
    special: tuple[int, ...]

    @property
    def layers(self) -> int:
        """How many are left."""
        return len(self.copies)

    def number(self, layer: int) -> int:
        """The number, in the whole stack, of the first layer that this one stands for."""
        return sum(self.copies[:layer])


def fold(layers: int, special: Sequence[int]) -> Fold:
    """Leave out what can be repeated. `special` are the numbers of layers that are not plain."""
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
    """Put the repeated layers back.

    Raises:
        UnlikeLayersError: a layer that was to be repeated does not do what the one before it did.
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
    """What has been put together so far. A block that was repeated has an image for each copy."""

    def __init__(self, recording: Recording, folds: Mapping[str, Fold]) -> None:
        self.kernels = list(recording.kernels)
        self.events: list[Event] = []
        self._folds = folds
        self._next_block = 1 + max((event.block for event in recording.events), default=0)
        self._images: dict[int, list[int]] = {}
        self._born: dict[int, tuple[Pass, int]] = {}
        self._made: dict[Pass, list[Raw]] = {}
        self._alive: set[int] = set()

    def outside(self, event: Raw) -> None:
        """What no layer did. A block that was made in a layer goes in all its copies, where it still is."""
        if event.size_bytes:
            self._allocate(event.kernel, event.block, event.size_bytes)
            return
        for image in self._images.get(event.block, [event.block]):
            if image in self._alive:
                self._release(event.kernel, image)

    def layer(self, where: Pass, run: tuple[Raw, ...]) -> None:
        """One layer in one pass, as often as it stands for others."""
        folded = self._folds[where.stack]
        made = [event for event in run if event.size_bytes]
        self._made[where] = made
        self._born.update({event.block: (where, number) for number, event in enumerate(made)})
        released = {event.block for event in run if not event.size_bytes}
        for copy in range(folded.copies[where.layer]):
            layer = folded.number(where.layer) + copy
            names = self._renamed(where, layer, run)
            for event in run:
                kernel = names.get(event.kernel, event.kernel)
                if not event.size_bytes:
                    self._release(kernel, self._meant(where, copy, event.block))
                    continue
                block = event.block if copy == 0 else self._new_block()
                self._images.setdefault(event.block, []).append(block)
                stays = event.block not in released and self._is_in_attention(kernel)
                self._allocate(kernel, block, event.size_bytes, is_cache=stays)

    def _meant(self, where: Pass, copy: int, block: int) -> int:
        """The block that a copy of a layer releases, where the layer that was traced releases `block`."""
        born, number = self._born.get(block, (None, 0))
        if born is not None and born[:2] == where[:2]:  # its own, of this pass or an earlier one
            return self._images[block][copy]
        if copy == 0:
            return self._images.get(block, [block])[-1]
        before = where._replace(layer=where.layer - 1)
        if born != before or _sizes(self._made[before]) != _sizes(self._made[where]):
            raise UnlikeLayersError(
                f"layer {where.layer} of {where.stack} does not do what the one before did"
            )
        return self._images[self._made[where][number].block][copy - 1]

    def _renamed(self, where: Pass, layer: int, run: tuple[Raw, ...]) -> dict[int, int]:
        """Kernels of a layer under the number that it has in the whole stack."""
        if layer == where.layer:
            return {}
        old, new = f"{where.stack}.{where.layer}", f"{where.stack}.{layer}"
        names: dict[int, int] = {}
        for index in {event.kernel for event in run}:
            kernel = self.kernels[index]
            if kernel.scope == old or kernel.scope.startswith(f"{old}."):
                names[index] = len(self.kernels)
                self.kernels.append(replace(kernel, scope=new + kernel.scope[len(old) :]))
        return names

    def _is_in_attention(self, kernel: int) -> bool:
        scope = self.kernels[kernel].scope
        return scope.startswith("language_model.") and ".self_attn" in scope

    def _allocate(self, kernel: int, block: int, size_bytes: int, *, is_cache: bool = False) -> None:
        self._alive.add(block)
        self.events.append(Event(kernel, block, size_bytes, is_cache))

    def _release(self, kernel: int, block: int) -> None:
        self._alive.discard(block)
        self.events.append(Event(kernel, block, 0))

    def _new_block(self) -> int:
        self._next_block += 1
        return self._next_block - 1


def _sizes(made: Sequence[Raw]) -> list[int]:
    return [event.size_bytes for event in made]
