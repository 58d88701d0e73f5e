"""The kernel that a CUDA build of torch runs for SDPA in the language model, by rules. Pure: no torch.

torch tries its kernels in an order and takes the first that accepts the call; *math* accepts every call.

- flash (`sdp_utils.cpp` of torch, `can_use_flash_attention`): 16 bits, compute capability 8.0 or newer.
  Windows builds do not contain it up to torch 2.14 (pytorch pull request 186343; the tests of torch skip it
  there).
- memory-efficient: 16 bits (BF16 from 8.0 on) or float32. It takes grouped queries (`enable_gqa`) from torch
  2.14 on (pull request 191085), before that only as many heads of keys as of queries.
- math: separate operators; their tensors grow with the square of the prompt.

transformers 4.57 and 5 call SDPA with `enable_gqa` wherever there is no mask, which is always so for a clip
without padding. cuDNN's kernel, which H100 and B200 may prefer, allocates as flash does.
"""

from dataclasses import dataclass
from typing import Final, Literal

from bench.records.enums import SdpaKernel

KernelSystem = Literal["linux", "windows"]
"""WSL2 runs Linux builds."""

NEWEST_RULES: Final = "2.14"
"""The newest torch whose sources were read."""
_GROUPS_IN_MEMORY_EFFICIENT: Final = (2, 14)
_FLASH_SINCE: Final = 8.0
_SIXTEEN_BITS: Final = frozenset({"bfloat16", "float16"})


@dataclass(frozen=True, slots=True)
class TorchBuild:
    """A CUDA build of torch. `version` is its release, such as (2, 13)."""

    system: KernelSystem
    version: tuple[int, int]

    @property
    def has_flash(self) -> bool:
        """Whether it contains the flash kernels."""
        return self.system == "linux"

    @property
    def memory_efficient_takes_groups(self) -> bool:
        """Whether the memory-efficient kernel accepts fewer heads of keys than of queries."""
        return self.version >= _GROUPS_IN_MEMORY_EFFICIENT


def takes_flash(dtype: str, capability: float) -> bool:
    """Whether the flash kernels of torch run numbers of this type on a card of this compute capability."""
    return dtype in _SIXTEEN_BITS and capability >= _FLASH_SINCE


def chosen_kernel(build: TorchBuild, *, compute_capability: str, dtype: str, is_grouped: bool) -> SdpaKernel:
    """Return the kernel for a prompt without padding.

    `is_grouped`: SDPA is called with `enable_gqa`, not with keys and values repeated for each head.
    """
    capability = float(compute_capability)
    if build.has_flash and takes_flash(dtype, capability):
        return "flash"
    if dtype == "bfloat16" and capability < _FLASH_SINCE:
        return "math"
    return "memory_efficient" if not is_grouped or build.memory_efficient_takes_groups else "math"
