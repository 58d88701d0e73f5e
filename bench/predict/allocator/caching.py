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
from typing import Final, NamedTuple

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

Change = tuple[int, int, int, int]
"""What happens to a block of a pool: its name; its bytes, whole 512, or 0 where it is released; a level; a
place. Until the next change of the pool, at most `level` bytes are live outside it, at `place`."""
NEVER: Final = -(2**62)
"""Level of a change after which no peak is looked for."""

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


class Peak(NamedTuple):
    """The most live bytes, in a pool and outside, and their place."""

    live_bytes: int
    place: int


NO_PEAK: Final = Peak(NEVER, -1)


class Pool:
    """Small or large blocks. Two pools share nothing, so that each can be replayed alone.

    A block is one number, its size above its address: so free blocks are in order of size, then address.
    `place` returns the address of a new segment; without it each comes behind those before.

    Attributes:
        live: live blocks by name.
        allocated: bytes of live blocks.
        reserved: bytes of all segments.
    """

    __slots__ = (
        "_end",
        "_ends",
        "_expandable",
        "_free",
        "_place",
        "_segments",
        "_sizes",
        "allocated",
        "is_small",
        "live",
        "reserved",
    )

    def __init__(self, *, is_small: bool, expandable: bool = False, place: Place | None = None) -> None:
        self.is_small = is_small
        self.live: dict[int, int] = {}
        self.allocated = self.reserved = 0
        self._expandable = expandable
        self._place = place
        self._free: list[int] = []
        self._sizes: dict[int, int] = {}  # of free blocks, by address
        self._ends: dict[int, int] = {}  # addresses of free blocks, by the address behind each
        self._segments: dict[int, int] = {}  # sizes by address; blocks of two segments never merge
        self._end = 0

    def copy(self) -> "Pool":
        """Return a pool in the same state."""
        made = Pool(is_small=self.is_small, expandable=self._expandable, place=self._place)
        made.live, made.allocated, made.reserved = self.live.copy(), self.allocated, self.reserved
        made._free, made._sizes, made._ends = self._free.copy(), self._sizes.copy(), self._ends.copy()
        made._segments, made._end = self._segments.copy(), self._end
        return made

    def state(self) -> tuple[object, ...]:
        """Return a value that is equal for pools that answer all later requests alike."""
        return tuple(self.live.items()), tuple(self._segments.items()), self._expandable

    def replay(self, changes: Iterable[Change], peak: Peak = NO_PEAK, *, is_last: bool = False) -> Peak:
        """Make the changes in order; return the highest level after one of them, or `peak` if that is higher.

        Of equal levels the first counts, `peak` before all others, or the last if `is_last`.

        Raises:
            KeyError: a block is released that is not live.
        """
        live, free, sizes, ends, segments = self.live, self._free, self._sizes, self._ends, self._segments
        least_rest = MIN_BLOCK if self.is_small or self._expandable else SMALL_SIZE + 1
        expandable, allocated, (highest, place) = self._expandable, self.allocated, peak
        least = 0 if is_last else 1
        for block, size, level, where in changes:
            if size:
                index = bisect_left(free, size << _ADDRESS_BITS)
                if expandable or index == len(free):
                    found = self._take_or_grow(index, size)
                else:
                    found = free.pop(index)
                address = found & _ADDRESS
                rest = (found >> _ADDRESS_BITS) - size
                del sizes[address]
                if rest >= least_rest:
                    live[block] = size << _ADDRESS_BITS | address
                    allocated += size
                    address += size
                    sizes[address] = rest
                    ends[address + rest] = address
                    insort(free, rest << _ADDRESS_BITS | address)
                else:
                    live[block] = found
                    allocated += size + rest
                    del ends[address + size + rest]
            else:
                found = live.pop(block)
                address = found & _ADDRESS
                end = address + (found >> _ADDRESS_BITS)
                allocated -= end - address
                if end in sizes and end not in segments:
                    more = sizes.pop(end)
                    del free[bisect_left(free, more << _ADDRESS_BITS | end)]
                    end += more
                if address in ends and address not in segments:
                    first = ends.pop(address)
                    del free[bisect_left(free, (address - first) << _ADDRESS_BITS | first)]
                    address = first
                sizes[address] = end - address
                ends[end] = address
                insort(free, (end - address) << _ADDRESS_BITS | address)
            if allocated + level - highest >= least:
                highest, place = allocated + level, where
        self.allocated = allocated
        return Peak(highest, place)

    def _take_or_grow(self, index: int, size: int) -> int:
        """Remove a free block that is large enough; `index` is that of the smallest one."""
        if index < len(self._free):
            found = self._free[index]
            is_at_the_end = (found & _ADDRESS) + (found >> _ADDRESS_BITS) == self._end
            return self._free.pop(index + 1 if is_at_the_end and index + 1 < len(self._free) else index)
        if not self._expandable:
            new = segment_size(size)
            return self._grow(self._end if self._place is None else self._place(new), new)
        first = self._ends.get(self._end, self._end)
        there, page = self._end - first, SMALL_BUFFER if self.is_small else LARGE_BUFFER
        if there:
            del self._free[bisect_left(self._free, there << _ADDRESS_BITS | first)], self._ends[self._end]
        return self._grow(first, -(-(size - there) // page) * page, there)

    def _grow(self, address: int, more: int, there: int = 0) -> int:
        """Return a free block of new memory, and of what is free before it; it is not among the free ones."""
        size = there + more
        self.reserved += more
        self._end = max(self._end, address + size)
        if self._expandable:
            self._segments[0] = self._end
        else:
            self._segments[address] = size
        self._sizes[address], self._ends[address + size] = size, address
        return size << _ADDRESS_BITS | address

    def release_from(self, least: int) -> None:
        """Release the blocks whose names are at least this number."""
        self.replay([(block, 0, NEVER, -1) for block in self.live if block >= least])

    def empty(self) -> None:
        """Return the segments without a live block to the driver."""
        for address, size in list(self._segments.items()):
            if self._sizes.get(address) == size:
                del self._segments[address], self._sizes[address], self._ends[address + size]
                del self._free[bisect_left(self._free, size << _ADDRESS_BITS | address)]
                self.reserved -= size

    def add(self, segment: Segment) -> None:
        """Add a segment with its blocks."""
        self._segments[segment.address] = segment.size_bytes
        self._end = max(self._end, segment.address + segment.size_bytes)
        self.reserved += segment.size_bytes
        address = segment.address
        for size, name in segment.blocks:
            key = size << _ADDRESS_BITS | address
            if name is None:
                self._sizes[address], self._ends[address + size] = size, address
                insort(self._free, key)
            else:
                self.live[name] = key
                self.allocated += size
            address += size

    def segments(self) -> list[Segment]:
        """Return the segments with their blocks, by address."""
        blocks = {key & _ADDRESS: (key >> _ADDRESS_BITS, name) for name, key in self.live.items()}
        whole = {address: (size, None) for address, size in self._sizes.items()} | blocks
        found = []
        for first, length in sorted(self._segments.items()):
            address, chain = first, []
            while address < first + length:
                chain.append(whole[address])
                address += whole[address][0]
            found.append(Segment(first, self.is_small, tuple(chain)))
        return found


class CachingAllocator:
    """The allocator of one device: two pools. `place` returns the address of a new segment from its size."""

    def __init__(self, settings: AllocatorSettings = DEFAULT, place: Place | None = None) -> None:
        self._expandable = settings.expandable_segments
        self.small = Pool(is_small=True, expandable=self._expandable, place=place)
        self.large = Pool(is_small=False, expandable=self._expandable, place=place)

    @classmethod
    def of(cls, segments: Iterable[Segment], place: Place | None = None) -> "CachingAllocator":
        """Return an allocator with default settings that holds these segments."""
        made = cls(place=place)
        for segment in segments:
            (made.small if segment.is_small else made.large).add(segment)
        return made

    def segments(self) -> tuple[Segment, ...]:
        """Return all segments, those of the small pool first, each pool's by address."""
        return (*self.small.segments(), *self.large.segments())

    @property
    def allocated(self) -> int:
        """Bytes in live blocks as torch counts them (`torch.cuda.memory_allocated`).

        Sizes are rounded, and the rest of a large block counts where it was too small to be split off.
        """
        return self.small.allocated + self.large.allocated

    @property
    def reserved(self) -> int:
        """Bytes from the driver (`torch.cuda.memory_reserved`). Only `empty_cache` lowers it."""
        return self.small.reserved + self.large.reserved

    def allocate(self, block: int, size_bytes: int) -> int:
        """Allocate a tensor and return its address. `block` is the caller's name for it.

        Raises:
            ValueError: a block of this name is live, or the size is not positive.
        """
        if block in self.small.live or block in self.large.live or size_bytes < 1:
            raise ValueError(f"block {block} of {size_bytes} bytes cannot be allocated")
        size = rounded(size_bytes)
        pool = self.small if size <= SMALL_SIZE else self.large
        pool.replay(((block, size, NEVER, -1),))
        return pool.live[block] & _ADDRESS

    def release(self, block: int) -> None:
        """Release a tensor.

        Raises:
            KeyError: no block of this name is live.
        """
        pool = self.small if block in self.small.live else self.large
        pool.replay(((block, 0, NEVER, -1),))

    def empty_cache(self) -> None:
        """Return every segment without a live block to the driver (`torch.cuda.empty_cache`).

        Raises:
            ValueError: segments are expandable: torch returns pages of those.
        """
        if self._expandable:
            raise ValueError("pages of expandable segments are not returned by this model")
        self.small.empty()
        self.large.empty()
