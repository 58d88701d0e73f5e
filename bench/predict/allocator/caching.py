"""A model of torch's CUDA caching allocator: the memory that it requests from the driver for each tensor.

Rules and names of constants are those of `CUDACachingAllocator.cpp` and `c10/core/AllocatorConfig.h`, with
default settings, one stream and no CUDA graphs:

- sizes are rounded up to 512 bytes; up to 1 MiB they come from the small pool, else from the large one;
- the smallest free block that is large enough is taken, of equals the one at the lowest address;
- the rest of a block is split off: in the small pool always, in the large one if it is over 1 MiB;
- without such a block a segment is requested from the driver: 2 MiB in the small pool; in the large one
  20 MiB for requests under 10 MiB, and for longer ones their size rounded up to 2 MiB;
- a freed block merges with free neighbours of its segment;
- segments stay until `empty_cache` returns those without a live block. Torch does the same before it reports
  that memory has run out, so a card with less than this peak may still be enough.

With expandable segments each pool is one range of addresses that grows at its end by pages of 2 MiB (small)
or 20 MiB (large); the rest of a block is always split off; and a block at the end of the range, which could
still grow, is taken only where no other is large enough.

Not modelled: the driver's addresses, which decide between free blocks of equal size (here they only rise,
unless the caller places the segments), and torch's behaviour once memory has run out.
"""

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

RULES_OF: Final = "torch 2.13.0"
"""The modelled version: constants from its headers, the rest from earlier C++ sources, where the rules had
not changed since expandable segments came with 2.1."""

MIN_BLOCK: Final = 512
"""`kMinBlockSize`"""
SMALL_SIZE: Final = 2**20
"""`kSmallSize`: the largest request of the small pool."""
SMALL_BUFFER: Final = 2 * 2**20
"""`kSmallBuffer`"""
LARGE_BUFFER: Final = 20 * 2**20
"""`large_segment_size`, in earlier versions `kLargeBuffer`."""
MIN_LARGE_ALLOC: Final = 10 * 2**20
"""`kMinLargeAlloc`: requests from here on get a segment of their own size."""
ROUND_LARGE: Final = 2 * 2**20
"""`kRoundLarge`"""

Place = Callable[[int], int]
"""Returns the address of a new segment of so many bytes."""

_ADDRESS_BITS: Final = 48
_ADDRESS: Final = 2**_ADDRESS_BITS - 1


@dataclass(frozen=True, slots=True)
class AllocatorSettings:
    """Settings of the allocator, as in `PYTORCH_ALLOC_CONF`."""

    expandable_segments: bool = False


DEFAULT: Final = AllocatorSettings()
"""torch's defaults."""


