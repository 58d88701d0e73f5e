"""Checks of the kernel that SDPA runs: what it costs, and what helps. Pure."""

import re
from collections.abc import Iterator
from typing import Final

from bench.arithmetic.attention import math_extra_bytes
from bench.doctor.checks.compute import AMPERE
from bench.doctor.checks.install import tag_for, torch_command
from bench.doctor.facts import Card, Facts, Trial
from bench.doctor.interface import Check, Status
from bench.engines.native.sdpa_rules import NEWEST_RULES, KernelSystem, TorchBuild, chosen_kernel
from bench.engines.support import prompt_positions
from bench.records.enums import SdpaKernel
from bench.wording.kernels import math_cost, sdpa

COSTS_AT_S: Final = (60.0, 300.0)
_ELEMENT_BYTES: Final = 2
_NO_REMEDY: Final = "measure short clips: nothing else makes this card run a fused kernel"
_DTYPE: Final = "bfloat16"
_RELEASE: Final = re.compile(r"(\d+)\.(\d+)")


def attention(card: Card, facts: Facts) -> Check | None:
    """Name the kernel that SDPA will run, and what math costs. None where torch does not work on the card."""
    trial = card.trial
    if trial is None or trial.torch_error is not None:
        return None
    words = sdpa(trial.sdpa_kernel, on_cpu=False, has_flash=trial.has_flash_kernels)
    if trial.sdpa_kernel == "math":
        return _of_math(card, facts, trial, words)
    status: Status = "note" if trial.sdpa_kernel is None else "ok"
    return Check(name="attention", status=status, summary=f"SDPA runs {words}")


def attention_on_cpu(facts: Facts) -> Check | None:
    """Name the kernel that SDPA will run on the CPU. None with a card, and where torch cannot be imported."""
    if facts.cards or facts.cpu_kernel is None:
        return None
    words = sdpa(facts.cpu_kernel, on_cpu=True, has_flash=True)
    return Check(name="attention", status="ok", summary=f"SDPA runs {words}")


def _of_math(card: Card, facts: Facts, trial: Trial, words: str) -> Check:
    cost = ""
    if facts.language is not None:
        shapes = facts.language
        extra = [(s, math_extra_bytes(shapes, prompt_positions(s), _ELEMENT_BYTES)) for s in COSTS_AT_S]
        cost = f"; {math_cost(extra)}"
    remedies = "; or ".join(_remedies(card, facts, trial)) or _NO_REMEDY
    return Check(
        name="attention",
        status="warning",
        summary=f"SDPA runs {words}{cost}",
        fix=f"{remedies[0].upper()}{remedies[1:]}",
    )


def _remedies(card: Card, facts: Facts, trial: Trial) -> Iterator[str]:
    """Yield what makes this card run another kernel, by the rules of torch, for the middle of a sentence.

    A build without flash kernels is as one for Windows.
    """
    here: KernelSystem = "windows" if facts.host.windows or trial.has_flash_kernels is False else "linux"
    release, newest = _release(facts), _numbers(NEWEST_RULES)
    if facts.host.windows and release < newest and _is_fused(card, here, newest):
        yield f"install torch {NEWEST_RULES} or newer"
    if not facts.host.windows and trial.has_flash_kernels is False and _is_fused(card, "linux", release):
        yield f"install a torch with fused kernels: {torch_command(tag_for(card.driver_cuda), facts.host)}"
    if facts.host.windows and _is_fused(card, "linux", release):
        yield "run in WSL2"
    if card.capability is not None and card.capability >= AMPERE and trial.flash_attn_error is None:
        install = "" if facts.flash_attn else "install FlashAttention 2 and "
        yield f"{install}use --attention flash_attention_2"
    if _is_fused(card, here, release, is_grouped=False):
        yield "use --profile lean, whose calls a fused kernel is expected to take"


def _is_fused(card: Card, system: KernelSystem, release: tuple[int, int], *, is_grouped: bool = True) -> bool:
    if card.compute_capability is None:
        return False
    kernel: SdpaKernel = chosen_kernel(
        TorchBuild(system, release),
        compute_capability=card.compute_capability,
        dtype=_DTYPE,
        is_grouped=is_grouped,
    )
    return kernel != "math"


def _release(facts: Facts) -> tuple[int, int]:
    return _numbers(facts.torch.version if facts.torch is not None else NEWEST_RULES)


def _numbers(version: str) -> tuple[int, int]:
    """`2.13.0+cu130` -> (2, 13)."""
    found = _RELEASE.match(version)
    return (int(found[1]), int(found[2])) if found else (0, 0)
