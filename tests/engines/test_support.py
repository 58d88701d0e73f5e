import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.engines.support import SupportFacts, audio_positions, prompt_positions, unsupported
from bench.hardware.catalog import cards
from bench.moss_audio import MossAudioProcessor
from bench.records.enums import Attention
from bench.records.reasons import (
    BeyondContext,
    Bfloat16NeedsNewerGpu,
    FlashAttentionBroken,
    FlashAttentionNeeds16Bits,
    FlashAttentionNeedsGpu,
    FlashAttentionNeedsNewerGpu,
    FlashAttentionNotInstalled,
    UnsupportedReason,
)
from tests.engines.native.test_engine import REQUESTED

FLASH = Attention.FLASH_ATTENTION_2
TOO_OLD = FlashAttentionNeedsNewerGpu(needed=8.0, compute_capability="7.5")


def unsupported_reason(
    attention: Attention, here: SupportFacts, **changes: object
) -> UnsupportedReason | None:
    """The reason for a short cell with this attention, in bfloat16 unless it is changed."""
    asked = REQUESTED.model_copy(update={"attention": attention, "dtype": "bfloat16", **changes})
    return unsupported(asked, here)


@pytest.mark.parametrize("attention", [Attention.EAGER, Attention.SDPA])
@pytest.mark.parametrize("kind", ["cpu", "cuda"])
def test_torch_brings_eager_and_sdpa_everywhere(attention: Attention, kind: str) -> None:
    assert unsupported_reason(attention, SupportFacts(kind, None, None)) is None


@pytest.mark.parametrize(
    ("here", "reason"),
    [
        (SupportFacts("cpu", None, "2.8.3"), FlashAttentionNeedsGpu()),
        (SupportFacts("cuda", "7.5", "2.8.3"), TOO_OLD),
        (SupportFacts("cuda", "8.9", None), FlashAttentionNotInstalled()),
        (SupportFacts("cuda", None, None), FlashAttentionNotInstalled()),
        (SupportFacts("cpu", None, None), FlashAttentionNeedsGpu()),
    ],
)
def test_flash_attention_says_what_it_lacks(here: SupportFacts, reason: UnsupportedReason) -> None:
    """What cannot be helped comes before what can be installed."""
    assert unsupported_reason(FLASH, here) == reason


def test_a_wheel_that_failed_on_the_card_is_the_reason_in_its_own_words() -> None:
    problem = FlashAttentionBroken(version="2.8.3", failed_at="run", error="no kernel image is available")
    here = SupportFacts("cuda", "12.0", "2.8.3", flash_attention_problem=problem)
    assert unsupported_reason(FLASH, here) == problem
    assert unsupported_reason(Attention.SDPA, here) is None
    too_old = SupportFacts("cuda", "7.5", "2.8.3", flash_attention_problem=problem)
    assert unsupported_reason(FLASH, too_old) == TOO_OLD


@pytest.mark.parametrize("capability", ["8.0", "8.6", "8.9", "9.0", "10.0", "12.0", "12.1", None])
def test_flash_attention_runs_from_ampere_on(capability: str | None) -> None:
    assert unsupported_reason(FLASH, SupportFacts("cuda", capability, "2.8.3")) is None


def test_the_turing_cards_of_the_catalog_are_those_without_it() -> None:
    without = {
        card.slug
        for card in cards()
        if unsupported_reason(FLASH, SupportFacts("cuda", card.compute_capability, "2.8.3")) is not None
    }
    assert without == {"rtx-2060-12gb", "rtx-2080-ti", "t4"}


def test_flash_attention_does_not_compute_in_32_bits() -> None:
    here = SupportFacts("cuda", "8.9", "2.8.3")
    assert unsupported_reason(FLASH, here, dtype="float32") == FlashAttentionNeeds16Bits()


@pytest.mark.parametrize("max_tokens", [1, 128, 1024])
@pytest.mark.parametrize("time_markers", [True, False])
def test_a_clip_beyond_the_context_is_refused_with_the_longest_that_fits(
    max_tokens: int, time_markers: bool
) -> None:
    here = SupportFacts("cpu", None, None, max_positions=40_960)
    asked = {"max_tokens": max_tokens, "time_markers": time_markers}
    reason = unsupported_reason(Attention.SDPA, here, clip_seconds=3600.0, **asked)
    assert isinstance(reason, BeyondContext)
    assert (reason.max_positions, reason.max_tokens) == (40_960, max_tokens)
    longest = reason.longest_clip_s
    assert 2700 < longest < 3300
    assert unsupported_reason(Attention.SDPA, here, clip_seconds=longest, **asked) is None
    assert unsupported_reason(Attention.SDPA, here, clip_seconds=longest + 1, **asked) is not None


@pytest.mark.parametrize("clip_seconds", [0.2, 1.0, 2.0, 5.3, 9.07, 35.0, 100.0])
@pytest.mark.parametrize("time_markers", [True, False])
def test_positions_are_those_of_a_real_prompt(clip_seconds: float, time_markers: bool) -> None:
    frames = round(clip_seconds * 16_000) // 160
    processor = MossAudioProcessor.without_tokenizer(enable_time_marker=time_markers)
    samples = np.random.default_rng(0).normal(size=frames * 160).astype(np.float32) * 0.1
    length = processor(text="Describe this audio.", audio=samples)["input_ids"].shape[1]
    assert audio_positions(clip_seconds, time_markers) == length - 24


def test_bf16_that_a_card_emulates_is_no_support() -> None:
    turing, ampere = (SupportFacts("cuda", capability, None) for capability in ("7.5", "8.0"))
    assert unsupported_reason(Attention.SDPA, turing) == (
        Bfloat16NeedsNewerGpu(needed=8.0, compute_capability="7.5")
    )
    assert unsupported_reason(Attention.SDPA, turing, dtype="float16") is None
    assert unsupported_reason(Attention.SDPA, ampere) is None
    assert unsupported_reason(Attention.SDPA, SupportFacts("cpu", None, None)) is None


@pytest.mark.parametrize(("clip_seconds", "length"), [(60.0, 832), (300.0, 4173)])
def test_the_default_prompt_of_a_clip(clip_seconds: float, length: int) -> None:
    assert prompt_positions(clip_seconds) == length


@given(st.floats(0.1, 20_000), st.booleans())
def test_markers_have_a_token_for_each_digit(clip_s: float, time_markers: bool) -> None:
    tokens = round(clip_s * 16_000) // 160
    for _ in range(3):
        tokens = (tokens - 1) // 2 + 1
    digits = sum(len(str(second)) for second in range(2, int(tokens / 12.5) + 1, 2))
    assert audio_positions(clip_s, time_markers) == tokens + 2 + (digits if time_markers else 0)
