"""Envelopes of made-up models, term by term, and one of the real network."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.arithmetic import architecture
from bench.arithmetic.shapes import AudioShapes, LanguageShapes, Shapes
from bench.hardware.budget import CONTEXT, desktop_cost, driver_reserve, fit, less, total_of
from bench.hardware.catalog import Card, cards
from bench.moss_audio import released_config
from bench.predict.cuda_workspace import cudnn_layout_bytes
from bench.predict.prediction import OnCard, OnCpu, predict
from bench.predict.setting import Setting
from bench.predict.trace import Call, DecodeStep, Kernel, ModelMemory, StepEvent, Trace
from bench.predict.tracing.tracer import Tracer, model_memory
from bench.records.base import ByteInterval
from bench.records.enums import EncoderAttention, Fit, Phase
from bench.records.prediction import Envelope
from bench.units import MIB
from tests.predict.made_traces import Made, generations, levels, unrolled
from tests.samples.records import SAMPLED

TEXT = LanguageShapes(
    vocab_size=64,
    hidden_size=8,
    intermediate_size=16,
    num_hidden_layers=2,
    num_attention_heads=2,
    num_key_value_heads=1,
    head_dim=4,
)
PER_POSITION = 2 * 2 * 1 * 4 * 2  # keys and values, layers, heads, size of a head, bytes
MEMORY = ModelMemory((3 * MIB, 5 * MIB), 512, Shapes(TEXT, 16, AudioShapes()), 2)
CARD: Card = next(card for card in cards() if card.slug == "rtx-4070")
CUBLAS = 8_519_680


def nothing(kernel: Kernel) -> int:
    return 0


def generation() -> Trace:
    """An encoder whose stem is the highest, a prefill, and a cache that grows by a position a step."""
    made = Made()
    call = Call(
        ((1, 8, 64, 64), (8, 8, 3, 3)), ((32768, 4096, 64, 1), (72, 9, 3, 1)), (1, 8, 32, 32), "bfloat16"
    )
    stem = made.run("aten::convolution", Phase.ENCODE, 40 * MIB)
    made.kernels[-1] = Kernel("aten::convolution", "audio_encoder.conv2", Phase.ENCODE, call)
    gelu = made.run("aten::gelu", Phase.ENCODE, 40 * MIB)
    made.release(*stem, *gelu)
    cache = made.run("aten::cat", Phase.PREFILL, 10 * PER_POSITION, cache=True)
    logits = made.run("aten::linear", Phase.PREFILL, 30 * MIB)
    made.release(*logits)
    made.token()
    made.kernels.append(Kernel("aten::cat", "", Phase.DECODE, call))
    last = len(made.kernels) - 1
    events = (
        StepEvent(last, 0, 0, 11 * PER_POSITION, PER_POSITION, True),
        StepEvent(last, 1, 0, 0, 0),
    )
    return made.trace(DecodeStep(1, events, (tuple(cache),)))


def on_card(*tokens: int) -> dict[int, Envelope]:
    return predict(
        generation(),
        MEMORY,
        OnCard(CARD),
        mel_frames=80,
        logits_positions="all",
        max_tokens=tokens or (512,),
    )


def on_cpu(trace: Trace, workspace: Callable[[Kernel], int], *tokens: int) -> dict[int, Envelope]:
    return predict(trace, MEMORY, OnCpu(workspace), mel_frames=80, logits_positions="all", max_tokens=tokens)


def adds_up(envelope: Envelope) -> None:
    for found in envelope.phases.values():
        terms = found.cache_bytes + found.activations_bytes + found.workspace_bytes + found.buffers_bytes
        assert found.allocated_peak_bytes == envelope.weights_bytes + terms + found.rounding_bytes
        assert found.rounding_bytes >= 0
    highest = max(envelope.phases.values(), key=lambda phase: phase.allocated_peak_bytes)
    assert envelope.allocated_peak_bytes == highest.allocated_peak_bytes
    assert envelope.phases[envelope.peak_phase].allocated_peak_bytes == envelope.allocated_peak_bytes


def test_a_card_counts_what_cublas_keeps_and_names_it() -> None:
    found = on_card()[512]
    adds_up(found)
    assert found.workspace_peak_bytes == CUBLAS
    assert found.phases[Phase.ENCODE].allocated_peak_bytes == (8 + 80) * MIB + 512 + CUBLAS
    assert found.phases[Phase.ENCODE].rounding_bytes == 0
    assert (found.peak_phase, found.peak_op) == (Phase.ENCODE, "aten::gelu")
    assert found.phases[Phase.LOAD].workspace_bytes == 0


def test_cublas_has_its_workspace_in_every_phase_of_the_repeats() -> None:
    """The cold call allocated it; a run reports loading and the repeats."""
    made = Made()
    made.run("aten::zeros", Phase.PREPROCESS, 100)
    made.run("aten::mm", Phase.ENCODE, 1)
    made.token()
    found = predict(
        made.trace(), MEMORY, OnCard(CARD), mel_frames=80, logits_positions="all", max_tokens=[1]
    )[1]
    assert [phase.workspace_bytes for phase in found.phases.values()] == [0, CUBLAS, CUBLAS]


def test_what_cudnn_may_take_is_an_interval_of_its_own() -> None:
    found = on_card()[512]
    stem = next(kernel for kernel in generation().kernels if kernel.scope)
    assert found.convolution_workspace_bytes is not None
    assert found.convolution_workspace_bytes.low == 0
    assert found.convolution_workspace_bytes.high == cudnn_layout_bytes(stem) == 2 * 8 * (4096 + 1024 + 72)
    assert found.allocated_peak_bytes == (8 + 80) * MIB + 512 + CUBLAS, "without it"


def test_a_card_must_have_what_is_reserved_and_the_context() -> None:
    found = on_card()[512]
    reserved, device = found.reserved_peak_bytes, found.device_peak_bytes
    assert reserved is not None
    assert device is not None
    assert found.allocated_peak_bytes == reserved.low < reserved.high
    assert device.low == reserved.low + CONTEXT.low_bytes
    assert device.high == reserved.high + CONTEXT.high_bytes


def test_a_cpu_has_no_card_terms_and_the_workspace_of_its_kernels() -> None:
    def workspace(kernel: Kernel) -> int:
        return 50 * MIB if "convolution" in kernel.name else 0

    found = on_cpu(generation(), workspace, 4)[4]
    adds_up(found)
    assert found.workspace_peak_bytes == 50 * MIB
    assert (found.peak_phase, found.peak_op) == (Phase.ENCODE, "audio_encoder.conv2: aten::convolution")
    assert found.phases[Phase.ENCODE].workspace_bytes == 50 * MIB
    for missing in ("reserved", "context", "device"):
        assert getattr(found, f"{missing}_bytes" if missing == "context" else f"{missing}_peak_bytes") is None
    assert found.convolution_workspace_bytes is None
    assert found.ceiling is None


def test_the_cache_at_the_end_leaves_the_last_token_out() -> None:
    found = on_card(1, 512)
    assert [found[n].kv_cache_bytes for n in (1, 512)] == [10 * PER_POSITION, 521 * PER_POSITION]
    assert Phase.DECODE not in found[1].phases
    decode = found[512].phases[Phase.DECODE]
    assert decode.cache_bytes == (520 + 521) * PER_POSITION, "the old one and the new one at once"


def test_loading_takes_the_weights_and_buffers() -> None:
    found = on_card(1)[1]
    assert found.phases[Phase.LOAD].allocated_peak_bytes == 8 * MIB + 512
    adds_up(found)


def test_the_earlier_of_equal_phases_is_named() -> None:
    made = Made()
    made.release(*made.run("first", Phase.ENCODE, 7))
    made.run("second", Phase.PREFILL, 7)
    made.token()
    found = on_cpu(made.trace(), nothing, 1)[1]
    assert (found.peak_phase, found.peak_op) == (Phase.ENCODE, "first")


def test_only_a_card_has_a_ceiling_and_last_logits_are_computed_sooner() -> None:
    every, last = (
        predict(generation(), MEMORY, OnCard(CARD), mel_frames=80, logits_positions=kept, max_tokens=[8])[8]
        for kept in ("all", "last")
    )
    assert every.ceiling is not None
    assert last.ceiling is not None
    assert every.ceiling.latency_s
    assert (last.ceiling.prefill_s or 0) <= (every.ceiling.prefill_s or 0)


@given(generations(), st.integers(1, 60))
def test_terms_add_up_and_more_tokens_never_need_less(trace: Trace, tokens: int) -> None:
    found = on_cpu(trace, lambda kernel: 3, tokens, tokens + 1)
    adds_up(found[tokens])
    assert found[tokens + 1].allocated_peak_bytes >= found[tokens].allocated_peak_bytes
    assert found[tokens + 1].kv_cache_bytes > found[tokens].kv_cache_bytes
    assert found[tokens].activations_peak_bytes >= max(
        phase.activations_bytes for name, phase in found[tokens].phases.items() if name is not Phase.LOAD
    )


@settings(max_examples=25)
@given(generations(), st.lists(st.integers(1, 40), min_size=1, max_size=4), st.integers(1, 3))
def test_a_cell_alone_is_predicted_as_among_others(trace: Trace, others: list[int], tokens: int) -> None:
    def predicted(*lengths: int) -> Envelope:
        where = OnCard(CARD)
        return predict(trace, MEMORY, where, mel_frames=80, logits_positions="last", max_tokens=lengths)[
            tokens
        ]

    alone = predicted(tokens)
    assert predicted(*others, tokens) == predicted(tokens, *others) == alone
    adds_up(alone)


@settings(max_examples=25)
@given(generations(), st.integers(1, 30))
def test_a_card_never_reserves_less_than_it_allocates(trace: Trace, tokens: int) -> None:
    found = predict(trace, MEMORY, OnCard(CARD), mel_frames=80, logits_positions="last", max_tokens=[tokens])[
        tokens
    ]
    assert found.reserved_peak_bytes is not None
    assert found.allocated_peak_bytes == found.reserved_peak_bytes.low <= found.reserved_peak_bytes.high


def test_nor_while_it_loads() -> None:
    """Buffers are there before weights leave: they get a segment of their own."""
    made = Made()
    made.run("aten::mm", Phase.ENCODE, 1)
    made.token()
    memory = replace(MEMORY, tensors=(40 * MIB, 40 * MIB), leaving=(1,), buffers_bytes=20 * MIB)
    found = predict(
        made.trace(), memory, OnCard(CARD), mel_frames=80, logits_positions="all", max_tokens=[1]
    )[1]
    assert found.peak_phase is Phase.LOAD
    assert found.reserved_peak_bytes == ByteInterval(low=100 * MIB, high=(80 + 20 + 2) * MIB)


def test_no_token_at_all_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one token"):
        on_cpu(generation(), nothing, 0)


# --- the real network, at full size -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def full_size() -> tuple[Trace, ModelMemory]:
    """MOSS-Audio-4B-Instruct over a clip of 6 s, as the native engine runs it on a card."""
    config = released_config("MOSS-Audio-4B-Instruct")
    setting = Setting(
        dtype="bfloat16",
        kernel="flash",
        is_grouped=True,
        encoder_attention=EncoderAttention.EAGER,
        logits_positions="all",
        sampling=SAMPLED,
        kind="cuda",
    )
    prompt = architecture.audio_tokens(600) + 26
    return Tracer(config, setting).trace(600, prompt), model_memory(config, "bfloat16")


def test_the_cache_of_the_real_network_is_that_of_its_shapes(full_size: tuple[Trace, ModelMemory]) -> None:
    trace, memory = full_size
    tokens = range(1, len(trace.tokens_at) + 1)
    found = predict(trace, memory, OnCpu(nothing), mel_frames=600, logits_positions="all", max_tokens=tokens)
    for count in tokens:
        *_, (_, cache, _) = levels(replace(trace, events=trace.events[: trace.tokens_at[count - 1]]))
        assert found[count].kv_cache_bytes == cache


def test_a_long_answer_of_the_real_network_equals_the_walk(full_size: tuple[Trace, ModelMemory]) -> None:
    trace, memory = full_size
    found = predict(trace, memory, OnCpu(nothing), mel_frames=600, logits_positions="all", max_tokens=[24])[
        24
    ]
    walked = levels(unrolled(trace, 24))
    highest = max(
        cache + other for event, cache, other in walked if trace.kernels[event.kernel].phase is Phase.DECODE
    )
    assert found.phases[Phase.DECODE].allocated_peak_bytes - memory.weights_bytes == (
        highest + memory.buffers_bytes
    )


def test_a_card_of_12_gb_has_memory_for_a_short_clip(full_size: tuple[Trace, ModelMemory]) -> None:
    trace, memory = full_size
    found = predict(
        trace, memory, OnCard(CARD), mel_frames=600, logits_positions="all", max_tokens=[64, 1024]
    )
    for envelope in found.values():
        adds_up(envelope)
        assert envelope.weights_bytes == 10_445_641_472
        assert envelope.device_peak_bytes is not None
        total = total_of(CARD)
        headless = less(ByteInterval(low=total, high=total), driver_reserve(total, "linux").term)
        assert fit(envelope.device_peak_bytes, headless) is Fit.FITS
        desktop = less(headless, desktop_cost("linux").term)
        assert fit(envelope.device_peak_bytes, desktop) is Fit.TOO_CLOSE_TO_CALL


# --- a tensor that moves to the host once all are loaded ----------------------------------------------------

TENSORS = (30 * MIB, 64 * MIB, 50 * MIB)


def envelope_without(*leaving: int) -> Envelope:
    memory = replace(MEMORY, tensors=TENSORS, leaving=leaving)
    where = OnCard(CARD)
    return predict(generation(), memory, where, mel_frames=80, logits_positions="all", max_tokens=[9])[9]


def test_it_is_there_while_loading_and_not_later() -> None:
    whole, left = envelope_without(), envelope_without(1)
    assert (whole.weights_bytes, left.weights_bytes) == (144 * MIB, 80 * MIB)
    assert left.phases[Phase.LOAD].allocated_peak_bytes == whole.phases[Phase.LOAD].allocated_peak_bytes
    for phase in (Phase.ENCODE, Phase.PREFILL, Phase.DECODE):
        before, after = (found.phases[phase].allocated_peak_bytes for found in (whole, left))
        assert before - after == 64 * MIB


def test_its_memory_is_used_by_the_generation() -> None:
    whole, left = envelope_without(), envelope_without(1)
    assert whole.reserved_peak_bytes is not None
    assert left.reserved_peak_bytes is not None
    saved = whole.reserved_peak_bytes.low - left.reserved_peak_bytes.low
    assert 0 < saved <= 64 * MIB
    assert left.reserved_peak_bytes.low >= 144 * MIB


def test_each_phase_still_adds_up() -> None:
    found = envelope_without(1)
    adds_up(found)
