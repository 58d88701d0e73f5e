"""What a recorder notes, before repeated layers are put back. Pure: no torch."""

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from bench.predict.events import Kernel


class Mark(Enum):
    """What a module begins, beside itself."""

    START = "a layer of a stack"
    END = "what follows the stack"


class Pass(NamedTuple):
    """One run through one layer: the stack's name, the layer's number, and how many runs went before."""

    stack: str
    layer: int
    nth: int


class Raw(NamedTuple):
    """An allocation or, with 0 bytes, a release, and the layer in which it happened; None outside."""

    kernel: int
    block: int
    size_bytes: int
    where: Pass | None


@dataclass(frozen=True, slots=True)
class Recording:
    """One generation. `tokens[n - 1]` is how many events there were when the n-th token was there."""

    kernels: tuple[Kernel, ...]
    events: tuple[Raw, ...]
    tokens: tuple[int, ...]
