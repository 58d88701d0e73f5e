"""Checks of torch and FlashAttention 2 on a card. Pure."""

import re
from typing import Final

from bench.doctor.checks.install import tag_for, torch_command
from bench.doctor.checks.software import driver
from bench.doctor.facts import Card, Facts, Trial
from bench.doctor.interface import Check, Status
from bench.hardware.cuda_versions import not_started

AMPERE: Final = (8, 0)
# What torch says where CUDA itself does not start, whatever it was asked to compute.
_NOT_STARTED: Final = re.compile(
    r"CUDA (error: )?unknown error|No CUDA GPUs are available|driver initialization failed"
    r"|initialization error|system not yet initialized|cudaGetDeviceCount"
)
_KERNELS: Final = re.compile(r"(?P<kind>sm|compute)_(?P<number>\d{2,3})[af]?\Z")


def kernels(card: Card, facts: Facts) -> Check | None:
    """Check that torch has kernels for this card and computed a small product. None if not tried.

    None too for a card without BF16: no other torch would help it.
    """
    if card.trial is None or facts.torch is None or _is_old(card):
        return None
    trial, version, wanted = card.trial, facts.torch.version, card.capability
    if trial.kernels and wanted is not None and not has_kernels(trial.kernels, wanted):
        command = torch_command(tag_for(card.driver_cuda), facts.host)
        return Check(
            name="kernels",
            status="problem",
            summary=f"torch {version} has none for {_sm(wanted)}; it has {', '.join(trial.kernels)}",
            fix=f"Install a torch for this card: {command}",
            command=command,
        )
    if trial.torch_error is not None:
        return _failed(trial, facts, card)
    target = f" for {_sm(wanted)}" if wanted else ""
    return Check(name="kernels", status="ok", summary=f"torch has kernels{target}; a small BF16 product ran")


def _failed(trial: Trial, facts: Facts, card: Card) -> Check | None:
    """Return torch's error; None for an error of the driver, which has its own check."""
    found = driver(facts)
    if found is not None and found.status == "problem":
        return None
    summary = f"torch {facts.torch.version if facts.torch else ''} failed on this card: {trial.torch_error}"
    if not trial.kernels:  # it could not even be imported
        command = torch_command(tag_for(card.driver_cuda), facts.host)
        fix = f"Install it again: {command}"
        return Check(name="kernels", status="problem", summary=summary, fix=fix, command=command)
    if _NOT_STARTED.search(trial.torch_error or ""):
        build = facts.torch.cuda if facts.torch else None
        what, fix = not_started(card.driver_cuda, build, facts.host)
        return Check(name="kernels", status="problem", summary=f"{what} ({trial.torch_error})", fix=fix)
    fix = "Close other programs on the card and try again; if it stays, restart the machine"
    return Check(name="kernels", status="problem", summary=summary, fix=fix)


def has_kernels(built: tuple[str, ...], wanted: tuple[int, int]) -> bool:
    """Whether code for one of these architectures runs on that capability.

    Machine code (`sm_80`) runs on its own major version from its minor on, intermediate code (`compute_90`)
    on everything from there up; `a` and `f` variants count as what they are made for.
    https://docs.nvidia.com/cuda/blackwell-compatibility-guide/
    """
    return any(_runs(name, wanted) for name in built)


def _runs(name: str, wanted: tuple[int, int]) -> bool:
    found = _KERNELS.match(name)
    if found is None:
        return False
    made_for = divmod(int(found["number"]), 10)
    if found["kind"] == "compute" and not name.endswith(("a", "f")):
        return wanted >= made_for
    return wanted[0] == made_for[0] and wanted[1] >= made_for[1]


def bf16(card: Card) -> Check:
    """Check for tensor cores with BF16: compute capability 8.0. Older cards emulate it."""
    if card.capability is None:
        return Check(name="BF16", status="note", summary="the driver does not report the compute capability")
    if card.capability >= AMPERE:
        return Check(
            name="BF16", status="ok", summary=f"native (compute capability {card.compute_capability})"
        )
    return Check(
        name="BF16",
        status="problem",
        summary=f"only emulated: compute capability {card.compute_capability}, BF16 begins at 8.0",
        fix="Use a card of the RTX 30 series or newer: the model is computed in BF16",
        mendable=False,
    )


def flash_attention(card: Card, facts: Facts) -> Check:
    """Check the optional third attention backend: without it only its cells are skipped."""
    version = facts.flash_attn
    if _is_old(card):
        return _flash("note", "this card is too old for it (compute capability 8.0 is needed)")
    if version is None:
        is_needed = card.trial is not None and card.trial.sdpa_kernel == "math"
        words = "; it would avoid the math kernel" if is_needed else ", and not needed: SDPA runs without it"
        return _flash("note", f"not installed{words}")
    if card.trial is None or card.trial.torch_error is not None:
        return _flash("note", f"{version} is installed; it can be tried once torch works on the card")
    why = card.trial.flash_attn_error
    if why is None:
        return _flash("ok", f"{version} ran on this card")
    return Check(
        name="FlashAttn 2",
        status="warning",
        summary=why if version in why else f"{version} failed: {why}",
        fix=f"Install a build for torch {facts.torch.version if facts.torch else ''} and this card, or none: "
        "pip uninstall flash-attn",
        command="pip uninstall flash-attn",
    )


def _flash(status: Status, summary: str) -> Check:
    return Check(name="FlashAttn 2", status=status, summary=summary)


def _is_old(card: Card) -> bool:
    return card.capability is not None and card.capability < AMPERE


def _sm(capability: tuple[int, int]) -> str:
    return f"sm_{capability[0]}{capability[1]}"
