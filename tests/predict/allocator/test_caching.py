"""The settings of the CUDA caching allocator one by one, and what holds for any stream of events."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.predict.allocator.caching import (
    DEFAULT,
    LARGE_BUFFER,
    MIN_BLOCK,
    SMALL_BUFFER,
    SMALL_SIZE,
    AllocatorSettings,
    CachingAllocator,
    segment_size,
)
from bench.units import MIB

EXPANDABLE = AllocatorSettings(expandable_segments=True)
BOTH = pytest.mark.parametrize("settings", [DEFAULT, EXPANDABLE])


def holding(*sizes: int, settings: AllocatorSettings = DEFAULT) -> CachingAllocator:
    """An allocator with live blocks 0, 1, ... of these sizes."""
    allocator = CachingAllocator(settings)
    for block, size in enumerate(sizes):
        allocator.allocate(block, size)
    return allocator


def places(allocator: CachingAllocator) -> dict[int, tuple[int, int, int]]:
    """Where each live block is: pool (0 small, 1 large), address, size."""
    found, pools = {}, {True: 0, False: 1}
    for segment in allocator.segments():
        address = segment.address
        for size, name in segment.blocks:
            if name is not None:
                found[name] = pools[segment.is_small], address, size
            address += size
    return found


# --- rounding and pools -----------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize(
    ("asked", "given_bytes"), [(1, 512), (512, 512), (513, 1024), (1_000_000, 1_000_448)]
)
def test_a_tensor_takes_whole_512_bytes(asked: int, given_bytes: int, settings: AllocatorSettings) -> None:
    assert holding(asked, settings=settings).allocated == given_bytes


@pytest.mark.parametrize(
    ("asked", "reserved"),
    [
        (1, 2 * MIB),
        (MIB, 2 * MIB),
        (MIB + 1, 20 * MIB),
        (10 * MIB - 512, 20 * MIB),
        (10 * MIB - 1, 10 * MIB),  # rounded up to 10 MiB before it is looked at
        (10 * MIB, 10 * MIB),
        (10 * MIB + 1, 12 * MIB),
        (151_936 * 2560 * 2, 742 * MIB),
    ],
)
def test_what_the_first_tensor_takes_of_the_card(asked: int, reserved: int) -> None:
    assert holding(asked).reserved == reserved


@pytest.mark.parametrize(
    ("asked", "reserved"),
    [(1, 2 * MIB), (MIB + 1, 20 * MIB), (20 * MIB + 1, 40 * MIB), (741 * MIB, 760 * MIB)],
)
def test_expandable_segments_take_whole_pages(asked: int, reserved: int) -> None:
    assert holding(asked, settings=EXPANDABLE).reserved == reserved


@BOTH
def test_small_and_large_tensors_never_share_a_segment(settings: AllocatorSettings) -> None:
    assert holding(2 * MIB, MIB, settings=settings).reserved == 20 * MIB + 2 * MIB


# --- splitting --------------------------------------------------------------------------------------------


def test_what_remains_of_a_small_block_serves_the_next() -> None:
    assert holding(MIB, MIB - 512, 512).reserved == 2 * MIB
    assert holding(MIB, MIB - 512, 513).reserved == 4 * MIB


def test_what_remains_of_a_large_block_serves_if_it_is_more_than_1_mib() -> None:
    kept = holding(11 * MIB)  # a segment of 12 MiB: 1 MiB remains and stays with the block
    assert (kept.allocated, kept.reserved) == (12 * MIB, 12 * MIB)
    split = holding(11 * MIB - 512)
    assert (split.allocated, split.reserved) == (11 * MIB - 512, 12 * MIB)


def test_large_tensors_below_10_mib_share_20_mib() -> None:
    assert holding(9 * MIB, 9 * MIB, 2 * MIB).reserved == 20 * MIB
    assert holding(9 * MIB, 9 * MIB, 2 * MIB, 2 * MIB).reserved == 40 * MIB


def test_expandable_segments_split_off_the_smallest_rest() -> None:
    assert holding(11 * MIB, settings=EXPANDABLE).allocated == 11 * MIB
    assert holding(20 * MIB - 512, settings=EXPANDABLE).allocated == 20 * MIB - 512


# --- best fit ---------------------------------------------------------------------------------------------


def test_the_smallest_block_that_is_large_enough_serves() -> None:
    allocator = holding(40 * MIB, 14 * MIB, 30 * MIB)
    wanted = places(allocator)[1]
    for block in range(3):
        allocator.release(block)
    allocator.allocate(3, 13 * MIB)
    assert places(allocator)[3] == wanted


def test_of_equal_blocks_the_lowest_address_serves() -> None:
    allocator = holding(12 * MIB, 12 * MIB, 12 * MIB)
    lowest = places(allocator)[0]
    for block in (2, 0, 1):
        allocator.release(block)
    allocator.allocate(3, 12 * MIB)
    assert places(allocator)[3] == lowest


def test_a_block_that_could_still_grow_serves_last() -> None:
    """What is free at the end of an expandable segment is as large as the address space behind it."""
    allocator = holding(8 * MIB, 2 * MIB, 4 * MIB, settings=EXPANDABLE)  # 6 MiB are free at the end
    gap = places(allocator)[0]
    allocator.release(0)
    allocator.allocate(3, 5 * MIB)  # the 6 MiB at the end would fit better
    assert places(allocator)[3] == (1, gap[1], 5 * MIB)
    native = holding(8 * MIB, 2 * MIB, 4 * MIB)
    native.release(0)
    native.allocate(3, 5 * MIB)
    assert places(native)[3] == (1, 14 * MIB, 6 * MIB)


# --- release ----------------------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (0, 2, 1), (1, 0, 2)])
def test_freed_neighbours_become_one_block(order: tuple[int, ...], settings: AllocatorSettings) -> None:
    allocator = holding(8 * MIB, 6 * MIB, 4 * MIB, settings=settings)
    for block in order:
        allocator.release(block)
    allocator.allocate(3, 20 * MIB)
    assert (allocator.allocated, allocator.reserved) == (20 * MIB, 20 * MIB)


def test_blocks_of_two_segments_do_not_merge() -> None:
    allocator = holding(10 * MIB, 10 * MIB)
    allocator.release(0)
    allocator.release(1)
    allocator.allocate(2, 20 * MIB)
    assert allocator.reserved == 40 * MIB


def test_an_expandable_segment_has_no_such_borders() -> None:
    allocator = holding(10 * MIB, 10 * MIB, settings=EXPANDABLE)
    allocator.release(0)
    allocator.release(1)
    allocator.allocate(2, 30 * MIB)  # 20 MiB are there: one page more
    assert allocator.reserved == 40 * MIB


@BOTH
def test_segments_stay_when_everything_is_released(settings: AllocatorSettings) -> None:
    allocator = holding(700 * MIB, 600, settings=settings)
    reserved = allocator.reserved
    allocator.release(0)
    allocator.release(1)
    assert (allocator.allocated, allocator.reserved) == (0, reserved)


def test_a_block_that_grows_leaves_segments_behind_that_expandable_ones_reuse() -> None:
    """The reason for the setting: each longer tensor needs a segment of its own."""
    peaks = {}
    for settings in (DEFAULT, EXPANDABLE):
        allocator = CachingAllocator(settings)
        for step in range(20):
            allocator.allocate(step, (100 + 10 * step) * MIB)
            allocator.release(step)
        peaks[settings] = allocator.reserved
    assert peaks == {DEFAULT: sum(range(100, 300, 10)) * MIB, EXPANDABLE: 300 * MIB}


# --- what no trace holds ----------------------------------------------------------------------------------


def test_a_block_is_allocated_once_and_released_once() -> None:
    allocator = holding(512)
    with pytest.raises(ValueError, match="block 0 of 512 bytes"):
        allocator.allocate(0, 512)
    with pytest.raises(ValueError, match="block 1 of 0 bytes"):
        allocator.allocate(1, 0)
    allocator.release(0)
    with pytest.raises(KeyError):
        allocator.release(0)


# --- any stream of events ---------------------------------------------------------------------------------

SIZES = st.one_of(
    st.integers(1, 4 * MIN_BLOCK),
    st.integers(SMALL_SIZE - 2048, SMALL_SIZE + 2048),
    st.integers(1, 3 * LARGE_BUFFER),
    st.sampled_from([SMALL_BUFFER, 10 * MIB, LARGE_BUFFER]),
)
ANY_SETTINGS = st.sampled_from([DEFAULT, EXPANDABLE])


@st.composite
def streams(draw: st.DrawFn) -> list[tuple[int, int]]:
    """(block, size) to allocate, (block, 0) to release; in an order that a program could have."""
    events, live = list[tuple[int, int]](), list[int]()
    for block in range(draw(st.integers(1, 60))):
        for _ in range(draw(st.integers(0, min(2, len(live))))):
            events.append((live.pop(draw(st.integers(0, len(live) - 1))), 0))
        events.append((block, draw(SIZES)))
        live.append(block)
    return events


def replayed(events: list[tuple[int, int]], settings: AllocatorSettings) -> CachingAllocator:
    allocator = CachingAllocator(settings)
    for block, size in events:
        if size:
            allocator.allocate(block, size)
        else:
            allocator.release(block)
    return allocator


def live_sizes(events: list[tuple[int, int]]) -> dict[int, int]:
    sizes: dict[int, int] = {}
    for block, size in events:
        sizes = sizes | {block: size} if size else {name: sizes[name] for name in sizes if name != block}
    return sizes


@given(streams(), ANY_SETTINGS)
def test_live_blocks_are_large_enough_and_never_overlap(
    events: list[tuple[int, int]], settings: AllocatorSettings
) -> None:
    allocator = replayed(events, settings)
    where = places(allocator)
    assert where.keys() == live_sizes(events).keys()
    assert all(where[block][2] >= size for block, size in live_sizes(events).items())
    assert all(address % MIN_BLOCK == 0 for _, address, _ in where.values())
    for (pool, address, size), (next_pool, following, _) in pairwise(sorted(where.values())):
        assert pool < next_pool or address + size <= following


@given(streams(), ANY_SETTINGS)
def test_what_is_live_is_counted_and_is_reserved(
    events: list[tuple[int, int]], settings: AllocatorSettings
) -> None:
    allocator = replayed(events, settings)
    assert allocator.allocated == sum(size for _, _, size in places(allocator).values())
    assert sum(live_sizes(events).values()) <= allocator.allocated <= allocator.reserved
    assert allocator.reserved % (2 * MIB) == 0


@given(streams(), ANY_SETTINGS)
def test_what_is_reserved_never_falls_by_itself(
    events: list[tuple[int, int]], settings: AllocatorSettings
) -> None:
    peaks = [replayed(events[:end], settings).reserved for end in range(len(events) + 1)]
    assert peaks == sorted(peaks)


@given(streams())
def test_an_emptied_cache_has_exactly_the_segments_with_live_blocks(events: list[tuple[int, int]]) -> None:
    allocator = replayed(events, DEFAULT)
    before, live = allocator.segments(), allocator.allocated
    allocator.empty_cache()
    kept = tuple(each for each in before if any(name is not None for _, name in each.blocks))
    assert allocator.segments() == kept
    assert (allocator.reserved, allocator.allocated) == (sum(each.size_bytes for each in kept), live)


@given(streams(), st.integers(0, 60))
def test_an_allocator_goes_on_from_its_segments(events: list[tuple[int, int]], middle: int) -> None:
    """A copy decides as its original does, also after an emptied cache."""
    first, rest = events[:middle], events[middle:]
    original = replayed(first, DEFAULT)
    original.empty_cache()
    copy = CachingAllocator.of(original.segments())
    for allocator in (original, copy):
        for block, size in rest:
            if size:
                allocator.allocate(block, size)
            else:
                allocator.release(block)
    assert (copy.reserved, copy.allocated) == (original.reserved, original.allocated)
    assert [each.blocks for each in copy.segments()] == [each.blocks for each in original.segments()]


def test_pages_of_expandable_segments_are_not_returned() -> None:
    with pytest.raises(ValueError, match="expandable"):
        holding(5, settings=EXPANDABLE).empty_cache()


@given(streams(), ANY_SETTINGS)
def test_released_entirely_each_segment_is_one_free_block(
    events: list[tuple[int, int]], settings: AllocatorSettings
) -> None:
    allocator = replayed(events, settings)
    for block in live_sizes(events):
        allocator.release(block)
    segments = allocator.segments()
    assert all(segment.blocks == ((segment.size_bytes, None),) for segment in segments)
    assert sum(segment.size_bytes for segment in segments) == allocator.reserved
    assert allocator.allocated == 0


@given(streams())
def test_expandable_segments_map_no_page_that_nothing_ever_needed(events: list[tuple[int, int]]) -> None:
    """The last page was mapped for a tensor that reaches into it: one page less would not have held it."""
    allocator = replayed(events, EXPANDABLE)
    assert allocator.large.reserved % LARGE_BUFFER == allocator.small.reserved % SMALL_BUFFER == 0
    assert [segment.size_bytes for segment in allocator.segments()] == [
        pool.reserved for pool in (allocator.small, allocator.large) if pool.reserved
    ]


@given(st.integers(1, 64 * MIB))
def test_a_segment_holds_what_it_was_asked_for(size: int) -> None:
    whole = -(-size // MIN_BLOCK) * MIN_BLOCK
    assert whole <= segment_size(whole) < max(whole + 2 * MIB, LARGE_BUFFER + 1)
