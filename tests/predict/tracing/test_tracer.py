"""A trace says to the byte what a real generation takes; and what the released model takes at full size."""

from collections.abc import Mapping
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.arithmetic.architecture import kv_cache_bytes
from bench.arithmetic.shapes import shapes_of
from bench.moss_audio import MossAudioConfig
from bench.moss_audio.configuration import audio_token_count, released_config
from bench.predict.peaks import PhasePeak, phase_peaks
from bench.predict.setting import Setting
from bench.predict.tracing.tracer import Reuse, Tracer, model_memory
from bench.records.enums import AttentionKernel, EncoderAttention, Phase
from tests.predict.tracing.measured import measured_peaks
from tests.predict.tracing.samples import FULL_SIZE, prompt_of, setting
from tests.samples.records import GREEDY, SAMPLED

HEADS = 32
NOTHING = Reuse(parts=False, decode_steps=False, clips=False)


@st.composite
def configurations(draw: st.DrawFn) -> MossAudioConfig:
    encoder_layers = draw(st.integers(1, 8))
    taps = sorted(draw(st.sets(st.integers(0, encoder_layers - 1), min_size=1, max_size=3)))
    return MossAudioConfig(
        audio_config={
            "d_model": 32,
            "output_dim": 32,
            "num_mel_bins": 32,
            "encoder_layers": encoder_layers,
            "encoder_attention_heads": 4,
            "encoder_ffn_dim": draw(st.sampled_from([32, 64])),
            "downsample_hidden_size": draw(st.sampled_from([4, 8])),
            "deepstack_encoder_layer_indexes": taps,
            "n_window": draw(st.sampled_from([20, 200])),
            "conv_chunksize": draw(st.sampled_from([1, 2, 64])),
        },
        language_config={
            "vocab_size": draw(st.sampled_from([60, 300])),
            "hidden_size": 48,
            "intermediate_size": 96,
            "num_hidden_layers": draw(st.integers(len(taps), 7)),
            "num_attention_heads": draw(st.sampled_from([2, 4])),
            "num_key_value_heads": draw(st.sampled_from([1, 2])),
            "head_dim": draw(st.sampled_from([8, 16])),
            "max_position_embeddings": 40960,
            "rope_theta": 1e6,
        },
        adapter_hidden_size=64,
        deepstack_num_inject_layers=draw(st.sampled_from([None, 0, 1, len(taps), len(taps) + 9])),
    )


def settings_of_a_run(*kernels: AttentionKernel) -> st.SearchStrategy[Setting]:
    return st.builds(
        Setting,
        dtype=st.sampled_from(["bfloat16", "float32"]),
        kernel=st.sampled_from(kernels),
        is_grouped=st.just(True),
        encoder_attention=st.sampled_from(EncoderAttention),
        logits_positions=st.sampled_from(["all", "last"]),
        sampling=st.sampled_from([GREEDY, SAMPLED]),
        hold_audio=st.booleans(),
        kind=st.just("cpu"),
    )


@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow])
@given(
    configurations(),
    settings_of_a_run("flash", "eager"),
    st.integers(60, 2500),
    st.integers(3, 40),
    st.integers(2, 12),
)
def test_what_is_predicted_is_what_a_real_generation_takes(
    config: MossAudioConfig, asked: Setting, mel_frames: int, text_tokens: int, max_tokens: int
) -> None:
    prompt_tokens = audio_token_count(mel_frames) + text_tokens
    tracer = Tracer(config, asked)
    tracer.trace(200, audio_token_count(200) + 9)  # of another clip, whose decode steps are reused
    trace = tracer.trace(mel_frames, prompt_tokens)
    predicted = phase_peaks(trace, [max_tokens], lambda _: 0)[max_tokens]
    measured = measured_peaks(
        config, asked, mel_frames=mel_frames, prompt_tokens=prompt_tokens, max_tokens=max_tokens
    )
    assert {phase: predicted[phase].allocated_bytes for phase in measured} == measured


