"""What a loaded model holds before the first generation, and how its weights arrive."""

from dataclasses import dataclass
from enum import StrEnum

from bench.envelope.shapes import Shapes


@dataclass(frozen=True, slots=True)
class ModelMemory:
    """The tensors of the model. `tensors` are the bytes of each weight, in the order in which they load.

    `buffers_bytes` is what it keeps beside its weights (tables of positions), `element_bytes` the size of one
    number of a weight: 2 for BF16.
    """

    tensors: tuple[int, ...]
    buffers_bytes: int
    shapes: Shapes
    element_bytes: int

    @property
    def weights_bytes(self) -> int:
        """All weights, without what an allocator adds by rounding."""
        return sum(self.tensors)


class Loading(StrEnum):
    """How the weights reach the device."""

    TENSOR_BY_TENSOR = "tensor_by_tensor"
    """Each to its place: never more than the weights. What transformers does with a `device_map`."""

    SHARD_BY_SHARD = "shard_by_shard"
    """A file of the checkpoint is on the device as a whole while its tensors are copied."""

    TWICE = "twice"
    """A whole state dict is on the device beside the model that it is copied into."""
