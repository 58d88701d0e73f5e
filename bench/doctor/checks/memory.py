"""Checks of disk space for the weights, memory of the machine and memory of a card. Pure."""

from typing import Final

from bench.doctor.facts import Card, Facts, Host
from bench.doctor.interface import WEIGHTS_BYTES, Check
from bench.hardware.budget import CONTEXT
from bench.records.card import Budget
from bench.units import GIB, MIB, both_units, gib

DISK_MARGIN_BYTES: Final = 512 * MIB
"""Free space on the disk after the download, as the download itself requires."""

CPU_RUN_BYTES: Final = 11_181_000_000
"""Resident peak of the 4B model on a CPU, 10 s of audio, 128 tokens (docs/cost-of-measuring.md)."""

SHORT_CLIP_BYTES: Final = 72 * MIB
"""Allocated peak of that cell above the weights."""

LEAST_BYTES: Final = WEIGHTS_BYTES + SHORT_CLIP_BYTES + CONTEXT.low_bytes
"""Below this nothing fits, even with the smallest CUDA context."""

SAFE_BYTES: Final = WEIGHTS_BYTES + SHORT_CLIP_BYTES + CONTEXT.high_bytes
"""From here on a short clip fits, even with the largest CUDA context."""

_LOADING_BYTES: Final = 4 * GIB  # assumed: torch with its CUDA libraries, and shards on their way to the card


def weights(facts: Facts) -> Check | None:
    """Check that the weights are on this disk, or fit on it. None where they cannot be looked up."""
    here = facts.weights
    if here is None:
        return None
    if here.complete:
        return Check(name="weights", status="ok", summary="complete on this disk")
    missing = max(0, WEIGHTS_BYTES - here.present_bytes)
    rest = "the rest, " if here.present_bytes else ""
    summary = f"{rest}{both_units(missing)}, to download; {gib(here.free_bytes)} free"
    short = missing + DISK_MARGIN_BYTES - here.free_bytes
    keeps_out = "problem" if facts.cards else "note"  # the CPU's default, the tiny model, is made here
    if short > 0:
        fix = f"Free {gib(short)}, or set HF_HOME to a folder on a larger disk"
        return Check(name="weights", status=keeps_out, summary=summary, fix=fix)
    if here.fault is not None:
        return Check(name="weights", status=keeps_out, summary=f"{summary}; {here.fault}", fix=here.fix)
    if here.offline:
        fix = "Connect and unset HF_HUB_OFFLINE, or do without: bench run --weights random"
        return Check(name="weights", status=keeps_out, summary=f"{summary}; HF_HUB_OFFLINE is set", fix=fix)
    return Check(name="weights", status="note", summary=summary)


def ram(facts: Facts) -> Check:
    """Check the memory: enough to load the weights onto a card, or for the whole model on the CPU."""
    host = facts.host
    free = f"{gib(host.ram_available_bytes)} of {gib(host.ram_total_bytes)} free"
    if facts.cards:
        if host.ram_available_bytes >= _LOADING_BYTES:
            return Check(name="RAM", status="ok", summary=free)
        return Check(
            name="RAM",
            status="warning",
            summary=f"{free}: loading may swap",
            fix=f"Close programs until {gib(_LOADING_BYTES)} are free",
        )
    needed = f"{both_units(CPU_RUN_BYTES)} free"
    if host.ram_available_bytes >= CPU_RUN_BYTES:
        return Check(name="RAM", status="ok", summary=f"{free}; the 4B model on the CPU needs {needed}")
    return Check(
        name="RAM",
        status="note",
        summary=f"{free}: enough for the smoke suite; the 4B model on the CPU needs {needed}",
    )


def vram(card: Card, host: Host) -> Check:
    """Check that weights, a short clip and the CUDA context fit the card: at best, and now."""
    budget = card.state.budget
    if budget.now_bytes is None:
        return _shared_memory(host)
    summary = (
        f"free now {gib(budget.now_bytes)}, the weights take {both_units(WEIGHTS_BYTES)}; {_budgets(budget)}"
    )
    most = budget.headless_bytes if budget.headless_bytes is not None else card.memory_total_bytes
    if most is not None and most < LEAST_BYTES:
        fix = "Use a card with 12 GB or more, or the CPU: bench run --device cpu --suite quick"
        return Check(name="VRAM", status="problem", summary=summary, fix=fix, mendable=False)
    if budget.now_bytes < LEAST_BYTES:
        fix = f"Free {gib(LEAST_BYTES - budget.now_bytes)} or more: {_how_to_free(card)}"
        return Check(name="VRAM", status="problem", summary=summary, fix=fix)
    if is_tight(card):
        fix = f"Expect short clips only, or free some: {_how_to_free(card)}"
        return Check(name="VRAM", status="warning", summary=summary, fix=fix)
    return Check(name="VRAM", status="ok", summary=summary)


def is_tight(card: Card) -> bool:
    """Whether it depends on the size of the CUDA context if a short clip fits now."""
    now = card.state.budget.now_bytes
    return now is not None and now < SAFE_BYTES


def _budgets(budget: Budget) -> str:
    """Return the budgets: `without a display 11.57 GiB, with a desktop 10.79 GiB`."""
    desktop = f"with a desktop {gib(budget.desktop_bytes)}"
    if budget.headless_bytes is None and budget.desktop_bytes is not None:  # Windows always has one
        return desktop
    return f"without a display {gib(budget.headless_bytes)}, {desktop}"


def _how_to_free(card: Card) -> str:
    """Return the program with the most memory, where reported."""
    reported = [process for process in card.processes or () if process.used_bytes is not None]
    if not reported:
        return "close what else uses this card"
    largest = max(reported, key=lambda process: process.used_bytes or 0)
    return f"close {largest.words}, which holds {gib(largest.used_bytes)}"


def _shared_memory(host: Host) -> Check:
    """Return a note for a part that shares the machine's memory and has no figure of its own."""
    summary = (
        f"the driver gives no figure, as where memory is shared: {gib(host.ram_available_bytes)} RAM free"
    )
    if host.ram_available_bytes >= SAFE_BYTES:
        return Check(name="VRAM", status="note", summary=summary)
    return Check(
        name="VRAM",
        status="warning",
        summary=summary,
        fix=f"Close programs until {gib(SAFE_BYTES)} are free",
    )
