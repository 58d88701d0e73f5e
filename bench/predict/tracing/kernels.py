"""From the operators of a CPU to those of CUDA, where they differ. Pure: no torch.

A trace with fake CUDA tensors on a build without CUDA falls to attention with a matrix of positions squared;
so the model is traced as CPU tensors, and the fused attention is mapped. What CUDA's `mha_fwd` allocates (in
torch `aten/src/ATen/native/transformers/cuda/flash_attn/flash_api.cpp`, in flash-attn `csrc/flash_attn/
flash_api.cpp`) is the output in the type of the query and the logsumexp, `[batch, heads, positions]` in
float32: the same sizes as those of the CPU's kernel. Its random state of 16 bytes is left out, and so is what
it takes where it splits short work over the card (in decode about 2 MiB at most), which goes when it ends.
Other operators return results of the same sizes on both.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from bench.predict.events import Kernel

_ON_CUDA: Final = {
    "aten::_scaled_dot_product_flash_attention_for_cpu": "aten::_scaled_dot_product_flash_attention"
}


def as_on_cuda(kernels: Sequence[Kernel]) -> tuple[Kernel, ...]:
    """The same kernels by the names that they have on a card."""
    return tuple(
        replace(kernel, name=_ON_CUDA[kernel.name]) if kernel.name in _ON_CUDA else kernel
        for kernel in kernels
    )
