"""The audio encoder: mel frames to audio tokens, chunk by chunk.

A clip is cut into chunks of 400 mel frames (4 s). Each chunk is encoded on its own: no attention across
chunks, positions start at 0 in each. Up to 64 chunks form one batch, which bounds the stem's memory.
"""

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn
from transformers.activations import ACT2FN

from bench.moss_audio.configuration import (
    AudioEncoderConfig,
    audio_token_count,
    check_encoder_attention,
    halved,
)

_FP16_MARGIN = 1000  # Whisper's encoder layers clamp float16 this far from infinity


class EncoderOutput(NamedTuple):
    """Hidden states of a whole clip, chunks joined: each `[batch, tokens, d_model]`."""

    last_hidden: Tensor
    taps: tuple[Tensor, ...]


class _Chunks(NamedTuple):
    """A clip in pieces. `mel`: `[batch * per_clip, mel_bins, frames]`; only the last of a clip is padded."""

    mel: Tensor
    per_clip: int
    last_tokens: int
    total_tokens: int


def sinusoids(length: int, channels: int, device: torch.device) -> Tensor:
    """Return Whisper's positions, `[length, channels]` float32: concat(sin, cos), timescales 1 to 10,000.

    Computed when needed: a non-persistent buffer is uninitialised after a load from the meta device.
    """
    half = channels // 2
    step = math.log(10000) / max(half - 1, 1)
    rates = torch.exp(-step * torch.arange(half, device=device, dtype=torch.float32))
    angles = torch.arange(length, device=device, dtype=torch.float32)[:, None] * rates[None, :]
    return torch.cat([angles.sin(), angles.cos()], dim=1)


