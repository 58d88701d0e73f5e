"""The kernel that torch chooses for SDPA in the language model, asked of torch's own dispatcher."""

from typing import Final

import torch

from bench.records.enums import SdpaKernel

_HEADS, _KV_HEADS, _HEAD_DIM, _POSITIONS = 32, 8, 128, 16  # as in the released models; few positions
# torch.nn.attention.SDPBackend
_KERNELS: Final[dict[int, SdpaKernel]] = {0: "math", 1: "flash", 2: "memory_efficient", 3: "cudnn"}


def sdpa_kernel(device: str, dtype: str) -> SdpaKernel | None:
    """Return the kernel for a prompt without padding; None if this torch does not say. Nothing is computed.

    Groups of heads share their keys without a copy, as transformers does where there is no mask.
    """
    choose = getattr(torch, "_fused_sdp_choice", None)  # what scaled_dot_product_attention itself asks
    if choose is None:
        return None
    try:
        kind = {"dtype": getattr(torch, dtype), "device": device}
        query = torch.empty(1, _HEADS, _POSITIONS, _HEAD_DIM, **kind)
        keys = torch.empty(1, _KV_HEADS, _POSITIONS, _HEAD_DIM, **kind)
        return _KERNELS.get(int(choose(query, keys, keys, None, 0.0, True, enable_gqa=True)))
    except (
        RuntimeError,
        TypeError,
        AssertionError,
    ):  # a full card, no CUDA, another signature: the run shows it
        return None


def has_flash_kernels() -> bool | None:
    """Whether this build of torch has FlashAttention kernels for cards; None if this torch does not say."""
    backend = getattr(getattr(torch, "backends", None), "cuda", None)
    available = getattr(backend, "is_flash_attention_available", None)
    return None if available is None else bool(available())
