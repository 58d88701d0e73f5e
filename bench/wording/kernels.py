"""The attention kernel that will run, in words."""

from collections.abc import Mapping, Sequence
from typing import Final

from bench.records.enums import Attention, SdpaKernel
from bench.units import clip_length, gib

_ON_CARD: Final[Mapping[SdpaKernel, str]] = {
    "flash": "torch's FlashAttention kernel",
    "memory_efficient": "torch's memory-efficient kernel",
    "cudnn": "the cuDNN kernel",
    "math": "the math kernel, which stores the scores of all positions",
}
_FUSED_ON_CPU: Final = "torch's fused kernel for the CPU"
_NO_FLASH: Final = "; this build of torch has no FlashAttention kernels"
_UNGROUPED: Final = "without groups of heads, which would need the math kernel: a fused kernel is expected"
_UNKNOWN: Final = "a kernel that is not known until the run"


def sdpa(kernel: SdpaKernel | None, *, on_cpu: bool, has_flash: bool | None) -> str:
    """The kernel of SDPA, such as `torch's FlashAttention kernel`, and whether torch has that one at all."""
    if kernel is None:
        return _UNKNOWN
    if on_cpu:
        return _FUSED_ON_CPU if kernel == "flash" else _ON_CARD["math"]
    return _ON_CARD[kernel] + (_NO_FLASH if has_flash is False and kernel != "flash" else "")


def math_cost(extra_bytes: Sequence[tuple[float, int]]) -> str:
    """`math takes 0.24 GiB more than a fused kernel at 60 s of audio, 4.99 GiB at 300 s`: by clip length."""
    (first_s, first), *others = extra_bytes
    more = (f", {gib(size)} at {clip_length(clip_s)}" for clip_s, size in others)
    return (
        f"math takes {gib(first)} more than a fused kernel at {clip_length(first_s)} of audio{''.join(more)}"
    )


def attention(
    asked: Attention,
    kernel: SdpaKernel | None,
    *,
    on_cpu: bool,
    has_flash: bool | None,
    flash_attn: str | None,
    is_grouped: bool = True,
) -> str:
    """`sdpa runs torch's FlashAttention kernel`. `flash_attn` is the version of the package.

    `kernel` is for calls with groups of heads. Not `is_grouped`: the profile calls without them.
    """
    match asked:
        case Attention.EAGER:
            runs = "separate operators, which store the scores of all positions"
        case Attention.SDPA if not is_grouped and not on_cpu:
            runs = _UNGROUPED
        case Attention.SDPA:
            runs = sdpa(kernel, on_cpu=on_cpu, has_flash=has_flash)
        case Attention.FLASH_ATTENTION_2:
            runs = f"flash-attn {flash_attn or '(of unknown version)'}"
    return f"{asked} runs {runs}"
