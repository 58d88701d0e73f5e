"""What a cell allocates and reserves, from loading to the last repeat."""

from collections.abc import Callable
from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.arithmetic.shapes import LanguageShapes, Shapes
from bench.predict.allocator import replay
from bench.predict.allocator.caching import DEFAULT, AllocatorSettings, CachingAllocator
from bench.predict.allocator.protocol import AS_SHIPPED, CellMemory, CellReplay, Measuring
from bench.predict.allocator.replay import Generation, TraceEvents
from bench.predict.allocator.replay import replay as replay_stretches
from bench.predict.trace import DecodeStep, Kernel, ModelMemory, StepEvent, Trace
from bench.records.enums import Phase
from bench.units import MIB
from tests.predict.made_traces import Made, generations, levels, unrolled

EXPANDABLE = AllocatorSettings(expandable_segments=True)
SHAPES = Shapes(LanguageShapes(8, 8, 8, 1, 1, 1, 8))
EMPTY = ModelMemory((), 0, SHAPES, 2)


def much(_: Kernel) -> int:
    return 30 * MIB


def model_of(*tensors: int, buffers_bytes: int = 0, leaving: tuple[int, ...] = ()) -> ModelMemory:
    return ModelMemory(tensors, buffers_bytes, SHAPES, 2, leaving)


def no_workspace(_: Kernel) -> int:
    return 0


def cell(
    memory: ModelMemory,
    trace: Trace,
    tokens: int = 1,
    *,
    workspace: Callable[[Kernel], int] = no_workspace,
    kept: int = 0,
    block: int | None = None,
    measuring: Measuring = AS_SHIPPED,
) -> CellMemory:
    block = memory.weights_bytes if block is None else block
    return CellReplay(memory, trace, measuring).cell(tokens, workspace, block_bytes=block, kept_bytes=kept)


def peak(memory: ModelMemory, trace: Trace, tokens: int = 1, **changes: object) -> int:
    return cell(memory, trace, tokens, **changes).reserved_bytes  # type: ignore[arg-type]


def replayed(trace: Trace, tokens: int, settings: AllocatorSettings = DEFAULT) -> CachingAllocator:
    """An allocator after one answer."""
    allocator = CachingAllocator(settings)
    generation = Generation(TraceEvents(trace), no_workspace)
    for pool in (allocator.small, allocator.large):
        replay_stretches(pool, (*generation.begin, *generation.rest(tokens)), {})
        pool.release_from(0)
    return allocator


def one_kernel(*sizes: int) -> Trace:
    made = Made()
    made.run("mm", Phase.ENCODE, *sizes)
    made.token()
    return made.trace()


NOTHING_MUCH = one_kernel(1)  # takes the first small segment
SMALL = 2 * MIB

# --- loading ----------------------------------------------------------------------------------------------


def test_weights_come_to_lie_in_one_segment() -> None:
    """Three times 21 MiB in segments of their own would be 66 MiB."""
    assert peak(model_of(*[21 * MIB] * 3), NOTHING_MUCH) == 64 * MIB + SMALL


def test_small_weights_are_held_beside_that_segment() -> None:
    """It is as large as all weights; norms come from the small pool, and the space for them stays empty."""
    assert peak(model_of(20 * MIB, *[MIB] * 4), NOTHING_MUCH) == 24 * MIB + 2 * SMALL + SMALL


def test_memory_that_loading_releases_is_used_by_the_generation() -> None:
    """The 4 MiB that the norms did not take."""
    assert peak(model_of(20 * MIB, *[MIB] * 4), one_kernel(4 * MIB)) == 24 * MIB + 2 * SMALL


def test_buffers_and_the_workspace_of_cublas_stay() -> None:
    memory = model_of(20 * MIB, buffers_bytes=3 * MIB)
    assert peak(memory, NOTHING_MUCH) == 20 * MIB + 20 * MIB + SMALL
    assert peak(memory, NOTHING_MUCH, kept=32 * MIB) == 20 * MIB + 20 * MIB + 32 * MIB + SMALL


# --- the generation ---------------------------------------------------------------------------------------


