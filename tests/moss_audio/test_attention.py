"""SDPA without groups: the numbers of transformers' own call, from kernels that take no groups."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from transformers import DynamicCache
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

from bench.moss_audio import MossAudioConfig, MossAudioModel
from bench.moss_audio.attention import GROUPED, UNGROUPED, register_ungrouped, ungrouped_attention
from tests.moss_audio.small import VOCABULARY, encoder_config, mel, model_config, prompt, small_model

HEADS, KEY_HEADS, HEAD_DIM = 32, 8, 128  # of the released models


class SdpaCalls(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Shapes of queries and keys of every attention kernel."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.shapes: list[tuple[tuple[int, ...], tuple[int, ...]]] = []
        self.keys: list[Tensor] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if "_scaled_dot_product" in str(func):
            self.shapes.append((tuple(args[0].shape), tuple(args[1].shape)))
            self.keys.append(args[1])
        return func(*args, **(kwargs or {}))


@pytest.fixture(autouse=True)
def registry() -> Iterator[None]:
    """What a test registers, no other test finds."""
    with only_transformers_own():
        yield


@contextmanager
def only_transformers_own() -> Iterator[None]:
    known = ALL_ATTENTION_FUNCTIONS._global_mapping
    before = dict(known)
    known.pop(UNGROUPED, None)
    yield
    known.clear()
    known.update(before)


def pair(*, dtype: torch.dtype = torch.float32) -> tuple[MossAudioModel, MossAudioModel]:
    """The same weights, called with groups and without."""
    values = model_config().to_dict()
    models = [
        small_model(MossAudioConfig(**values, attn_implementation=name)).to(dtype)  # type: ignore[arg-type]
        for name in (GROUPED, UNGROUPED)
    ]
    return models[0], models[1]


def attended(positions: int, cached: int, dtype: torch.dtype) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Query, key and value as Qwen3 makes them, and the output of transformers' function."""
    draw = torch.Generator().manual_seed(positions)

    def heads(count: int, length: int) -> Tensor:
        return torch.randn(1, length, count, HEAD_DIM, generator=draw).to(dtype).transpose(1, 2)

    query, key, value = heads(HEADS, positions), heads(KEY_HEADS, cached), heads(KEY_HEADS, cached)
    grouped = ALL_ATTENTION_FUNCTIONS[GROUPED]
    expected, _ = grouped(layer(), query, key, value, None, scaling=HEAD_DIM**-0.5)
    return query, key, value, expected


def layer() -> torch.nn.Module:
    module = torch.nn.Module()
    module.num_key_value_groups, module.is_causal = HEADS // KEY_HEADS, True  # type: ignore[assignment]
    return module


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize(("positions", "cached"), [(50, 50), (1, 50), (1, 1), (3, 50)])
def test_attention_without_groups_gives_the_numbers_of_transformers(
    positions: int, cached: int, dtype: torch.dtype
) -> None:
    """A prompt, one token after it, one token alone, and several after others."""
    query, key, value, expected = attended(positions, cached, dtype)
    found, weights = ungrouped_attention(layer(), query, key, value, None, scaling=HEAD_DIM**-0.5)
    assert weights is None
    torch.testing.assert_close(found, expected)


def test_a_prompt_repeats_keys_and_a_token_reads_the_cache_where_it_is() -> None:
    calls, cache = SdpaCalls(), torch.randn(1, 50, KEY_HEADS, HEAD_DIM).transpose(1, 2)
    query = torch.randn(1, 50, HEADS, HEAD_DIM).transpose(1, 2)
    with calls:
        ungrouped_attention(layer(), query, cache, cache, None)
        ungrouped_attention(layer(), query[:, :, -1:], cache, cache, None)
    assert calls.shapes == [
        ((1, HEADS, 50, HEAD_DIM), (1, HEADS, 50, HEAD_DIM)),
        ((1, KEY_HEADS, HEADS // KEY_HEADS, HEAD_DIM), (1, KEY_HEADS, 50, HEAD_DIM)),
    ]
    assert calls.keys[1].data_ptr() == cache.data_ptr()


def test_a_model_makes_its_attention_known_and_importing_does_not() -> None:
    small_model()
    assert UNGROUPED not in ALL_ATTENTION_FUNCTIONS
    pair()
    register_ungrouped()
    assert ALL_ATTENTION_FUNCTIONS[UNGROUPED] is ungrouped_attention


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_logits_are_bit_equal_and_greedy_tokens_equal(dtype: torch.dtype) -> None:
    grouped, ungrouped = pair(dtype=dtype)
    inputs = {**prompt(38), "audio_features": mel(300).to(dtype)}
    with torch.no_grad():
        assert torch.equal(ungrouped(**inputs).logits, grouped(**inputs).logits)
    tokens = [
        model.generate(**inputs, max_new_tokens=32, min_new_tokens=32, do_sample=False)
        for model in (grouped, ungrouped)
    ]
    assert torch.equal(*tokens)


def test_a_batch_with_padding_gives_each_clip_its_own_answer() -> None:
    """The mask has to reach attention: an implementation without masks of its own would attend to padding."""
    grouped, ungrouped = pair()
    ids = torch.randint(0, VOCABULARY, (2, 12), generator=torch.Generator().manual_seed(1))
    mask = torch.ones(2, 12, dtype=torch.long)
    mask[0, :5] = 0
    short, whole = ids[:1, 5:], {"input_ids": ids, "attention_mask": mask}
    settings = {"max_new_tokens": 6, "min_new_tokens": 6, "do_sample": False, "pad_token_id": 0}
    with torch.no_grad():
        assert torch.allclose(ungrouped(**whole).logits[mask == 1], grouped(**whole).logits[mask == 1])
        padded = ungrouped.generate(**whole, **settings)[0, 12:]
        assert torch.equal(padded, ungrouped.generate(input_ids=short, **settings)[0, 7:])


def test_a_prompt_in_two_parts_gives_what_it_gives_at_once() -> None:
    _, model = pair()
    ids = torch.randint(0, VOCABULARY, (1, 12), generator=torch.Generator().manual_seed(1))
    cache = DynamicCache()
    with torch.no_grad():
        model(input_ids=ids[:, :7], past_key_values=cache, use_cache=True)
        later = model(input_ids=ids[:, 7:], past_key_values=cache, use_cache=True).logits
        assert torch.allclose(later, model(input_ids=ids).logits[:, 7:], atol=1e-5)


def test_one_head_a_group_needs_no_copy() -> None:
    config = model_config(encoder_config())
    plain = {**config.to_dict()["language_config"], "num_key_value_heads": 3}
    values = {**config.to_dict(), "language_config": plain}
    models = [
        small_model(MossAudioConfig(**values, attn_implementation=name)) for name in (GROUPED, UNGROUPED)
    ]
    ids = torch.arange(9)[None]
    with torch.no_grad():
        assert torch.equal(models[0](input_ids=ids).logits, models[1](input_ids=ids).logits)