def rounded(size_bytes: int) -> int:
    """Round a request up to whole 512 bytes (`round_size`)."""
    return -(-size_bytes // MIN_BLOCK) * MIN_BLOCK


def segment_size(size_bytes: int) -> int:
    """Bytes requested from the driver for a rounded size without a free block (`get_allocation_size`)."""
    if size_bytes <= SMALL_SIZE:
        return SMALL_BUFFER
    if size_bytes < MIN_LARGE_ALLOC:
        return LARGE_BUFFER
    return -(-size_bytes // ROUND_LARGE) * ROUND_LARGE


@dataclass(frozen=True, slots=True)
class Segment:
    """A range of memory from the driver and its blocks in order: size, and name, or None where it is free."""

    address: int
    is_small: bool
    blocks: tuple[tuple[int, int | None], ...]

    @property
    def size_bytes(self) -> int:
        """Bytes of all blocks."""
        return sum(size for size, _ in self.blocks)


class _Block:
    """A part of a segment. `before` and `after` are its neighbours in the same segment."""

    __slots__ = ("address", "after", "before", "is_free", "pool", "size")

    def __init__(self, pool: "_Pool", address: int, size: int) -> None:
        self.pool = pool
        self.address = address
        self.size = size
        self.is_free = False
        self.before: _Block | None = None
        self.after: _Block | None = None


class _Pool:
    """Small or large blocks: all `blocks` by address, and the `free` ones in order of size, then address.

    The order is kept as single numbers, which compare faster than pairs. `place` returns the address of a new
    segment; without it each comes behind those before.
    """

    __slots__ = ("blocks", "end", "expandable", "free", "last", "least_rest", "page", "place")

    def __init__(self, *, is_small: bool, expandable: bool, place: Place | None) -> None:
        self.page = SMALL_BUFFER if is_small else LARGE_BUFFER
        self.least_rest = MIN_BLOCK if is_small or expandable else SMALL_SIZE + 1
        self.expandable = expandable
        self.place = place
        self.free: list[int] = []
        self.blocks: dict[int, _Block] = {}
        self.last: _Block | None = None
        self.end = 0

    def take(self, size: int) -> _Block | None:
        """Take the first bytes of the best free block; None if none is large enough."""
        free = self.free
        index = bisect_left(free, size << _ADDRESS_BITS)
        if index == len(free):
            return None
        block = self.blocks[free[index] & _ADDRESS]
        if self.expandable and block is self.last and index + 1 < len(free):
            index += 1
            block = self.blocks[free[index] & _ADDRESS]
        del free[index]
        block.is_free = False
        if block.size - size >= self.least_rest:
            self.split(block, size)
        return block

    def grow(self, size: int) -> tuple[_Block, int]:
        """Return a block of this size, or a little more, from new memory, and the bytes of new memory."""
        block, more = self._extend(size) if self.expandable else self._add_segment(segment_size(size))
        if block.size - size >= self.least_rest:
            self.split(block, size)
        return block, more

    def _add_segment(self, size: int) -> tuple[_Block, int]:
        return self.add(self.end if self.place is None else self.place(size), size), size

    def _extend(self, size: int) -> tuple[_Block, int]:
        last = self.last
        if last is None or not last.is_free:
            more = -(-size // self.page) * self.page
            block = self.add(self.end, more)
            block.before = last
            if last is not None:
                last.after = block
            return block, more
        more = -(-(size - last.size) // self.page) * self.page
        self._drop(last)
        last.is_free = False
        last.size += more
        self.end += more
        return last, more

    def add(self, address: int, size: int) -> _Block:
        """Add a live block without neighbours."""
        block = _Block(self, address, size)
        self.end = max(self.end, address + size)
        self.blocks[address] = block
        self.last = block
        return block

    def split(self, block: _Block, size: int) -> None:
        """Keep the first `size` bytes of a live block, and free the rest."""
        rest = _Block(self, block.address + size, block.size - size)
        after = block.after
        rest.before, rest.after = block, after
        if after is not None:
            after.before = rest
        block.after = rest
        block.size = size
        if block is self.last:
            self.last = rest
        self.blocks[rest.address] = rest
        rest.is_free = True
        insort(self.free, rest.size << _ADDRESS_BITS | rest.address)

    def give(self, block: _Block) -> None:
        """Free the block, merged with its free neighbours."""
        after, before = block.after, block.before
        if after is not None and after.is_free:
            self._drop(after)
            self._absorb(block, after)
        if before is not None and before.is_free:
            self._drop(before)
            self._absorb(before, block)
            block = before
        block.is_free = True
        insort(self.free, block.size << _ADDRESS_BITS | block.address)

    def give_back(self) -> int:
        """Return the segments without a live block to the driver, and their bytes."""
        whole = [
            block
            for block in self.blocks.values()
            if block.is_free and block.before is None and block.after is None
        ]
        for block in whole:
            self._drop(block)
            del self.blocks[block.address]
        return sum(block.size for block in whole)

    def chains(self) -> list[list[_Block]]:
        """Blocks of each segment in order, segments by address."""
        found = []
        for address in sorted(self.blocks):
            block: _Block | None = self.blocks[address]
            if block is None or block.before is not None:
                continue
            chain = []
            while block is not None:
                chain.append(block)
                block = block.after
            found.append(chain)
        return found

    def _drop(self, block: _Block) -> None:
        del self.free[bisect_left(self.free, block.size << _ADDRESS_BITS | block.address)]

    def _absorb(self, first: _Block, second: _Block) -> None:
        del self.blocks[second.address]
        first.size += second.size
        first.after = second.after
        if second.after is not None:
            second.after.before = first
        if second is self.last:
            self.last = first


class CachingAllocator:
    """The allocator of one device. All attributes are bytes.

    `place` returns the address of a new segment from its size, in place of the driver.

    Attributes:
        allocated: in live blocks, as torch counts them (`torch.cuda.memory_allocated`): rounded sizes, and
            the rest of a large block where it was too small to be split off.
        reserved: taken from the driver (`torch.cuda.memory_reserved`). Only `empty_cache` lowers it.
    """

    def __init__(self, settings: AllocatorSettings = DEFAULT, place: Place | None = None) -> None:
        expandable = settings.expandable_segments
        self._small = _Pool(is_small=True, expandable=expandable, place=place)
        self._large = _Pool(is_small=False, expandable=expandable, place=place)
        self._live: dict[int, _Block] = {}
        self.allocated = 0
        self.reserved = 0

    @classmethod
    def of(cls, segments: Iterable[Segment], place: Place | None = None) -> "CachingAllocator":
        """Return an allocator with default settings that holds these segments."""
        made = cls(place=place)
        for segment in segments:
            pool = made._small if segment.is_small else made._large
            address, before = segment.address, None
            for size, name in segment.blocks:
                block = pool.add(address, size)
                block.before, before = before, block
                if block.before is not None:
                    block.before.after = block
                address += size
                if name is None:
                    block.is_free = True
                    insort(pool.free, size << _ADDRESS_BITS | block.address)
                else:
                    made._live[name] = block
                    made.allocated += size
                made.reserved += size
        return made

    def segments(self) -> tuple[Segment, ...]:
        """Return all segments, those of the small pool first, each pool's by address."""
        names = {id(block): name for name, block in self._live.items()}
        return tuple(
            Segment(
                chain[0].address,
                pool is self._small,
                tuple((block.size, names.get(id(block))) for block in chain),
            )
            for pool in (self._small, self._large)
            for chain in pool.chains()
        )

    @property
    def live(self) -> tuple[int, ...]:
        """Names of the live blocks."""
        return tuple(self._live)

    def allocate(self, block: int, size_bytes: int) -> int:
        """Allocate a tensor and return its address. `block` is the caller's name for it.

        Raises:
            ValueError: a block of this name is live, or the size is not positive.
        """
        if block in self._live or size_bytes < 1:
            raise ValueError(f"block {block} of {size_bytes} bytes cannot be allocated")
        size = -(-size_bytes // MIN_BLOCK) * MIN_BLOCK
        pool = self._small if size <= SMALL_SIZE else self._large
        found = pool.take(size)
        if found is None:
            found, more = pool.grow(size)
            self.reserved += more
        self._live[block] = found
        self.allocated += found.size
        return found.address

    def release(self, block: int) -> None:
        """Release a tensor.

        Raises:
            KeyError: no block of this name is live.
        """
        found = self._live.pop(block)
        self.allocated -= found.size
        found.pool.give(found)

    def empty_cache(self) -> None:
        """Return every segment without a live block to the driver (`torch.cuda.empty_cache`).

        Raises:
            ValueError: segments are expandable: torch returns pages of those.
        """
        if self._small.expandable:
            raise ValueError("pages of expandable segments are not returned by this model")
        self.reserved -= self._small.give_back() + self._large.give_back()
