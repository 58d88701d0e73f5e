"""Random weights: the shapes of the released models, sane values, and never two copies in memory."""

import subprocess
import sys
from pathlib import Path

import psutil
import pytest
import torch

from bench.moss_audio import MossAudioConfig, MossAudioModel, MossAudioProcessor, released_config
from bench.weights.random import STANDARD_DEVIATION, meta_model, random_model
from tests.moss_audio.small import mel, model_config, noise, prompt

ROOT = Path(__file__).parents[2]
PARTS = {
    "4B": {
        "audio_encoder": 643_624_320,
        "audio_adapter": 41_943_040,
        "deepstack_audio_merger_list": 125_829_120,
        "language_model": 4_022_468_096,
        "lm_head": 388_956_160,
    },
    "8B": {
        "audio_encoder": 643_624_320,
        "audio_adapter": 54_525_952,
        "deepstack_audio_merger_list": 163_577_856,
        "language_model": 7_568_405_504,
        "lm_head": 622_329_856,
    },
}


def make(config: MossAudioConfig, *, seed: int = 0, dtype: torch.dtype = torch.float32) -> MossAudioModel:
    return random_model(config, dtype=dtype, device="cpu", seed=seed)


@pytest.mark.parametrize("kind", ["Instruct", "Thinking"])
@pytest.mark.parametrize(("size", "total_bytes"), [("4B", 10_445_641_472), ("8B", 18_104_926_976)])
def test_shapes_are_those_of_the_released_checkpoints(size: str, kind: str, total_bytes: int) -> None:
    model = meta_model(released_config(f"MOSS-Audio-{size}-{kind}"), dtype=torch.bfloat16)
    state = model.state_dict()
    assert len(state) == 901
    assert sum(tensor.numel() * tensor.element_size() for tensor in state.values()) == total_bytes
    parts = {name: sum(one.numel() for one in part.parameters()) for name, part in model.named_children()}
    assert parts == PARTS[size]


def test_one_seed_gives_one_model() -> None:
    first, same, other = make(model_config()), make(model_config()), make(model_config(), seed=1)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), same.parameters(), strict=True))
    assert not torch.equal(first.lm_head.weight, other.lm_head.weight)


def test_values_have_the_stated_spread_and_norms_are_one() -> None:
    model = make(model_config())
    for name, tensor in model.state_dict().items():
        if name.endswith(".bias"):
            assert not tensor.any()
        elif tensor.dim() == 1:
            assert (tensor == 1).all()
        else:
            spread = STANDARD_DEVIATION
            assert tensor.std() == pytest.approx(spread, rel=0.3), name
            assert tensor.mean().abs() < spread, name


def big_config() -> MossAudioConfig:
    """More weights than the pool of draws has, so that the pool is used: 21 million."""
    return MossAudioConfig(
        audio_config={
            "d_model": 32,
            "output_dim": 32,
            "encoder_layers": 2,
            "encoder_attention_heads": 2,
            "encoder_ffn_dim": 32,
            "downsample_hidden_size": 8,
            "deepstack_encoder_layer_indexes": [0],
        },
        language_config={
            "vocab_size": 151_936,
            "hidden_size": 64,
            "intermediate_size": 64,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "num_key_value_heads": 1,
            "head_dim": 32,
        },
        adapter_hidden_size=32,
        deepstack_num_inject_layers=1,
    )


def test_large_models_are_filled_from_the_pool_without_equal_rows() -> None:
    model = make(big_config(), dtype=torch.bfloat16)
    for weight in (model.lm_head.weight, model.language_model.embed_tokens.weight):
        assert weight.float().std() == pytest.approx(STANDARD_DEVIATION, rel=0.02)
        assert torch.unique(weight[:20_000].view(torch.int16), dim=0).shape[0] == 20_000
    assert not torch.equal(model.lm_head.weight, model.language_model.embed_tokens.weight)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@torch.no_grad()
def test_it_runs_and_rotary_frequencies_are_right(dtype: torch.dtype) -> None:
    model = make(model_config(), dtype=dtype)
    assert {parameter.dtype for parameter in model.parameters()} == {dtype}
    assert not any(tensor.is_meta for tensor in (*model.parameters(), *model.buffers()))
    frequencies = model.language_model.rotary_emb.inv_freq
    torch.testing.assert_close(frequencies, 1e6 ** (-torch.arange(0, 8, 2) / 8))
    logits = model(**prompt(67), audio_features=mel(530)).logits
    assert logits.isfinite().all()
    assert logits.std() > 1e-3


def test_attention_is_as_asked_for() -> None:
    config = model_config()
    model = random_model(
        config, dtype=torch.float32, device="cpu", seed=0, attention="eager", encoder_attention="sdpa"
    )
    assert model.language_model.config._attn_implementation == "eager"
    assert model.config.encoder_attn_implementation == "sdpa"
    assert config.encoder_attn_implementation == "eager"  # what came in is not changed


_FULL_SIZE = """
import resource, time, torch
from bench.moss_audio import released_config
from bench.weights.random import random_model
torch.set_num_threads(2)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
start = time.perf_counter()
config = released_config("MOSS-Audio-4B-Instruct")
model = random_model(config, dtype=torch.bfloat16, device="cpu", seed=0)
seconds = time.perf_counter() - start
print(seconds, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024)
"""


@pytest.mark.full_size
@pytest.mark.timeout(300)
def test_the_4b_is_ready_soon_and_held_once() -> None:
    if psutil.virtual_memory().available < 14 * 10**9:
        pytest.skip("needs 14 GB of free memory")
    run = subprocess.run(
        [sys.executable, "-c", _FULL_SIZE], cwd=ROOT, capture_output=True, text=True, check=True, timeout=240
    )
    seconds, grown = (float(word) for word in run.stdout.split())
    assert seconds < 30
    assert grown < 10_445_641_472 + 300 * 10**6


@pytest.mark.full_size
@torch.no_grad()
def test_the_4b_answers_a_short_clip() -> None:
    if psutil.virtual_memory().available < 14 * 10**9:
        pytest.skip("needs 14 GB of free memory")
    model = make(released_config("MOSS-Audio-4B-Instruct"), dtype=torch.bfloat16)
    inputs = MossAudioProcessor.without_tokenizer()(text="Describe this audio.", audio=noise(5))
    tokens = model.generate(**inputs, max_new_tokens=3, min_new_tokens=3, do_sample=False)
    assert tokens.shape[1] == inputs["input_ids"].shape[1] + 3