def test_workspace_comes_after_the_outputs_of_its_kernel_and_goes_at_once() -> None:
    made = Made()
    made.run("mm", Phase.ENCODE, 12 * MIB, 14 * MIB)
    made.run("mm", Phase.ENCODE, 16 * MIB)
    made.token()
    assert peak(EMPTY, made.trace(), workspace=lambda _: 16 * MIB) == (12 + 14 + 16 + 16) * MIB
    assert peak(EMPTY, made.trace(), workspace=lambda _: 18 * MIB) == (12 + 14 + 18 + 18) * MIB


def test_only_kernels_that_tell_their_shapes_are_asked_for_workspace() -> None:
    trace = one_kernel(12 * MIB)
    silent = replace(trace, kernels=tuple(replace(kernel, call=None) for kernel in trace.kernels))
    assert peak(EMPTY, trace, workspace=lambda _: 20 * MIB) == 32 * MIB
    assert peak(EMPTY, silent, workspace=lambda _: 20 * MIB) == 12 * MIB


@pytest.mark.parametrize("tokens", [0, 2])
def test_an_answer_that_the_trace_does_not_hold_is_refused(tokens: int) -> None:
    with pytest.raises(ValueError, match=f"no answer of {tokens} tokens"):
        peak(EMPTY, NOTHING_MUCH, tokens)


@settings(max_examples=50)
@given(generations(), st.integers(1, 6), st.sampled_from([DEFAULT, EXPANDABLE]))
def test_the_pattern_gives_what_its_steps_written_out_give(
    trace: Trace, tokens: int, settings: AllocatorSettings
) -> None:
    scaled = scale(trace, 300_000)
    allocator = replayed(scaled, tokens, settings)
    assert allocator.reserved == replayed(unrolled(scaled, tokens), tokens, settings).reserved
    assert allocator.allocated == 0


@settings(max_examples=50)
@given(generations(), st.integers(1, 6))
def test_whole_blocks_are_no_less_than_their_tensors(trace: Trace, tokens: int) -> None:
    scaled = scale(trace, 300_000)
    highest = max(cache + other for _, cache, other in levels(_until(unrolled(scaled, tokens), tokens)))
    found = cell(EMPTY, scaled, tokens)
    assert highest <= max(phase.allocated_bytes for phase in found.phases.values()) <= found.reserved_bytes


def _until(trace: Trace, tokens: int) -> Trace:
    return replace(trace, events=trace.events[: trace.tokens_at[tokens - 1]])


def scale(trace: Trace, factor: int) -> Trace:
    """The same with sizes as many times larger: some of both pools."""
    assert trace.step is not None
    steps = (
        event._replace(size_bytes=event.size_bytes * factor, growth_bytes=event.growth_bytes * factor)
        for event in trace.step.events
    )
    events = (event._replace(size_bytes=event.size_bytes * factor) for event in trace.events)
    return replace(trace, events=tuple(events), step=replace(trace.step, events=tuple(steps)))


# --- steps that are left out ------------------------------------------------------------------------------

KEY_BYTES = 2048  # of one token in one layer of the 4B model, values likewise


def growing(*, layers: int, prompt: int = 400) -> Trace:
    """Keys and values that grow by concatenation, each between a few tensors of one token."""
    made = Made()
    cache = made.run("cat", Phase.PREFILL, *[prompt * KEY_BYTES] * (2 * layers), cache=True)
    made.token()
    made.kernels.append(Kernel("step", "", Phase.DECODE))
    kernel = len(made.kernels) - 1
    events = []
    for number in range(2 * layers):
        other = 2 * layers + number
        events += [
            StepEvent(kernel, 0, other, 20_000, 0),
            StepEvent(kernel, 0, number, (prompt + 1) * KEY_BYTES, KEY_BYTES, is_cache=True),
            StepEvent(kernel, 1, number, 0, 0),
            StepEvent(kernel, 0, other, 0, 0),
        ]
    return made.trace(DecodeStep(1, tuple(events), (tuple(cache),)))


