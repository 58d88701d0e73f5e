"""The shipped predictions: what is stored comes back, and every card finds its own."""

import gzip
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.predict.allocator.protocol import AS_SHIPPED, Measuring
from bench.predict.card_clip import CardClip, Place
from bench.predict.card_envelope import CardTerms, PhaseTerms
from bench.predict.setting import Setting
from bench.predict.shipped_table import ClipTerms, Key, Shard, document_of, read_shard, render_shard
from bench.records.cell import Sampling
from bench.records.enums import EncoderAttention, Phase, Profile

SETTING = Setting(
    dtype="bfloat16",
    kernel="flash",
    is_grouped=True,
    encoder_attention=EncoderAttention.EAGER,
    logits_positions="all",
    sampling=Sampling(do_sample=True, temperature=1.0, top_p=1.0, top_k=50),
    kind="cuda",
)
KEY = Key("0" * 64, Profile.FAITHFUL, SETTING)
PLACES = (Place(2**23, (10**10,), AS_SHIPPED), Place(2**25, (10**10, 9 * 10**9), AS_SHIPPED))
SIZES = st.integers(0, 2**42)
PHASES = st.builds(PhaseTerms, SIZES, SIZES, SIZES, st.sampled_from(["aten::mm", "encoder: aten::gelu"]))


@st.composite
def clips(draw: st.DrawFn) -> list[ClipTerms]:
    """Clips of some lengths at two places, with one or two answers each."""
    frames = draw(st.lists(st.integers(1, 10**6), min_size=1, max_size=6, unique=True))
    answers = draw(st.sampled_from([(1,), (128, 512)]))
    phases = draw(st.sampled_from([(Phase.LOAD, Phase.PREFILL), tuple(Phase)]))

    def terms(place: Place) -> CardTerms:
        return CardTerms(
            weights_bytes=7,
            buffers_bytes=5,
            kept_bytes=place.kept_bytes,
            prompt_tokens=11,
            activations_peak_bytes=draw(SIZES),
            convolution_bytes=draw(SIZES),
            reserved_bytes=draw(SIZES),
            reserved_with_convolution_bytes=draw(SIZES),
            phases={phase: draw(PHASES) for phase in phases},
        )

    return [
        ClipTerms(place, length, 11, {tokens: terms(place) for tokens in answers})
        for place in PLACES
        for length in frames
    ]


def clip_at(place: Place, frames: int, prompt: int = 11) -> CardClip:
    return CardClip(Profile.FAITHFUL, SETTING, frames, prompt, place)


@given(clips())
def test_figures_come_back_as_they_were_stored(stored: list[ClipTerms]) -> None:
    shard = Shard(read_shard(render_shard(document_of(KEY, {"torch": "2.13.0"}, stored))))
    assert shard.document.key == KEY
    for clip in stored:
        found = shard.find(clip_at(clip.place, clip.mel_frames), list(clip.terms))
        assert found == dict(clip.terms)


@given(clips())
def test_nothing_is_found_for_another_clip_prompt_place_or_answer(stored: list[ClipTerms]) -> None:
    shard = Shard(document_of(KEY, {}, stored))
    frames, tokens = stored[0].mel_frames, list(stored[0].terms)
    assert shard.find(clip_at(PLACES[0], 2 * 10**6), tokens) == {}
    assert shard.find(clip_at(PLACES[0], frames, prompt=12), tokens) == {}
    assert shard.find(clip_at(replace(PLACES[0], kept_bytes=1), frames), tokens) == {}
    assert shard.find(clip_at(replace(PLACES[0], measuring=Measuring(8, 5)), frames), tokens) == {}
    assert shard.find(clip_at(PLACES[0], frames), [2]) == {}


@pytest.mark.parametrize(
    "content", [b"", b"no gzip", gzip.compress(b"{", mtime=0), gzip.compress(b"[]", mtime=0)]
)
def test_what_is_no_shard_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"shard|JSON|valid"):
        read_shard(content)
