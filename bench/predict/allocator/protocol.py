"""The peaks of a cell on a card: its whole protocol, replayed through the modelled allocator. Pure.

A cell is the first of its worker: load, cold call, `empty_cache`, warm-up, repeats.

- Loading first allocates one block for all weights and releases it (`weights_block`); the weights then come
  one by one, then the buffers. Weights that move to the host leave, and the cache is emptied.
- The cold call matters for one block: the workspace of cuBLAS, which is allocated after the outputs of the
  first product and stays. It keeps its segment, often one of the encoder's, when the cache is emptied.
  Everything else of the cold call goes back to the driver, so that the rest of it is not replayed.
- A run reports the peaks of loading and of the repeats. A generation that needs no new segment leaves the
  allocator as it was: the repeats after it are like it, and are not replayed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from bench.predict.allocator.caching import CachingAllocator, Segment
from bench.predict.allocator.replay import TRANSIENT, BlockPeak, Generation
from bench.predict.trace import Kernel, ModelMemory, Trace
from bench.records.enums import Phase

_BUFFERS: Final = -2
_CUBLAS: Final = -3
_WEIGHTS: Final = -4
"""Names of the weights, from here downwards."""


@dataclass(frozen=True, slots=True)
class Measuring:
    """The calls of a cell: tokens of the warm-up's answer, and the number of repeats."""

    warmup_tokens: int = 8
    repeats: int = 3


AS_SHIPPED: Final = Measuring()
"""As the standard suite measures."""


@dataclass(frozen=True, slots=True)
class CellMemory:
    """Peaks of a run in bytes, of loading and the repeats, and the place of each phase's in the repeats."""

    reserved_bytes: int
    loading_bytes: int
    phases: Mapping[Phase, BlockPeak]


class CellReplay:
    """The cells of one clip on one kind of card, each replayed as if it were alone.

    `block_bytes` is the block that loading allocates and releases, `kept_bytes` the workspace of cuBLAS;
    `workspace` returns what a kernel takes while it runs.
    """

    def __init__(
        self,
        memory: ModelMemory,
        trace: Trace,
        workspace: Callable[[Kernel], int],
        *,
        block_bytes: int,
        kept_bytes: int,
        measuring: Measuring = AS_SHIPPED,
    ) -> None:
        self._generation = Generation(trace, workspace)
        self._measuring = measuring
        self._warm: dict[int, tuple[Segment, ...]] = {}
        self._found: dict[int, CellMemory] = {}
        allocator = CachingAllocator()
        self._loading_bytes, self._loading_reserved = _load(allocator, memory, block_bytes)
        self._generation.until_product(allocator)
        if kept_bytes:
            allocator.allocate(_CUBLAS, kept_bytes)
        self._generation.release(allocator)
        allocator.empty_cache()
        self._cold = allocator.segments()

    def cell(self, tokens: int) -> CellMemory:
        """Return the peaks of a cell.

        Raises:
            ValueError: less than one token; or more than were traced, of a trace without a decode step.
        """
        if tokens not in self._found:
            self._found[tokens] = self._replayed(tokens)
        return self._found[tokens]

    def _replayed(self, tokens: int) -> CellMemory:
        allocator = CachingAllocator.of(self._warmed(min(tokens, self._measuring.warmup_tokens)))
        phases: dict[Phase, BlockPeak] = {}
        for _ in range(self._measuring.repeats):
            before = allocator.reserved
            for phase, peak in self._generation.run(allocator, tokens).items():
                phases[phase] = max(phases.get(phase, peak), peak, key=lambda each: each.allocated_bytes)
            if allocator.reserved == before:
                break
        return CellMemory(max(self._loading_reserved, allocator.reserved), self._loading_bytes, phases)

    def _warmed(self, tokens: int) -> tuple[Segment, ...]:
        if tokens not in self._warm:
            allocator = CachingAllocator.of(self._cold)
            self._generation.run(allocator, tokens)
            self._warm[tokens] = allocator.segments()
        return self._warm[tokens]


def _load(allocator: CachingAllocator, memory: ModelMemory, block_bytes: int) -> tuple[int, int]:
    """Load the weights; return the most bytes allocated and reserved on the way."""
    highest = 0
    if block_bytes:
        allocator.allocate(TRANSIENT, block_bytes)
        highest = allocator.allocated
        allocator.release(TRANSIENT)
    for place, size_bytes in enumerate(memory.tensors):
        allocator.allocate(_WEIGHTS - place, size_bytes)
    if memory.buffers_bytes:
        allocator.allocate(_BUFFERS, memory.buffers_bytes)
    peaks = max(highest, allocator.allocated), allocator.reserved
    for place in memory.leaving:
        allocator.release(_WEIGHTS - place)
    if memory.leaving:
        allocator.empty_cache()
    return peaks