@pytest.mark.parametrize("prompt", [150, 480, 2500])
def test_steps_left_out_change_little(prompt: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """36 layers as those of the 4B model: away from the truth by two segments at most."""
    trace = growing(layers=36, prompt=prompt)
    few = {tokens: cell(EMPTY, trace, tokens) for tokens in (64, 256)}
    monkeypatch.setattr(replay, "MOST_EVENTS", 10_000_000)
    for tokens, found in few.items():
        every = cell(EMPTY, trace, tokens)
        assert abs(found.reserved_bytes - every.reserved_bytes) <= 44 * MIB
        decode, exact = (each.phases[Phase.DECODE].allocated_bytes for each in (found, every))
        assert 72 * (prompt + tokens - 1) * KEY_BYTES < decode
        assert abs(decode - exact) <= 12 * MIB


@pytest.mark.parametrize("tokens", [64, 500, 1024])
def test_the_last_step_releases_blocks_of_their_real_size(
    tokens: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise fewer bytes would be allocated than its tensors have."""
    trace = growing(layers=36, prompt=2500)
    few = cell(EMPTY, trace, tokens).phases[Phase.DECODE]
    monkeypatch.setattr(replay, "MOST_EVENTS", 10_000_000)
    assert cell(EMPTY, trace, tokens).phases[Phase.DECODE] == few


def test_what_steps_leave_for_good_is_all_counted() -> None:
    """No step may be left out then."""
    made = Made()
    made.run("mm", Phase.PREFILL, 1)
    made.token()
    made.kernels.append(Kernel("step", "", Phase.DECODE))
    step = DecodeStep(1, (StepEvent(1, 0, 0, 12 * MIB, 0),), ((),))
    assert peak(EMPTY, made.trace(step), 501) == 500 * 12 * MIB + SMALL


def test_what_cells_share_changes_none_of_them() -> None:
    """Each alone, as all together: answers, workspaces, blocks of loading and of cuBLAS."""
    memory, trace = model_of(*[21 * MIB] * 3, 700, leaving=(1,)), growing(layers=4, prompt=900)
    shared = CellReplay(memory, trace)
    for tokens, extra, block, kept in product(
        (1, 5, 64, 300), (no_workspace, much), (0, 50 * MIB), (0, 9 * MIB)
    ):
        alone = cell(memory, trace, tokens, workspace=extra, block=block, kept=kept)
        assert shared.cell(tokens, extra, block_bytes=block, kept_bytes=kept) == alone


# --- the protocol -----------------------------------------------------------------------------------------


def stem_and_product() -> Trace:
    """A convolution whose 200 MiB are free again when the first product allocates cuBLAS's workspace."""
    made = Made()
    stem = made.run("aten::convolution", Phase.ENCODE, 200 * MIB)
    made.release(*stem)
    made.run("aten::mm", Phase.ENCODE, 12 * MIB)
    made.run("aten::mm", Phase.PREFILL, 190 * MIB)
    made.token()
    return made.trace()


def test_the_workspace_of_cublas_keeps_its_segment_when_the_cache_is_emptied() -> None:
    """It lies in the segment of the stem, which the stem of the next call then cannot have."""
    assert peak(EMPTY, stem_and_product()) == 200 * MIB + 190 * MIB
    assert peak(EMPTY, stem_and_product(), kept=8 * MIB) == 200 * MIB + 200 * MIB


def test_what_only_the_cold_call_needed_is_no_part_of_the_peak() -> None:
    made = Made()
    made.run("aten::mm", Phase.ENCODE, 12 * MIB)
    made.token()
    assert peak(EMPTY, made.trace(), kept=30 * MIB) == 12 * MIB + 30 * MIB


def test_weights_that_leave_are_counted_while_loading_and_then_their_segment_goes() -> None:
    """Without a block for all weights each large one has a segment."""
    memory = model_of(40 * MIB, 60 * MIB, leaving=(1,))
    found = cell(memory, one_kernel(50 * MIB), block=0)
    assert (found.loading_bytes, found.reserved_bytes) == (100 * MIB, 100 * MIB)
    assert found.phases[Phase.ENCODE].allocated_bytes == 90 * MIB


def test_a_smaller_block_leaves_the_last_weights_to_segments_of_their_own() -> None:
    memory = model_of(*[21 * MIB] * 3)
    assert peak(memory, NOTHING_MUCH, block=50 * MIB) == 50 * MIB + 22 * MIB + SMALL


def test_repeats_end_where_the_next_would_be_the_same() -> None:
    """A long answer takes segments that its warm-up did not, and the next one may take more."""
    trace = growing(layers=4, prompt=2500)
    found = [
        cell(EMPTY, trace, 600, measuring=Measuring(repeats=repeats)).reserved_bytes
        for repeats in (1, 3, 50, 51)
    ]
    assert found == sorted(found)
    assert found[2] == found[3]
