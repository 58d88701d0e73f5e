"""A model of torch's CUDA caching allocator: the memory that it requests from the driver for each tensor.

Rules and names of constants are those of `CUDACachingAllocator.cpp` and `c10/core/AllocatorConfig.h`, with
default settings, one stream and no CUDA graphs:

- sizes are rounded up to 512 bytes; up to 1 MiB they come from the small pool, else from the large one;
- the smallest free block that is large enough is taken, of equals the one at the lowest address;
- the rest of a block is split off: in the small pool always, in the large one if it is over 1 MiB;
- without such a block a segment is requested from the driver: 2 MiB in the small pool; in the large one
  20 MiB for requests under 10 MiB, and for longer ones their size rounded up to 2 MiB;
- a freed block merges with free neighbours of its segment;
- segments stay. Torch gives back those without a live block only when the driver has no more memory, so a
  card with less than this peak may still be enough.

With expandable segments each pool is one range of addresses that grows at its end by pages of 2 MiB (small)
or 20 MiB (large); the rest of a block is always split off; and a block at the end of the range, which could
still grow, is taken only where no other is large enough.

Not modelled: the driver's addresses (here they only rise), which decide between free blocks of equal size,
and torch's behaviour once memory has run out.
"""

from bisect import bisect_left, insort
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

    The order is kept as single numbers, which compare faster than pairs.
    """

    __slots__ = ("blocks", "end", "expandable", "free", "last", "least_rest", "page")

    def __init__(self, *, is_small: bool, expandable: bool) -> None:
        self.page = SMALL_BUFFER if is_small else LARGE_BUFFER
        self.least_rest = MIN_BLOCK if is_small or expandable else SMALL_SIZE + 1
        self.expandable = expandable
        self.free: list[int] = []
        self.blocks: dict[int, _Block] = {}
        self.last: _Block | None = None
        self.end = 0

    def take(self, size: int) -> _Block | None:
        """Take the best free block; None if none is large enough."""
        free = self.free
        index = bisect_left(free, size << _ADDRESS_BITS)
        if index == len(free):
            return None
        block = self.blocks[free[index] & _ADDRESS]
        if block is self.last and self.expandable and index + 1 < len(free):
            index += 1
            block = self.blocks[free[index] & _ADDRESS]
        del free[index]
        block.is_free = False
        return block

    def grow(self, size: int) -> tuple[_Block, int]:
        """Return a block of at least this size from new memory, and the bytes of new memory."""
        last = self.last
        if not self.expandable:
            more = segment_size(size)
            return self._add(more), more
        if last is None or not last.is_free:
            more = -(-size // self.page) * self.page
            block = self._add(more)
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

    def _add(self, size: int) -> _Block:
        block = _Block(self, self.end, size)
        self.end += size
        self.blocks[block.address] = block
        self.last = block
        return block

    def split(self, block: _Block, size: int) -> None:
        """Keep the first `size` bytes of the block, and free the rest if it is large enough for a block."""
        left = block.size - size
        if left < self.least_rest:
            return
        rest = _Block(self, block.address + size, left)
        rest.before, rest.after = block, block.after
        if block.after is not None:
            block.after.before = rest
        block.after = rest
        block.size = size
        if block is self.last:
            self.last = rest
        self.blocks[rest.address] = rest
        self._free(rest)

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
        self._free(block)

    def _free(self, block: _Block) -> None:
        block.is_free = True
        insort(self.free, block.size << _ADDRESS_BITS | block.address)

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

    Attributes:
        allocated: in live blocks, rounded as torch rounds them (`torch.cuda.memory_allocated`).
        reserved: taken from the driver (`torch.cuda.memory_reserved`); it never falls here.
    """

    def __init__(self, settings: AllocatorSettings = DEFAULT) -> None:
        self._small = _Pool(is_small=True, expandable=settings.expandable_segments)
        self._large = _Pool(is_small=False, expandable=settings.expandable_segments)
        self._live: dict[int, _Block] = {}
        self.allocated = 0
        self.reserved = 0

    @property
    def reserved_peak(self) -> int:
        """Most bytes taken from the driver so far."""
        return self.reserved

    def allocate(self, block: int, size_bytes: int) -> None:
        """Allocate a tensor. `block` is the caller's name for it; `size_bytes` is at least 1.

        Raises:
            ValueError: a block of this name is live, or the size is not positive.
        """
        if block in self._live or size_bytes < 1:
            raise ValueError(f"block {block} of {size_bytes} bytes cannot be allocated")
        size = rounded(size_bytes)
        pool = self._small if size <= SMALL_SIZE else self._large
        found = pool.take(size) or self._grow(pool, size)
        pool.split(found, size)
        self._live[block] = found
        self.allocated += found.size

    def release(self, block: int) -> None:
        """Release a tensor.

        Raises:
            KeyError: no block of this name is live.
        """
        found = self._live.pop(block)
        self.allocated -= found.size
        found.pool.give(found)

    def _grow(self, pool: _Pool, size: int) -> _Block:
        block, more = pool.grow(size)
        self.reserved += more
        return block
