"""SDPA without groups on a card: the memory-efficient kernel takes it, as is expected of Windows builds."""

import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from transformers.integrations.sdpa_attention import sdpa_attention_forward

from bench.moss_audio.attention import ungrouped_attention

pytestmark = pytest.mark.gpu
HEADS, KEY_HEADS, HEAD_DIM = 32, 8, 128


@pytest.mark.parametrize("positions", [1657, 1])
def test_the_memory_efficient_kernel_takes_prompts_and_tokens(positions: int) -> None:
    """A kernel that does not accept the call raises here: no other one may run."""
    layer = torch.nn.Module()
    layer.num_key_value_groups, layer.is_causal = HEADS // KEY_HEADS, True  # type: ignore[assignment]
    kind = {"device": "cuda", "dtype": torch.bfloat16}
    query = torch.randn(1, positions, HEADS, HEAD_DIM, **kind).transpose(1, 2)  # type: ignore[call-overload]
    key, value = (torch.randn(1, KEY_HEADS, 1657, HEAD_DIM, **kind) for _ in "kv")  # type: ignore[call-overload]
    with torch.no_grad(), sdpa_kernel(SDPBackend.MATH):
        expected, _ = sdpa_attention_forward(layer, query, key, value, None, scaling=HEAD_DIM**-0.5)
    with torch.no_grad(), sdpa_kernel(SDPBackend.EFFICIENT_ATTENTION):
        found, _ = ungrouped_attention(layer, query, key, value, None, scaling=HEAD_DIM**-0.5)
    torch.testing.assert_close(found, expected, atol=2e-2, rtol=2e-2)