class EncoderAttention(nn.Module):
    """Bidirectional attention as in Whisper: no bias on `k_proj`, the query scaled before the product."""

    def __init__(self, config: AudioEncoderConfig, implementation: str) -> None:
        super().__init__()
        self.heads = config.encoder_attention_heads
        self.scaling = (config.d_model // self.heads) ** -0.5
        self.implementation = check_encoder_attention(implementation)
        self.k_proj = nn.Linear(config.d_model, config.d_model, bias=False)
        self.v_proj = nn.Linear(config.d_model, config.d_model)
        self.q_proj = nn.Linear(config.d_model, config.d_model)
        self.out_proj = nn.Linear(config.d_model, config.d_model)

    def forward(self, hidden: Tensor, mask: Tensor | None) -> Tensor:
        """`hidden`: `[chunks, tokens, d_model]`; `mask`: additive, `[chunks, 1, 1, tokens]`."""
        query = self._split(self.q_proj(hidden) * self.scaling)
        key, value = self._split(self.k_proj(hidden)), self._split(self.v_proj(hidden))
        attend = _sdpa if self.implementation == "sdpa" else _eager
        mixed = attend(query, key, value, mask).transpose(1, 2).contiguous()
        return self.out_proj(mixed.view(hidden.shape))  # type: ignore[no-any-return]

    def _split(self, projected: Tensor) -> Tensor:
        chunks, tokens, _ = projected.shape
        return projected.view(chunks, tokens, self.heads, -1).transpose(1, 2).contiguous()


def _eager(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None) -> Tensor:
    scores = torch.matmul(query, key.transpose(2, 3))
    if mask is not None:
        scores = scores + mask
    return torch.matmul(F.softmax(scores, dim=-1), value)


def _sdpa(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None) -> Tensor:
    return F.scaled_dot_product_attention(query, key, value, attn_mask=mask, scale=1.0)


class EncoderLayer(nn.Module):
    """A Whisper encoder layer (pre-LayerNorm). Owned: transformers 4.57 and 5 call theirs differently."""

    def __init__(self, config: AudioEncoderConfig, implementation: str) -> None:
        super().__init__()
        self.self_attn = EncoderAttention(config, implementation)
        self.self_attn_layer_norm = nn.LayerNorm(config.d_model, eps=config.layer_norm_eps)
        self.fc1 = nn.Linear(config.d_model, config.encoder_ffn_dim)
        self.fc2 = nn.Linear(config.encoder_ffn_dim, config.d_model)
        self.final_layer_norm = nn.LayerNorm(config.d_model, eps=config.layer_norm_eps)
        self.activation = ACT2FN[config.activation_function]

    def forward(self, hidden: Tensor, mask: Tensor | None) -> Tensor:
        """`[chunks, tokens, d_model]` to the same shape."""
        hidden = hidden + self.self_attn(self.self_attn_layer_norm(hidden), mask)
        hidden = hidden + self.fc2(self.activation(self.fc1(self.final_layer_norm(hidden))))
        if hidden.dtype == torch.float16:
            limit = torch.finfo(torch.float16).max - _FP16_MARGIN
            hidden = hidden.clamp(min=-limit, max=limit)
        return hidden


class AudioEncoder(nn.Module):
    """Stem of three strided convolutions, sinusoidal positions, Whisper layers, final norm."""

    def __init__(self, config: AudioEncoderConfig, implementation: str = "eager") -> None:
        super().__init__()
        self.config = config
        channels, bins = config.downsample_hidden_size, config.num_mel_bins
        self.conv1 = nn.Conv2d(1, channels, kernel_size=3, stride=2, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, kernel_size=3, stride=2, padding=1)
        self.conv3 = nn.Conv2d(channels, channels, kernel_size=3, stride=2, padding=1)
        self.stem_proj = nn.Linear(channels * halved(halved(halved(bins))), config.d_model)
        self.layers = nn.ModuleList(
            EncoderLayer(config, implementation) for _ in range(config.encoder_layers)
        )
        self.layer_norm = nn.LayerNorm(config.d_model, eps=config.layer_norm_eps)

    def forward(self, mel: Tensor) -> EncoderOutput:
        """Encode whole clips of one length.

        Args:
            mel: `[batch, mel_bins, frames]`, log-mel at 100 frames a second.

        Returns:
            Hidden states after the final norm and after each tap, with `audio_token_count(frames)` tokens.
        """
        chunks = self._cut(mel.to(self.conv1.weight.dtype))
        limit = self.config.conv_chunksize
        parts = [
            self._encode(batch, self._tail_mask(chunks, index * limit, batch))
            for index, batch in enumerate(torch.split(chunks.mel, limit))
        ]
        last_hidden, *taps = (_join(pieces, chunks) for pieces in zip(*parts, strict=True))
        return EncoderOutput(last_hidden, tuple(taps))

    def _cut(self, mel: Tensor) -> _Chunks:
        batch, bins, frames = mel.shape
        size = self.config.chunk_frames
        count = -(-frames // size)
        if count == 1:
            return _Chunks(mel, 1, audio_token_count(frames), audio_token_count(frames))
        rest = frames - (count - 1) * size
        padded = F.pad(mel, (0, size - rest)) if rest < size else mel
        pieces = padded.reshape(batch, bins, count, size).transpose(1, 2).reshape(batch * count, bins, size)
        return _Chunks(pieces, count, audio_token_count(rest), audio_token_count(frames))

    def _tail_mask(self, chunks: _Chunks, first: int, batch: Tensor) -> Tensor | None:
        """Additive key mask over the zero-padded tail of each clip's last piece; None without padding."""
        tokens = audio_token_count(batch.shape[-1])
        last = [row for row in range(batch.shape[0]) if (first + row + 1) % chunks.per_clip == 0]
        if chunks.last_tokens == tokens or not last:
            return None
        mask = batch.new_zeros(batch.shape[0], 1, 1, tokens)
        for row in last:
            mask[row, :, :, chunks.last_tokens :] = torch.finfo(mask.dtype).min
        return mask

    def _stem(self, mel: Tensor) -> Tensor:
        hidden = F.gelu(self.conv1(mel[:, None]))
        hidden = F.gelu(self.conv2(hidden))
        hidden = F.gelu(self.conv3(hidden))
        flat = hidden.permute(0, 3, 1, 2).flatten(2)  # channels outer, mel inner
        embedded: Tensor = self.stem_proj(flat)
        positions = sinusoids(embedded.shape[1], embedded.shape[2], embedded.device)
        return embedded + positions.to(embedded.dtype)

    def _encode(self, mel: Tensor, mask: Tensor | None) -> tuple[Tensor, ...]:
        hidden, taps = self._stem(mel), []
        for index, layer in enumerate(self.layers):
            hidden = layer(hidden, mask)
            if index in self.config.deepstack_encoder_layer_indexes:
                taps.append(hidden)
        return (self.layer_norm(hidden), *taps)


def _join(pieces: tuple[Tensor, ...], chunks: _Chunks) -> Tensor:
    """Join chunks. Only the last one of a clip is short, so cutting the end cuts its padding."""
    joined = pieces[0] if len(pieces) == 1 else torch.cat(pieces)
    clips = joined.shape[0] // chunks.per_clip
    return joined.reshape(clips, -1, joined.shape[-1])[:, : chunks.total_tokens]
