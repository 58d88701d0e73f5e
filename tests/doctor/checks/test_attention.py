"""The kernel that SDPA runs: what math costs, and what helps."""

import json
from dataclasses import replace

import pytest

from bench import shipped
from bench.arithmetic.shapes import shapes_of
from bench.doctor.checks import attention
from bench.doctor.facts import TorchBuild, Trial
from bench.doctor.interface import Check
from bench.records.enums import SdpaKernel
from tests.samples.machines import HOST, card, facts

SHAPES = shapes_of(
    json.loads(shipped.data("models", "MOSS-Audio-4B-Instruct.json").read_bytes())
).language_config


def check(
    kernel: SdpaKernel | None,
    *,
    windows: bool = False,
    torch: str = "2.13.0+cu130",
    capability: str = "8.9",
    has_flash: bool = True,
    flash_attn: str | None = None,
) -> Check:
    here = card(
        compute_capability=capability,
        trial=Trial(("sm_80",), sdpa_kernel=kernel, has_flash_kernels=has_flash),
    )
    host = replace(HOST, windows=windows, makefile=False)
    known = facts(here, host=host, torch=TorchBuild(torch, "13.0"), flash_attn=flash_attn, language=SHAPES)
    found = attention.attention(here, known)
    assert found is not None
    return found


def test_math_is_a_warning_with_its_memory() -> None:
    found = check("math", windows=True, has_flash=False)
    assert found.status == "warning"
    assert found.summary == (
        "SDPA runs the math kernel, which stores the scores of all positions; this build of torch has no "
        "FlashAttention kernels; math takes 0.24 GiB more than a fused kernel at 60 s of audio, "
        "4.99 GiB at 300 s"
    )


def test_on_windows_another_torch_or_system_helps() -> None:
    assert check("math", windows=True, has_flash=False).fix == (
        "Install torch 2.14 or newer; or run in WSL2; or install FlashAttention 2 and use --attention "
        "flash_attention_2; or use --profile lean, whose calls a fused kernel is expected to take"
    )


@pytest.mark.parametrize(
    ("changes", "helps", "does_not"),
    [
        ({"windows": True, "torch": "2.14.0", "has_flash": False}, "WSL2", "2.14 or newer"),
        ({"has_flash": False}, "torch==2.13.0", "WSL2"),
        ({"has_flash": False, "flash_attn": "2.8.3"}, "use --attention flash_attention_2", "install Flash"),
        ({"capability": "7.5"}, "short clips", "lean"),
        ({"capability": "7.5", "windows": True, "has_flash": False}, "short clips", "WSL2"),
    ],
)
def test_only_what_helps_is_named(changes: dict[str, object], helps: str, does_not: str) -> None:
    fix = check("math", **changes).fix or ""  # type: ignore[arg-type]
    assert helps in fix
    assert does_not not in fix


def test_a_remedy_begins_as_a_sentence_does() -> None:
    fix = check("math", windows=True, torch="2.14.0", has_flash=False).fix or ""
    assert fix.startswith("Run in WSL2; or install FlashAttention 2")


@pytest.mark.parametrize(("kernel", "status"), [("flash", "ok"), ("memory_efficient", "ok"), (None, "note")])
def test_a_fused_kernel_needs_nothing(kernel: SdpaKernel | None, status: str) -> None:
    found = check(kernel)
    assert (found.status, found.fix) == (status, None)


def test_without_a_card_the_kernel_of_the_cpu_is_named() -> None:
    said = attention.attention_on_cpu(facts(cpu_kernel="flash"))
    assert said == Check(name="attention", status="ok", summary="SDPA runs torch's fused kernel for the CPU")
    assert attention.attention_on_cpu(facts()) is None, "torch cannot be imported, or does not say"
    assert attention.attention_on_cpu(facts(card(), cpu_kernel="flash")) is None, "each card has its own"
