"""The counts against the real thing: torch's own counter over the tiny model, tensors of the 4B one."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from bench import shipped
from bench.arithmetic import architecture
from bench.arithmetic.shapes import Shapes, shapes_of
from bench.engines.interface import ModelSource, Request
from bench.engines.native.engine import NativeEngine
from bench.moss_audio import MossAudioModel, released_config
from bench.records.cell import Requested
from bench.records.enums import Attention, Phase, Profile, WeightMode
from bench.weights.random import meta_model
from bench.weights.tiny import write_tiny_checkpoint
from tests.moss_audio.small import encoder_config, mel, model_config, small_model
from tests.samples.records import GREEDY, tiny_requested


def requested(profile: Profile, attention: Attention) -> Requested:
    return tiny_requested(profile=profile, attention=attention, max_tokens=1)


class Counted:
    """Operations as torch's dispatcher saw them, phase by phase."""

    def __init__(self) -> None:
        self.counter = FlopCounterMode(display=False)
        self.begun = dict.fromkeys(Phase, 0)
        self.order: list[Phase] = []

    def begin(self, phase: Phase) -> None:
        self.order.append(phase)
        self.begun[phase] = self.counter.get_total_flops()

    def token(self) -> None:
        pass

    def end(self) -> None:
        pass

    def of(self, phase: Phase) -> int:
        following = self.order[self.order.index(phase) + 1]
        return self.begun[following] - self.begun[phase]


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "tiny"
    write_tiny_checkpoint(path)
    return path


def tiny_shapes(directory: Path) -> Shapes:
    return shapes_of(json.loads((directory / "config.json").read_text()))


@pytest.mark.parametrize("profile", Profile)
@pytest.mark.parametrize("attention", [Attention.EAGER, Attention.SDPA])
@pytest.mark.parametrize("clip_s", [0.73, 4.0, 9.5])
def test_operations_of_a_real_generation_are_those_that_torch_counts(
    directory: Path, profile: Profile, attention: Attention, clip_s: float
) -> None:
    """Exactly, once the half that the mask throws away is added: torch counts what kernels are asked for."""
    source = ModelSource(name="tiny", weight_mode=WeightMode.TINY, directory=directory)
    engine = NativeEngine(source, torch.device("cpu"))
    engine.load(requested(profile, attention))
    noise = np.random.default_rng(1).normal(0, 0.1, round(clip_s * 16000)).astype(np.float32)
    request = Request(noise, "Describe this audio.", True, 3, True, GREEDY, 0)
    counted = Counted()
    # torch counts the fused kernel of the CPU as nothing, and the same attention in plain products in full.
    with counted.counter, sdpa_kernel(SDPBackend.MATH):
        generation = engine.generate(request, counted)
    work, shapes = engine.work(request, generation), tiny_shapes(directory)
    assert work.encode_operations == counted.of(Phase.ENCODE)
    text, prompt = shapes.language_config, generation.prompt_tokens
    masked = architecture.attention_operations(text, prompt * prompt - architecture.causal_pairs(prompt))
    expected = work.prefill_operations + text.num_hidden_layers * masked
    # transformers 4 makes the rotary angles by a matrix product, transformers 5 does not; neither is counted.
    rotary = 2 * prompt * text.head_dim // 2
    assert counted.of(Phase.PREFILL) - expected in {0, rotary}


@settings(max_examples=10)
@given(st.integers(0, 3), st.none() | st.integers(0, 4))
def test_mergers_are_counted_as_the_model_has_them(taps: int, most: int | None) -> None:
    audio = replace(encoder_config(taps=(0, 1, 2)), deepstack_encoder_layer_indexes=tuple(range(taps)))
    config = model_config(
        encoder_config(taps=(0, 1, 2)), audio_config=audio, deepstack_num_inject_layers=most
    )
    shapes, model = shapes_of(config.to_dict()), small_model(config)
    assert architecture.parameters(shapes).total == sum(p.numel() for p in model.parameters())
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model.encode_audio(mel(60))
    assert architecture.encode_operations(shapes, 60) == counter.get_total_flops()


def meta_4b() -> MossAudioModel:
    return meta_model(released_config("MOSS-Audio-4B-Instruct"), dtype=torch.bfloat16)


def shapes_4b() -> Shapes:
    file = shipped.data("models", "MOSS-Audio-4B-Instruct.json")
    return shapes_of(json.loads(file.read_text(encoding="utf-8")))


def test_parameters_of_the_4b_model_are_those_of_its_tensors() -> None:
    model, counted = meta_4b(), architecture.parameters(shapes_4b())
    for name, count in (
        ("audio_encoder", counted.audio_encoder),
        ("audio_adapter", counted.audio_adapter),
        ("deepstack_audio_merger_list", counted.deepstack_mergers),
        ("language_model", counted.language_model),
        ("lm_head", counted.lm_head),
    ):
        assert count == sum(p.numel() for p in model.get_submodule(name).parameters())
    assert counted == (643_624_320, 41_943_040, 125_829_120, 4_022_468_096, 388_956_160)
    assert counted.total == 5_222_820_736


def test_a_token_of_the_4b_model_reads_its_language_model_one_embedding_and_the_cache() -> None:
    """Every tensor of the language model but the table of embeddings, of which it reads a row."""
    model = meta_4b()
    text = model.config.language_config
    read = [p for name, p in model.language_model.named_parameters() if name != "embed_tokens.weight"]
    weights = sum(p.nbytes for p in [*read, *model.lm_head.parameters()])
    cache = 2 * 36 * 8 * 128 * (100 + 64) * 2
    counted = architecture.decode_bytes_per_token(
        shapes_4b(), prompt_tokens=100, generated_tokens=128, element_bytes=2
    )
    assert counted == weights + text.hidden_size * 2 + cache


def test_the_mean_context_is_that_of_the_steps() -> None:
    shapes, prompt, tokens = shapes_4b(), 57, 9
    read = [prompt + step for step in range(1, tokens)]
    expected = architecture.kv_cache_bytes(shapes.language_config, sum(read) / len(read), 2)
    empty = architecture.decode_bytes_per_token(shapes, prompt_tokens=-1, generated_tokens=2, element_bytes=2)
    counted = architecture.decode_bytes_per_token(
        shapes, prompt_tokens=prompt, generated_tokens=tokens, element_bytes=2
    )
    assert counted - empty == expected


def test_a_clip_is_cut_as_the_encoder_cuts_it() -> None:
    audio = shapes_4b().audio_config
    assert architecture.chunks(audio, 399) == (1, 399, 50)
    assert architecture.chunks(audio, 400) == (1, 400, 50)
    assert architecture.chunks(audio, 401) == (2, 400, 50)