@settings(max_examples=4, suppress_health_check=[HealthCheck.too_slow])
@given(configurations(), settings_of_a_run("flash", "eager", "math"), st.integers(100, 900))
def test_what_follows_from_earlier_traces_is_what_a_trace_gives(
    config: MossAudioConfig, asked: Setting, mel_frames: int
) -> None:
    tracer = Tracer(config, asked)
    for clip in (mel_frames // 2, mel_frames, 2 * mel_frames, 3 * mel_frames):
        prompt, alone = audio_token_count(clip) + 9, Tracer(config, asked, NOTHING)
        found = [phase_peaks(each.trace(clip, prompt), [3, 40], lambda _: 0) for each in (tracer, alone)]
        assert found[0] == found[1]


@settings(max_examples=6, suppress_health_check=[HealthCheck.too_slow])
@given(
    configurations(),
    settings_of_a_run("flash", "eager", "math"),
    st.integers(60, 1200),
    st.integers(1, 3),
    st.integers(1, 40),
)
def test_more_chunks_and_more_tokens_never_take_less(
    config: MossAudioConfig, asked: Setting, mel_frames: int, chunks: int, more_tokens: int
) -> None:
    """By whole chunks: a clip that needs padding holds a copy of its log-mel, another one does not."""
    tracer, longer = Tracer(config, asked), mel_frames + chunks * config.audio_config.chunk_frames
    answers = [5, 5 + more_tokens]
    short, long = (
        phase_peaks(tracer.trace(frames, audio_token_count(frames) + 9), answers, lambda _: 0)
        for frames in (mel_frames, longer)
    )
    pairs = [(short[tokens], long[tokens]) for tokens in answers]
    pairs += [(clip[answers[0]], clip[answers[1]]) for clip in (short, long)]
    for less, more in pairs:
        assert all(less[phase].allocated_bytes <= more[phase].allocated_bytes for phase in less)


@pytest.fixture(scope="module")
def full_size() -> Tracer:
    return Tracer(released_config(FULL_SIZE), setting(kind="cuda"))


def test_the_cache_of_a_trace_is_that_of_the_architecture(full_size: Tracer) -> None:
    trace = full_size.trace(1000, prompt_of(1000))
    sizes = {event.block: event for event in trace.events if event.size_bytes}
    released = {event.block for event in trace.events if not event.size_bytes}
    kept = [event for block, event in sizes.items() if event.is_cache and block not in released]
    text = shapes_of(released_config(FULL_SIZE).to_dict()).language_config
    cache = sum(event.size_bytes for event in kept)
    assert cache == kv_cache_bytes(text, trace.prompt_tokens + len(trace.tokens_at) - 1, 2)


def test_nothing_has_the_size_of_positions_squared(full_size: Tracer) -> None:
    prompt = prompt_of(30000)
    trace = full_size.trace(30000, prompt)
    attention = [
        event.size_bytes
        for event in trace.events
        if "self_attn" in trace.kernels[event.kernel].scope and event.size_bytes
    ]
    assert max(attention) < prompt * prompt * HEADS


def test_products_behind_fused_attention_copy_no_weight(full_size: Tracer) -> None:
    # The kernel's output is laid out position by position; heads first, it would make a product of batches.
    kernels = full_size.trace(3000, prompt_of(3000)).kernels
    assert not [k for k in kernels if k.name == "aten::bmm" and ".self_attn." in k.scope]


@pytest.mark.full_size
def test_eager_attention_of_the_language_model_has() -> None:
    trace = Tracer(released_config(FULL_SIZE), setting(kernel="eager")).trace(6000, prompt_of(6000))
    assert max(event.size_bytes for event in trace.events) >= prompt_of(6000) ** 2 * HEADS * 2


@pytest.mark.full_size
def test_longer_clips_and_longer_answers_take_more(full_size: Tracer) -> None:
    clips = [
        phase_peaks(full_size.trace(frames, prompt_of(frames)), [4, 64, 512], lambda _: 0)
        for frames in (500, 12000, 25600, 26000)
    ]
    for shorter, longer in pairwise(clips):
        for tokens in (4, 64, 512):
            assert _peak(shorter[tokens]) < _peak(longer[tokens])
    for answers in clips:
        assert _peak(answers[4]) <= _peak(answers[64]) <= _peak(answers[512])


@pytest.mark.full_size
def test_logits_lead_beyond_256_s_and_the_stem_before(full_size: Tracer) -> None:
    short, long = (
        phase_peaks(full_size.trace(frames, prompt_of(frames)), [128], lambda _: 0)[128]
        for frames in (12000, 60000)
    )
    assert str(short[Phase.ENCODE].kernel) == "audio_encoder: aten::gelu"
    assert str(long[Phase.PREFILL].kernel) == "lm_head: aten::mm"
    logits_bytes = prompt_of(60000) * 151936 * 2
    held_bytes = audio_token_count(60000) * (2560 + 3 * 1280) * 2  # audio embeddings and taps
    assert logits_bytes <= long[Phase.PREFILL].activations_bytes - held_bytes < 1.12 * logits_bytes


def test_the_memory_of_a_released_model_is_that_of_its_files() -> None:
    memory = model_memory(released_config(FULL_SIZE), "bfloat16")
    assert (len(memory.tensors), memory.weights_bytes) == (901, 10_445_641_472)


def _peak(phases: Mapping[Phase, PhasePeak]) -> int:
    return max(peak.allocated_bytes for peak in phases.values())
