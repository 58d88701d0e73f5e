"""The attention kernels of a submodule, from the names of the operators that the dispatcher ran. Pure."""

from collections.abc import Collection
from typing import Final

from bench.records.cell import SubmoduleKernels
from bench.records.enums import AttentionKernel

FLASH_ATTN_PACKAGE: Final = ("flash_attn::", "flash_attn_2_cuda::")
# torch's fused kernels; scaled_dot_product_attention itself is composite and never reaches a dispatch mode.
_FUSED: Final = (
    "aten::_scaled_dot_product",
    "aten::_flash_attention_forward",
    "aten::_efficient_attention_forward",
    "aten::_cudnn_attention_forward",
)
_FUSED_KERNELS: Final[dict[str, AttentionKernel]] = {
    "_flash_attention": "flash",
    "_efficient_attention": "memory_efficient",
    "_cudnn_attention": "cudnn",
}
SOFTMAX: Final = "aten::_softmax"
_UNFUSED_SDPA: Final = "aten::_safe_softmax"
"""The unfused path of scaled_dot_product_attention is its only caller."""


def is_attention(name: str) -> bool:
    """Whether an operator is attention whatever its arguments; those of `SOFTMAX` decide."""
    return name.startswith((*_FUSED, *FLASH_ATTN_PACKAGE)) or name == _UNFUSED_SDPA


def kernels_of(names: Collection[str]) -> SubmoduleKernels:
    """Return the attention and the kernel of a submodule that ran these operators."""
    kernels = {kernel_of(name) for name in names}
    return SubmoduleKernels(
        attention=" + ".join(sorted({_kind(name) for name in names})) or "none",
        operators=tuple(sorted(names)),
        kernel=kernels.pop() if len(kernels) == 1 else None,
    )


def kernel_of(name: str) -> AttentionKernel | None:
    """Return the kernel of an operator; None of an unknown one."""
    if name.startswith(FLASH_ATTN_PACKAGE):
        return "flash"
    if name == SOFTMAX:
        return "eager"
    if name == _UNFUSED_SDPA:
        return "math"
    return next((kernel for part, kernel in _FUSED_KERNELS.items() if part in name), None)


def _kind(name: str) -> str:
    if name.startswith(FLASH_ATTN_PACKAGE):
        return "flash_attention_2"
    if name == SOFTMAX:
        return "eager"
    return "sdpa (unfused)" if name == _UNFUSED_SDPA else "sdpa"
