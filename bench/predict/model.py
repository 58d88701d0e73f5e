"""What a loaded model holds before the first generation, and how its weights arrive."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from bench.arithmetic.shapes import Shapes
from bench.units import GB

SHARD_BYTES: Final = 5 * GB
"""The most that a shard holds, tensors in their order: the default of `save_pretrained` in transformers 4.57,
with which the released 4B checkpoint was written; its three shards for 10.4 GB agree."""


@dataclass(frozen=True, slots=True)
class ModelMemory:
    """The tensors of the model. `tensors` are the bytes of each weight, in the order in which they load.

    `buffers_bytes` is what it keeps beside its weights (tables of positions), `element_bytes` the size of one
    number of a weight: 2 for BF16. `leaving` are the places in `tensors` of those that go to the host once
    all are there.
    """

    tensors: tuple[int, ...]
    buffers_bytes: int
    shapes: Shapes
    element_bytes: int
    leaving: tuple[int, ...] = ()

    @property
    def weights_bytes(self) -> int:
        """All weights, without what an allocator adds by rounding."""
        return sum(self.tensors)

    @property
    def staying_bytes(self) -> int:
        """Those that are on the device while the model runs."""
        return self.weights_bytes - sum(self.tensors[place] for place in self.leaving)


class Loading(StrEnum):
    """How the weights reach the device."""

    TENSOR_BY_TENSOR = "tensor_by_tensor"
    """Each to its place: never more than the weights. What `from_pretrained` with a `device_map` does."""

    SHARD_BY_SHARD = "shard_by_shard"
    """A file of the checkpoint is on the device as a whole while its tensors are copied."""

    TWICE = "twice"
    """A whole state dict is on the device beside the model that it is copied into."""


class Arrival(NamedTuple):
    """An allocation of `size_bytes` while the weights load, or with 0 the release of the block.

    Blocks from 0 on are the tensors of the model, in their order; those below 0 are copies that go again.
    """

    block: int
    size_bytes: int


def arrivals(tensors: Sequence[int], loading: Loading) -> Iterator[Arrival]:
    """What loading takes from an allocator, in order; at its end the tensors of the model alone are there."""
    for shard in _shards(tensors, loading):
        for block in shard:
            if loading is not Loading.TENSOR_BY_TENSOR:
                yield Arrival(-1 - block, tensors[block])
        for block in shard:
            yield Arrival(block, tensors[block])
        for block in shard:
            if loading is not Loading.TENSOR_BY_TENSOR:
                yield Arrival(-1 - block, 0)


def loading_peak_bytes(tensors: Sequence[int], loading: Loading) -> int:
    """Most bytes at once of the model's tensors and of copies, without what an allocator adds."""
    now = peak = 0
    for arrival in arrivals(tensors, loading):
        now += arrival.size_bytes or -tensors[-1 - arrival.block]
        peak = max(peak, now)
    return peak


def _shards(tensors: Sequence[int], loading: Loading) -> list[range]:
    """The tensors that are on the device together, by their place; a tensor above the limit stands alone."""
    if loading is not Loading.SHARD_BY_SHARD:
        return [range(len(tensors))]
    first, size, found = 0, 0, list[range]()
    for place, tensor in enumerate(tensors):
        if size and size + tensor > SHARD_BYTES:
            found.append(range(first, place))
            first, size = place, 0
        size += tensor
    return [*found, range(first, len(tensors))]
