"""The encoder's chunks, against a plain loop that encodes one chunk at a time with torch's own pieces."""

import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from bench.moss_audio.configuration import AudioEncoderConfig, ConfigError, audio_token_count
from bench.moss_audio.encoder import AudioEncoder, EncoderLayer, sinusoids
from tests.moss_audio.small import encoder_config, mel


def random_encoder(config: AudioEncoderConfig, implementation: str = "eager") -> AudioEncoder:
    torch.manual_seed(1)
    return AudioEncoder(config, implementation).eval().requires_grad_(False)


def naive(encoder: AudioEncoder, clip: Tensor) -> list[Tensor]:
    """`[mel_bins, frames]` to the last hidden state and the taps, each `[tokens, d_model]`."""
    size = encoder.config.chunk_frames
    pieces = list(torch.split(clip, size, dim=1))
    kept = [math.ceil(piece.shape[1] / 8) for piece in pieces]
    if len(pieces) > 1:
        pieces[-1] = F.pad(pieces[-1], (0, size - pieces[-1].shape[1]))
    encoded = [naive_chunk(encoder, piece, count) for piece, count in zip(pieces, kept, strict=True)]
    return [torch.cat(parts) for parts in zip(*encoded, strict=True)]


def naive_chunk(encoder: AudioEncoder, piece: Tensor, kept: int) -> list[Tensor]:
    hidden = piece[None]
    for conv in (encoder.conv1, encoder.conv2, encoder.conv3):
        hidden = F.gelu(conv(hidden))
    channels, bins, tokens = hidden.shape
    hidden = hidden.permute(2, 0, 1).reshape(tokens, channels * bins)
    hidden = encoder.stem_proj(hidden)
    half = hidden.shape[1] // 2
    rates = [math.exp(-math.log(10000) / (half - 1) * index) for index in range(half)]
    table = [
        [*(math.sin(position * rate) for rate in rates), *(math.cos(position * rate) for rate in rates)]
        for position in range(tokens)
    ]
    hidden = hidden + torch.tensor(table)
    taps = []
    for index, layer in enumerate(encoder.layers):
        assert isinstance(layer, EncoderLayer)
        hidden = naive_layer(layer, hidden, kept)
        if index in encoder.config.deepstack_encoder_layer_indexes:
            taps.append(hidden[:kept])
    return [encoder.layer_norm(hidden)[:kept], *taps]


def naive_layer(layer: EncoderLayer, hidden: Tensor, kept: int) -> Tensor:
    attention, normed = layer.self_attn, layer.self_attn_layer_norm(hidden)
    heads, width = attention.heads, hidden.shape[1] // attention.heads
    query, key, value = attention.q_proj(normed), attention.k_proj(normed), attention.v_proj(normed)
    mixed = []
    for head in range(heads):
        columns = slice(head * width, (head + 1) * width)
        scores = query[:, columns] @ key[:kept, columns].T / math.sqrt(width)
        mixed.append(scores.softmax(dim=1) @ value[:kept, columns])
    hidden = hidden + attention.out_proj(torch.cat(mixed, dim=1))
    inner: Tensor = layer.fc2(F.gelu(layer.fc1(layer.final_layer_norm(hidden))))
    return hidden + inner


def assert_same(encoder: AudioEncoder, clips: Tensor) -> None:
    last_hidden, taps = encoder(clips)
    for row, clip in enumerate(clips):
        expected = naive(encoder, clip)
        for found, wanted in zip((last_hidden, *taps), expected, strict=True):
            assert found[row].shape == wanted.shape
            torch.testing.assert_close(found[row], wanted, atol=2e-5, rtol=1e-4)


FRAMES = [1, 7, 8, 9, 20, 399, 400, 401, 407, 408, 409, 530, 799, 800, 801, 907, 1200, 3500]


@pytest.mark.parametrize("frames", FRAMES)
def test_a_clip_is_encoded_chunk_by_chunk(frames: int) -> None:
    encoder = random_encoder(encoder_config())
    assert_same(encoder, mel(frames)[:, :, :frames])
    assert encoder(mel(frames)).last_hidden.shape[1] == audio_token_count(frames)


@settings(max_examples=20)
@given(
    frames=st.integers(1, 1300),
    heads=st.integers(1, 4),
    head_dim=st.sampled_from([2, 6]),
    channels=st.integers(1, 6),
    taps=st.sampled_from([(0,), (1, 2), (0, 1, 3)]),
    n_window=st.sampled_from([8, 20, 100, 200]),
    conv_chunksize=st.integers(1, 5),
    batch=st.integers(1, 2),
)
def test_any_shape_is_encoded_chunk_by_chunk(
    frames: int,
    heads: int,
    head_dim: int,
    channels: int,
    taps: tuple[int, ...],
    n_window: int,
    conv_chunksize: int,
    batch: int,
) -> None:
    config = encoder_config(
        heads=heads,
        head_dim=head_dim * 2,
        channels=channels,
        taps=taps,
        n_window=n_window,
        conv_chunksize=conv_chunksize,
    )
    assert_same(random_encoder(config), mel(frames, batch=batch, seed=frames))


@pytest.mark.parametrize("frames", [90, 400, 907, 2001])
def test_sdpa_and_eager_agree(frames: int) -> None:
    config = encoder_config()
    eager, sdpa = random_encoder(config), random_encoder(config, "sdpa")
    sdpa.load_state_dict(eager.state_dict())
    torch.testing.assert_close(sdpa(mel(frames)), eager(mel(frames)), atol=2e-5, rtol=1e-4)


def test_sound_in_one_chunk_does_not_reach_the_others() -> None:
    encoder, clip = random_encoder(encoder_config()), mel(1000)
    louder = clip.clone()
    louder[:, :, 400:800] += 1
    changed = (encoder(clip).last_hidden != encoder(louder).last_hidden).any(dim=-1)[0]
    assert not changed[:50].any()
    assert changed[50:100].all()
    assert not changed[100:].any()


@pytest.mark.parametrize("implementation", ["eager", "sdpa"])
def test_half_precision_stays_finite(implementation: str) -> None:
    encoder = random_encoder(encoder_config(), implementation).to(torch.bfloat16)
    last_hidden = encoder(mel(907)).last_hidden
    assert last_hidden.dtype == torch.bfloat16
    assert last_hidden.isfinite().all()


def test_a_view_of_a_longer_clip_is_a_clip() -> None:
    encoder, clip = random_encoder(encoder_config()), mel(1600)
    torch.testing.assert_close(encoder(clip[:, :, 400:1200]), encoder(clip[:, :, 400:1200].contiguous()))


def test_positions_are_sines_then_cosines() -> None:
    table = sinusoids(3, 4, torch.device("cpu"))
    angles = [(position, position * 1e-4) for position in range(3)]
    expected = [[math.sin(fast), math.sin(slow), math.cos(fast), math.cos(slow)] for fast, slow in angles]
    torch.testing.assert_close(table, torch.tensor(expected))


def test_an_unknown_attention_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"no attention called 'flash_attention_2'.*eager, sdpa"):
        AudioEncoder(encoder_config(), "flash_attention_2")
