"""Tensors without memory run the operators that a CPU runs."""

import pytest
import torch
import torch.nn.functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel

from bench.predict.tracing.interiors import FUSED, interior_of
from bench.predict.tracing.meta import META, LikeCpu, like_cpu
from bench.predict.tracing.recorder import Recorder


def operators(recorder: Recorder) -> list[str]:
    return [kernel.name for kernel in recorder.recording().kernels]


@pytest.mark.parametrize("key_heads", [8, 2])
def test_sdpa_is_one_fused_operator(key_heads: int) -> None:
    recorder = Recorder(1, interior_of("flash", "cpu"))
    with META:
        query, key = torch.empty(1, 8, 5, 16), torch.empty(1, key_heads, 5, 16)
    with torch.no_grad(), LikeCpu(), recorder:
        mixed = F.scaled_dot_product_attention(query, key, key, is_causal=True, enable_gqa=key_heads < 8)
    assert (mixed.shape, operators(recorder)) == (query.shape, [FUSED])


def test_sdpa_is_several_operators_where_math_is_asked_for() -> None:
    recorder = Recorder(1, interior_of("math", "cpu"))
    with META:
        query = torch.empty(1, 8, 5, 16)
    with torch.no_grad(), LikeCpu(), recorder, sdpa_kernel(SDPBackend.MATH):
        F.scaled_dot_product_attention(query, query, query)
    assert "aten::bmm" in operators(recorder)
    assert FUSED not in operators(recorder)


def test_a_tensor_of_given_numbers_is_an_allocation_on_meta() -> None:
    recorder = Recorder(1, interior_of("flash", "cpu"))
    with LikeCpu(), recorder:
        made = torch.tensor([1, 2, 3], device="cpu")
    assert (made.device, made.dtype) == (META, torch.int64)
    assert [event.size_bytes for event in recorder.recording().events] == [24]


def test_a_layer_norm_keeps_its_statistics_in_the_type_of_its_input() -> None:
    recorder = Recorder(1, interior_of("flash", "cpu"))
    with META:
        rows = torch.empty(100, 64, dtype=torch.bfloat16)
    with torch.no_grad(), LikeCpu(), recorder:
        normed = F.layer_norm(rows, (64,))
    assert normed.shape == rows.shape
    sizes = [event.size_bytes for event in recorder.recording().events if event.size_bytes]
    assert sizes == [100 * 64 * 2, 100 * 2, 100 * 2]


def test_autocast_can_be_switched_off_for_meta_while_a_trace_runs() -> None:
    with like_cpu(), torch.autocast(device_type="meta", enabled=False):
        made = torch.empty(2, device=META) + 1
    assert made.dtype == torch.float32
    with pytest.raises(RuntimeError, match=r"autocast|scalarType"):
        torch.autocast(device_type="meta", enabled=False)
