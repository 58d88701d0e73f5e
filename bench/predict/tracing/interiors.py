"""Allocations inside the kernels of SDPA, which a dispatch mode does not see.

A trace has tensors of the CPU. There SDPA is one fused operator, or separate ones under `sdpa_kernel(MATH)`.

- `flash`: CUDA's `mha_fwd` (torch `aten/src/ATen/native/transformers/cuda/flash_attn/flash_api.cpp`,
  flash-attn `csrc/flash_attn/flash_api.cpp`) allocates the output in the type of the query and the logsumexp,
  `[batch, heads, positions]` in float32: those of the CPU's operator. Left out are its random state of 16
  bytes, and the buffers of work that is split over the card (in decode about 2 MiB at most), which are
  released when it ends.
- `memory_efficient` (torch `aten/src/ATen/native/transformers/cuda/attention.cu`,
  `_efficient_attention_forward`): the output. Without gradients the logsumexp has no elements. An accumulator
  in float32 exists only for heads of more than 128.
- `math` (torch `aten/src/ATen/native/transformers/attention.cpp`, `_scaled_dot_product_attention_math`): the
  operators that the dispatcher sees, but for two. `_safe_softmax` has an interior, and the causal mask is
  added to the scores in place, which torch does not do while a dispatch mode watches.

The fused ones lay their output out position by position.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

import torch
from torch import Tensor

from bench.records.enums import AttentionKernel

FUSED: Final = "aten::_scaled_dot_product_flash_attention_for_cpu"
"""The fused operator of a trace."""

Steps = Callable[..., Tensor | None]
"""An operator as other operators; it takes the arguments of the operator. None: it runs as it is."""


@dataclass(frozen=True, slots=True)
class SdpaInterior:
    """How a device runs SDPA: the name of its fused operator, and what runs in place of other operators."""

    fused_name: str
    has_logsumexp: bool
    steps: Mapping[object, Steps]

    def fused_results(self, results: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Return output and logsumexp of the fused operator as the device allocates them.

        On the meta device they have the layout of the query instead, which would cause copies that no device
        makes, and products that copy their weights.
        """
        mixed, logsumexp = results
        batch, heads, positions, width = mixed.shape
        output = mixed.new_empty(batch, positions, heads, width).transpose(1, 2)
        return output, logsumexp if self.has_logsumexp else logsumexp.new_empty(0)


def interior_of(kernel: AttentionKernel, kind: Literal["cpu", "cuda"]) -> SdpaInterior:
    """Return how a device runs SDPA, given the kernel of the language model.

    A CPU has one fused operator. The encoder has as many heads of keys as of queries: where the language
    model runs `math` on a card, the encoder's SDPA is memory-efficient.
    """
    steps = _MATH if kernel == "math" else _NONE
    if kind == "cpu":
        return SdpaInterior(FUSED, True, steps)
    if kernel in {"memory_efficient", "math"}:
        return SdpaInterior("aten::_scaled_dot_product_efficient_attention", False, steps)
    return SdpaInterior("aten::_scaled_dot_product_flash_attention", True, steps)


def _safe_softmax(scores: Tensor, dim: int, dtype: torch.dtype | None = None) -> Tensor:
    """Softmax without NaN in a row that has no keys: the steps of torch 2.13."""
    result = torch.softmax(scores, dim, dtype=dtype)
    is_masked = scores.isneginf()
    is_empty = is_masked.all(dim, keepdim=True)
    zero = torch.scalar_tensor(0.0, dtype=result.dtype, device=result.device)
    result.masked_fill_(is_empty, zero)
    del zero, is_empty, is_masked  # in the order of torch
    return result


def _add_mask(scores: Tensor, other: object) -> Tensor | None:
    """Add the causal mask, `[positions, positions]`, in place; None for any other sum."""
    if isinstance(other, Tensor) and (scores.dim(), other.dim()) == (4, 2):
        return scores.add_(other)
    return None


_MATH: Final[Mapping[object, Steps]] = MappingProxyType(
    {torch.ops.aten._safe_softmax.default: _safe_softmax, torch.ops.aten.add.Tensor: _add_mask}
)
_NONE: Final[Mapping[object, Steps]] = MappingProxyType({})
