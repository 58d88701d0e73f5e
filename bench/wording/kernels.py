"""The attention kernel that will run, in words."""

from collections.abc import Mapping
from typing import Final

from bench.records.enums import Attention, SdpaKernel

_ON_CARD: Final[Mapping[SdpaKernel, str]] = {
    "flash": "torch's FlashAttention kernel",
    "memory_efficient": "torch's memory-efficient kernel",
    "cudnn": "the cuDNN kernel",
    "math": "the math kernel, which stores the scores of all positions",
}
_FUSED_ON_CPU: Final = "torch's fused kernel for the CPU"
_NO_FLASH: Final = "; this build of torch has no FlashAttention kernels"
_UNKNOWN: Final = "a kernel that is not known until the run"


def sdpa(kernel: SdpaKernel | None, *, on_cpu: bool, has_flash: bool) -> str:
    """The kernel of SDPA, such as `torch's FlashAttention kernel`, and whether torch has that one at all."""
    if kernel is None:
        return _UNKNOWN
    if on_cpu:
        return _FUSED_ON_CPU if kernel == "flash" else _ON_CARD["math"]
    return _ON_CARD[kernel] + ("" if has_flash or kernel == "flash" else _NO_FLASH)


def attention(
    asked: Attention, kernel: SdpaKernel | None, *, on_cpu: bool, has_flash: bool, flash_attn: str | None
) -> str:
    """`sdpa runs torch's FlashAttention kernel`. `flash_attn` is the version of the package."""
    match asked:
        case Attention.EAGER:
            runs = "separate operators, which store the scores of all positions"
        case Attention.SDPA:
            runs = sdpa(kernel, on_cpu=on_cpu, has_flash=has_flash)
        case Attention.FLASH_ATTENTION_2:
            runs = f"flash-attn {flash_attn or '(of unknown version)'}"
    return f"{asked} runs {runs}"
