"""The types of a trace: a model's tensors, and each allocation and release of a generation, in order.

Sizes are those of the tensors, in bytes, before any allocator rounds them. The weights are not events: they
are allocated before the first.
"""

from dataclasses import dataclass
from typing import NamedTuple

from bench.arithmetic.shapes import Shapes
from bench.records.enums import Phase


@dataclass(frozen=True, slots=True)
class ModelMemory:
    """The tensors of a loaded model. `tensors` are the bytes of each weight, in the order of loading.

    `buffers_bytes` are the model's buffers (tables of positions), `element_bytes` the size of one number of a
    weight: 2 for BF16. `leaving` are the places in `tensors` of weights that move to the host after loading.
    """

    tensors: tuple[int, ...]
    buffers_bytes: int
    shapes: Shapes
    element_bytes: int
    leaving: tuple[int, ...] = ()

    @property
    def weights_bytes(self) -> int:
        """All weights, not rounded."""
        return sum(self.tensors)

    @property
    def staying_bytes(self) -> int:
        """The weights that are on the device while the model runs."""
        return self.weights_bytes - sum(self.tensors[place] for place in self.leaving)


@dataclass(frozen=True, slots=True)
class Call:
    """Shapes and types of one call of an operator that may take workspace: a convolution or a product.

    `inputs` are the shapes of its tensor arguments in their order, `strides` those of the same tensors;
    `dtype` is that of the first.
    """

    inputs: tuple[tuple[int, ...], ...]
    strides: tuple[tuple[int, ...], ...]
    output: tuple[int, ...]
    dtype: str


@dataclass(frozen=True, slots=True)
class Kernel:
    """One call of an operator. `scope` is the module that called it: `language_model.layers.3.mlp.act_fn`."""

    name: str
    scope: str
    phase: Phase
    call: Call | None = None

    def __str__(self) -> str:
        return f"{self.scope}: {self.name}" if self.scope else self.name


class Event(NamedTuple):
    """An allocation of `size_bytes`, or with 0 the release of the block.

    `kernel` is an index into `Trace.kernels`: the one that allocated, or ran last before the release.
    `is_cache`: keys or values that stay.
    """

    kernel: int
    block: int
    size_bytes: int
    is_cache: bool = False


class StepEvent(NamedTuple):
    """An event of any decode step: sizes grow by `growth_bytes` with each step.

    An allocation (`size_bytes` > 0) makes block `number` of this step; a release names, by its `number`, a
    block of this step (`age` 0) or of the step `age` steps before. The ids of the prompt live for two steps.
    """

    kernel: int
    age: int
    number: int
    size_bytes: int
    growth_bytes: int
    is_cache: bool = False


@dataclass(frozen=True, slots=True)
class DecodeStep:
    """One decode step as a pattern.

    Sizes are those of step `first` (1 is the forward pass that makes the second token); step j has
    `size_bytes + (j - first) * growth_bytes`. `before[age - 1]` are the blocks of step `first - age`, by
    their `number`, which the first steps release; all of them are steps that were traced.
    """

    first: int
    events: tuple[StepEvent, ...]
    before: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class Trace:
    """One generation. `events` run from the inputs on the device through the first decode steps.

    `tokens_at[n - 1]` is how many of `events` belong to an answer of n tokens; a longer answer than those
    traced goes on with `step`. `step` is None where no decode step was traced.
    """

    prompt_tokens: int
    audio_tokens: int
    kernels: tuple[Kernel, ...]
    events: tuple[Event, ...]
    tokens_at: tuple[int, ...]
    step: DecodeStep | None
