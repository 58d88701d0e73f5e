"""Kernels of cards, which no CPU runs, by the names of their operators."""

import pytest

from bench.measure.attention_operators import kernels_of


@pytest.mark.parametrize(
    ("operators", "kernel"),
    [
        ({"aten::_scaled_dot_product_flash_attention"}, "flash"),
        ({"aten::_scaled_dot_product_efficient_attention"}, "memory_efficient"),
        ({"aten::_scaled_dot_product_cudnn_attention"}, "cudnn"),
        ({"flash_attn::_flash_attn_forward"}, "flash"),
        ({"aten::_scaled_dot_product_fused_attention_overrideable"}, None),  # of another kind of device
        ({"aten::_scaled_dot_product_flash_attention", "aten::_safe_softmax"}, None),
        (set(), None),
    ],
)
def test_kernels_of_cards_are_named_by_their_operators(operators: set[str], kernel: str | None) -> None:
    assert kernels_of(operators).kernel == kernel
