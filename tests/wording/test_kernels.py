"""The attention kernel that will run, in words."""

from typing import get_args

import pytest

from bench.records.enums import Attention, SdpaKernel
from bench.wording.kernels import attention, math_cost, sdpa


@pytest.mark.parametrize(
    ("kernel", "on_cpu", "has_flash", "words"),
    [
        ("flash", False, True, "torch's FlashAttention kernel"),
        ("cudnn", False, True, "the cuDNN kernel"),
        (
            "memory_efficient",
            False,
            False,
            "torch's memory-efficient kernel; this build of torch has no FlashAttention kernels",
        ),
        ("math", False, True, "the math kernel, which stores the scores of all positions"),
        ("math", False, None, "the math kernel, which stores the scores of all positions"),
        ("flash", True, False, "torch's fused kernel for the CPU"),
        ("math", True, False, "the math kernel, which stores the scores of all positions"),
        (None, False, False, "a kernel that is not known until the run"),
    ],
)
def test_each_kernel_has_a_name(
    kernel: SdpaKernel | None, on_cpu: bool, has_flash: bool | None, words: str
) -> None:
    assert sdpa(kernel, on_cpu=on_cpu, has_flash=has_flash) == words


@pytest.mark.parametrize("kernel", get_args(SdpaKernel))
def test_only_sdpa_depends_on_the_choice_of_torch(kernel: SdpaKernel) -> None:
    words = {
        asked: attention(asked, kernel, on_cpu=False, has_flash=True, flash_attn="2.8.3")
        for asked in Attention
    }
    assert words[Attention.EAGER] == "eager runs separate operators, which store the scores of all positions"
    assert words[Attention.FLASH_ATTENTION_2] == "flash_attention_2 runs flash-attn 2.8.3"
    assert words[Attention.SDPA].startswith("sdpa runs ")


def test_a_profile_that_avoids_math_says_so() -> None:
    words = attention(
        Attention.SDPA, "math", on_cpu=False, has_flash=False, flash_attn=None, is_grouped=False
    )
    assert words.startswith("sdpa runs without groups of heads")
    assert "a fused kernel is expected" in words


def test_the_cost_of_math_is_in_the_memory_of_a_card() -> None:
    extra = [(60.0, 250_000_000), (300.0, 5_000_000_000)]
    assert (
        math_cost(extra) == "math takes 0.23 GiB more than a fused kernel at 60 s of audio, 4.66 GiB at 300 s"
    )
