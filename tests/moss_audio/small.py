"""Small models of the same architecture with random weights that matter: nothing is near zero or the same."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bench.moss_audio import AudioEncoderConfig, MossAudioConfig, MossAudioModel

VOCABULARY = 97
AUDIO_TOKEN = 90


def encoder_config(
    *,
    heads: int = 2,
    head_dim: int = 8,
    channels: int = 5,
    taps: tuple[int, ...] = (0, 2),
    n_window: int = 200,
    conv_chunksize: int = 64,
) -> AudioEncoderConfig:
    width = heads * head_dim
    return AudioEncoderConfig(
        d_model=width,
        output_dim=width,
        encoder_layers=taps[-1] + 2,
        encoder_attention_heads=heads,
        encoder_ffn_dim=width + 3,
        downsample_hidden_size=channels,
        deepstack_encoder_layer_indexes=taps,
        n_window=n_window,
        conv_chunksize=conv_chunksize,
    )


def model_config(
    audio: AudioEncoderConfig | None = None, *, attention: str = "sdpa", **changes: object
) -> MossAudioConfig:
    chosen = audio or encoder_config()
    taps = len(chosen.deepstack_encoder_layer_indexes)
    values: dict[str, Any] = {
        "audio_config": chosen,
        "language_config": {
            "vocab_size": VOCABULARY,
            "hidden_size": 24,
            "intermediate_size": 40,
            "num_hidden_layers": taps + 1,
            "num_attention_heads": 3,
            "num_key_value_heads": 1,
            "head_dim": 8,
            "rope_theta": 1e6,
        },
        "adapter_hidden_size": 20,
        "deepstack_num_inject_layers": taps,
        "attn_implementation": attention,
    }
    return MossAudioConfig(**{**values, **changes})


def small_model(config: MossAudioConfig | None = None, *, seed: int = 0) -> MossAudioModel:
    torch.manual_seed(seed)
    model = MossAudioModel(config or model_config())
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.2)
    model.train(False)
    return model


def mel(frames: int, *, batch: int = 1, seed: int = 0) -> Tensor:
    return torch.randn(batch, 128, frames, generator=torch.Generator().manual_seed(seed))


def prompt(tokens: int, *, batch: int = 1) -> dict[str, Tensor]:
    """Some text, the slots, some text."""
    ids = torch.tensor([[3, 1, 4, *[AUDIO_TOKEN] * tokens, 1, 5, 9]] * batch)
    return {"input_ids": ids, "audio_slots": torch.arange(3, 3 + tokens).repeat(batch, 1)}


def noise(seconds: float, *, seed: int = 0) -> NDArray[np.float32]:
    count = round(seconds * 16_000)
    return np.random.default_rng(seed).normal(scale=0.1, size=count).astype(np.float32)
