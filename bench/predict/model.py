"""What a loaded model holds before the first generation."""

from dataclasses import dataclass

from bench.arithmetic.shapes import Shapes


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
