"""What a generation takes from an allocator, in order: the vocabulary of tracer, peaks and allocator model.

Sizes are those of the tensors, in bytes, not yet rounded by any allocator. The weights are no events: they
are there before the first.
"""

from dataclasses import dataclass
from typing import NamedTuple

from bench.records.enums import Phase


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
    """One operator at work. `scope` is the module that called it: `language_model.layers.3.mlp.act_fn`."""

    name: str
    scope: str
    phase: Phase
    call: Call | None = None

    def __str__(self) -> str:
        return f"{self.scope}: {self.name}" if self.scope else self.name


class Event(NamedTuple):
    """An allocation of `size_bytes`, or with 0 the release of the block.

    `kernel` is an index into `Trace.kernels`: who allocated, or who ran last before the release. `is_cache`:
    keys or values that stay.
    """

    kernel: int
    block: int
    size_bytes: int
    is_cache: bool = False


class StepEvent(NamedTuple):
    """The same in any decode step: sizes grow by `growth_bytes` with each step.

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
