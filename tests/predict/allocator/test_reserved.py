"""What a generation reserves, from loading to the last token."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.arithmetic.shapes import LanguageShapes, Shapes
from bench.predict.allocator import reserved
from bench.predict.allocator.caching import DEFAULT, AllocatorSettings
from bench.predict.allocator.reserved import reserved_peaks
from bench.predict.trace import DecodeStep, Kernel, ModelMemory, StepEvent, Trace
from bench.records.enums import Phase
from bench.units import MIB
from tests.predict.made_traces import Made, generations, unrolled

EXPANDABLE = AllocatorSettings(expandable_segments=True)
SHAPES = Shapes(LanguageShapes(8, 8, 8, 1, 1, 1, 8))
EMPTY = ModelMemory((), 0, SHAPES, 2)


def model_of(*tensors: int, buffers_bytes: int = 0) -> ModelMemory:
    return ModelMemory(tensors, buffers_bytes, SHAPES, 2)


def no_workspace(_: Kernel) -> int:
    return 0


def peak(
    memory: ModelMemory,
    trace: Trace,
    tokens: int = 1,
    *,
    workspace: Callable[[Kernel], int] = no_workspace,
    persistent: int = 0,
    settings: AllocatorSettings = DEFAULT,
) -> int:
    return reserved_peaks(memory, trace, [tokens], workspace, persistent, settings)[tokens]


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
    assert peak(memory, NOTHING_MUCH, persistent=32 * MIB) == 20 * MIB + 20 * MIB + 32 * MIB + SMALL


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


def test_all_lengths_are_answered_at_once() -> None:
    trace = growing(layers=4)
    alone = {tokens: peak(EMPTY, trace, tokens) for tokens in (1, 2, 40)}
    together = reserved_peaks(EMPTY, trace, [40, 2, 1, 2], no_workspace, 0)
    assert together == alone
    assert alone[1] < alone[40]


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
    assert peak(EMPTY, scaled, tokens, settings=settings) == peak(
        EMPTY, unrolled(scaled, tokens), tokens, settings=settings
    )


@settings(max_examples=50)
@given(generations(), st.sampled_from([DEFAULT, EXPANDABLE]))
def test_a_longer_answer_never_reserves_less(trace: Trace, settings: AllocatorSettings) -> None:
    found = reserved_peaks(EMPTY, scale(trace, 100_000), range(1, 12), no_workspace, 0, settings)
    assert [found[tokens] for tokens in range(1, 12)] == sorted(found.values())


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


@pytest.mark.parametrize("settings", [DEFAULT, EXPANDABLE])
@pytest.mark.parametrize("prompt", [150, 480, 2500])
def test_steps_left_out_change_little(
    settings: AllocatorSettings, prompt: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """36 layers as those of the 4B model: away from the truth by two segments at most."""
    trace, lengths = growing(layers=36, prompt=prompt), [64, 256]
    few = reserved_peaks(EMPTY, trace, lengths, no_workspace, 0, settings)
    monkeypatch.setattr(reserved, "MOST_STEPS", 10_000)
    monkeypatch.setattr(reserved, "MOST_EVENTS", 10_000_000)
    every = reserved_peaks(EMPTY, trace, lengths, no_workspace, 0, settings)
    for tokens in lengths:
        assert abs(few[tokens] - every[tokens]) <= 44 * MIB
        assert every[tokens] > 72 * (prompt + tokens - 1) * KEY_BYTES


def test_what_steps_leave_for_good_is_all_counted() -> None:
    """No step may be left out then."""
    made = Made()
    made.run("mm", Phase.PREFILL, 1)
    made.token()
    made.kernels.append(Kernel("step", "", Phase.DECODE))
    step = DecodeStep(1, (StepEvent(1, 0, 0, 12 * MIB, 0),), ((),))
    assert peak(EMPTY, made.trace(step), 501) == 500 * 12 * MIB + SMALL
