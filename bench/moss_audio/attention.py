"""Attention of the language model by SDPA without `enable_gqa`, as one of transformers' implementations.

transformers 4.57 and 5 call SDPA with fewer heads of keys than of queries (`enable_gqa`) where there is no
mask. Where no fused kernel takes such a call, *math* runs: it stores the scores of all pairs of positions,
and copies the whole cache in every decode step. Fused kernels take the calls that are made here.
"""

from typing import Any, Final

import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import repeat_kv, sdpa_attention_forward
from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS

GROUPED: Final = "sdpa"
"""transformers' own implementation."""
UNGROUPED: Final = "sdpa_ungrouped"
"""The name of `ungrouped_attention` as an `attn_implementation`."""


def register_ungrouped() -> None:
    """Make `UNGROUPED` known to transformers, with the masks of its SDPA. Any number of times.

    Without an entry of its own, transformers makes no mask for an implementation.
    """
    AttentionInterface.register(UNGROUPED, ungrouped_attention)
    AttentionMaskInterface.register(UNGROUPED, ALL_MASK_ATTENTION_FUNCTIONS[GROUPED])


def ungrouped_attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    *,
    scaling: float | None = None,
    dropout: float = 0.0,
    **kwargs: Any,
) -> tuple[Tensor, None]:
    """Return causal attention, `[batch, positions, heads, head_dim]`, and no weights.

    A whole prompt repeats keys and values for each head of its group. One position (decode) puts the heads of
    a group where positions are, so that nothing is copied. Other calls have a mask, or would need one:
    transformers' function, which does not group where there is a mask, computes them.

    Args:
        module: the layer's attention; its `num_key_value_groups` is the number of heads in a group.
        query: `[batch, heads, positions, head_dim]`.
        key: `[batch, key heads, positions with the cache, head_dim]`, as `value`.
        attention_mask: as transformers makes it for SDPA; None for a causal call without padding.
        scaling: of the scores; None: 1 / sqrt(head_dim).
        dropout: of the weights.
        kwargs: further arguments of transformers' SDPA function.
    """
    batch, heads, positions, head_dim = query.shape
    if attention_mask is not None or positions not in {1, key.shape[2]}:
        return sdpa_attention_forward(
            module, query, key, value, attention_mask, scaling=scaling, dropout=dropout, **kwargs
        )
    if positions == 1:
        folded = query.reshape(batch, key.shape[1], -1, head_dim)
        mixed = F.scaled_dot_product_attention(folded, key, value, dropout_p=dropout, scale=scaling)
        return mixed.reshape(batch, 1, heads, head_dim), None
    groups = heads // key.shape[1]
    mixed = F.scaled_dot_product_attention(
        query,
        repeat_kv(key, groups),
        repeat_kv(value, groups),
        dropout_p=dropout,
        scale=scaling,
        is_causal=True,
    )
    return mixed.transpose(1, 2).contiguous(), None
