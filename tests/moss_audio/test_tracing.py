"""Fake tensors run the whole model without data, and no step of decoding waits for the device."""

from typing import Any

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode

from bench.moss_audio import MossAudioModel, released_config
from bench.moss_audio.configuration import audio_token_count, check_encoder_attention
from bench.weights.random import allocate, meta_model
from tests.moss_audio.small import mel, model_config, prompt, small_model

# Each makes the host wait for the device, or makes a shape depend on data.
WAITS = ("aten._local_scalar_dense", "aten.item", "aten.nonzero", "aten.masked_select", "aten.is_nonzero")


class Operators(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """The operators that ran."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.names: set[str] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.names.add(str(func))
        return func(*args, **(kwargs or {}))


def waits(names: set[str]) -> set[str]:
    return {name for name in names if name.startswith(WAITS)}


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
@pytest.mark.parametrize("frames", [200, 907])
def test_prefill_and_a_decode_step_trace_without_data(attention: str, frames: int) -> None:
    tokens = audio_token_count(frames)
    with FakeTensorMode(), torch.no_grad():
        model = MossAudioModel(model_config(attention=attention))
        given = prompt(tokens)
        first = model(**given, audio_features=mel_like(frames), use_cache=True)
        assert first.logits.shape == (1, tokens + 6, 97)
        second = model(
            input_ids=torch.zeros(1, 1, dtype=torch.long),
            past_key_values=first.past_key_values,
            use_cache=True,
        )
        assert second.logits.shape == (1, 1, 97)


def mel_like(frames: int) -> torch.Tensor:
    return torch.empty(1, 128, frames)


def test_the_released_4b_traces_a_long_clip_without_memory() -> None:
    frames = 30_000
    tokens = audio_token_count(frames)
    model = meta_model(released_config("MOSS-Audio-4B-Instruct"), dtype=torch.bfloat16)
    with FakeTensorMode(), torch.no_grad():
        allocate(model, torch.device("cpu"))
        output = model(**prompt(tokens), audio_features=mel_like(frames), use_cache=True)
        assert output.logits.shape == (1, tokens + 6, 151936)
        assert output.logits.dtype == torch.bfloat16


@torch.no_grad()
def test_neither_prefill_nor_decoding_waits_for_the_device() -> None:
    model = small_model()
    given = {**prompt(audio_token_count(907)), "audio_features": mel(907)}
    with Operators() as prefill:
        output = model(**given, use_cache=True)
    with Operators() as decode:
        model(input_ids=given["input_ids"][:, -1:], past_key_values=output.past_key_values, use_cache=True)
    assert not waits(prefill.names)
    assert not waits(decode.names)


@torch.no_grad()
@pytest.mark.parametrize(("implementation", "fused"), [("eager", False), ("sdpa", True)])
def test_the_encoder_runs_the_attention_that_was_asked_for(implementation: str, fused: bool) -> None:
    config = model_config()
    config.encoder_attn_implementation = check_encoder_attention(implementation)
    model = small_model(config)
    with Operators() as seen:
        model.audio_encoder(mel(907))
    assert any("scaled_dot_product" in name for name in seen.names) is fused
    assert any("softmax" in name for name in seen.names) is not fused
