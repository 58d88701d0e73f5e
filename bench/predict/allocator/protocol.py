"""The peaks of a cell on a card: its whole protocol, replayed through the modelled allocator. Pure.

A cell is the first of its worker: load, cold call, `empty_cache`, warm-up, repeats.

- Loading first allocates one block for all weights and releases it (`weights_block`); the weights then come
  one by one, then the buffers. Weights that move to the host leave, and the cache is emptied.
- The cold call matters for one block: the workspace of cuBLAS, which is allocated after the outputs of the
  first product and stays. It keeps its segment, often one of the encoder's, when the cache is emptied.
  Everything else of the cold call goes back to the driver, so that the rest of it is not replayed.
- A run reports the peaks of loading and of the repeats. A generation that needs no new segment leaves the
  allocator as it was: the repeats after it are like it, and are not replayed.
- Answers that are longer than the warm-up begin alike, so that their begin is replayed once. Cards and
  workspaces that leave one of the two pools as it is share its replay.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from bench.predict.allocator.caching import CachingAllocator, Peak, Pool
from bench.predict.allocator.replay import (
    TRANSIENT,
    BlockPeak,
    Generation,
    TraceEvents,
    block_peak,
    replay,
)
from bench.predict.trace import Kernel, ModelMemory, Trace
from bench.records.enums import Phase

_BUFFERS: Final = -2
_CUBLAS: Final = -3
_WEIGHTS: Final = -4
"""Names of the weights, from here downwards."""


Workspace = Callable[[Kernel], int]
"""Returns the bytes that a kernel takes in addition to its tensors while it runs."""


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


class _Answer(NamedTuple):
    """Bytes that one pool reserves at the end, and the peaks of the repeats."""

    reserved_bytes: int
    peaks: Mapping[Phase, Peak]


@dataclass(slots=True)
class _PoolReplay:
    """The warm-up and the repeats in one pool, from its state after the cold call."""

    cold: Pool
    generation: Generation
    measuring: Measuring
    _begun: dict[int, tuple[int, Pool, Mapping[Phase, Peak]]] = field(default_factory=dict)
    _answers: dict[int, _Answer] = field(default_factory=dict)

    def answer(self, tokens: int) -> _Answer:
        """Return the end of the repeats of such an answer."""
        if tokens not in self._answers:
            self._answers[tokens] = self._repeated(tokens)
        return self._answers[tokens]

    def _repeated(self, tokens: int) -> _Answer:
        rest, peaks = self.generation.rest(tokens), dict[Phase, Peak]()
        before, pool, found = self._first(min(tokens, self.measuring.warmup_tokens))
        pool = pool.copy()
        for repeat in range(self.measuring.repeats):
            if repeat:
                before, found = pool.reserved, replay(pool, self.generation.begin, {})
            for phase, peak in replay(pool, rest, found).items():
                peaks[phase] = max(peaks.get(phase, peak), peak, key=lambda each: each.live_bytes)
            pool.release_from(0)
            if pool.reserved == before:
                break
        return _Answer(pool.reserved, peaks)

    def _first(self, warmup_tokens: int) -> tuple[int, Pool, Mapping[Phase, Peak]]:
        """The first repeat up to its first token: reserved bytes before it, the pool, the peaks."""
        if warmup_tokens not in self._begun:
            pool = self.cold.copy()
            replay(pool, (*self.generation.begin, *self.generation.rest(warmup_tokens)), {})
            pool.release_from(0)
            before = pool.reserved
            self._begun[warmup_tokens] = before, pool, replay(pool, self.generation.begin, {})
        return self._begun[warmup_tokens]


class CellReplay:
    """The cells of one clip, each replayed as if it were alone, on any cards.

    What answers and cards have in common is replayed once.
    """

    def __init__(self, memory: ModelMemory, trace: Trace, measuring: Measuring = AS_SHIPPED) -> None:
        self._memory = memory
        self._events = TraceEvents(trace)
        self._measuring = measuring
        self._generations: dict[Workspace, Generation] = {}
        self._cards: dict[tuple[Workspace, int, int], _OnCard] = {}
        self._pools: dict[object, _PoolReplay] = {}

    def cell(self, tokens: int, workspace: Workspace, *, block_bytes: int, kept_bytes: int) -> CellMemory:
        """Return the peaks of a cell with an answer of so many tokens.

        `block_bytes` is the block that loading allocates and releases, `kept_bytes` the workspace of cuBLAS;
        `workspace` returns what a kernel takes while it runs.

        Raises:
            ValueError: less than one token; or more than were traced, of a trace without a decode step.
        """
        key = workspace, block_bytes, kept_bytes
        if key not in self._cards:
            self._cards[key] = self._on_card(*key)
        card = self._cards[key]
        small, large = card.small.answer(tokens), card.large.answer(tokens)
        staying = card.small.cold.allocated
        return CellMemory(
            max(card.loading_reserved, small.reserved_bytes + large.reserved_bytes),
            card.loading_bytes,
            {
                phase: block_peak(peak._replace(live_bytes=peak.live_bytes + staying))
                for phase, peak in large.peaks.items()
            },
        )

    def _on_card(self, workspace: Workspace, block_bytes: int, kept_bytes: int) -> "_OnCard":
        """Replay what comes before the warm-up."""
        if workspace not in self._generations:
            self._generations[workspace] = Generation(self._events, workspace)
        generation, allocator = self._generations[workspace], CachingAllocator()
        loading = _load(allocator, self._memory, block_bytes)
        for pool in (allocator.small, allocator.large):
            replay(pool, generation.until_product(), {})
        if kept_bytes:
            allocator.allocate(_CUBLAS, kept_bytes)
        for pool in (allocator.small, allocator.large):
            pool.release_from(0)
        allocator.empty_cache()
        return _OnCard(
            *loading, self._shared(allocator.small, generation), self._shared(allocator.large, generation)
        )

    def _shared(self, cold: Pool, generation: Generation) -> _PoolReplay:
        key = cold.is_small, cold.state(), generation.key(is_small=cold.is_small)
        return self._pools.setdefault(key, _PoolReplay(cold, generation, self._measuring))


class _OnCard(NamedTuple):
    """Peaks of loading, and the replays of both pools after it."""

    loading_bytes: int
    loading_reserved: int
    small: _PoolReplay
    large: _PoolReplay


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
