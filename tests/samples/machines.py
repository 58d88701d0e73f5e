"""Facts for tests of the rules: a machine and a card on which all is fine, to be changed one by one."""

from dataclasses import replace
from typing import Any, Final

from bench.doctor.facts import Card, Facts, Host, Process, TorchBuild, Trial, Weights
from bench.records.card import Budget, DeviceState
from bench.units import GIB, MIB

HOST: Final = Host(
    os="Some Linux 1.0",
    python=(3, 12, 1),
    ram_total_bytes=32 * GIB,
    ram_available_bytes=24 * GIB,
    makefile=True,
)
TORCH: Final = TorchBuild("2.13.0+cu130", "13.0")
WEIGHTS: Final = Weights(complete=True, present_bytes=0, free_bytes=100 * GIB)
TRIAL: Final = Trial(kernels=("sm_80", "sm_86", "sm_90", "sm_120"))


def budget(headless_mib: int | None, now_mib: int | None, desktop_use_mib: int = 797) -> Budget:
    """In MiB, as the driver's tools show it."""
    return Budget(
        headless_bytes=None if headless_mib is None else headless_mib * MIB,
        desktop_bytes=None if headless_mib is None else max(0, headless_mib - desktop_use_mib) * MIB,
        now_bytes=None if now_mib is None else now_mib * MIB,
        desktop_use_bytes=desktop_use_mib * MIB,
        desktop_use_source="assumed, idle desktop: 797 MiB (RTX 4070)",
        desktop_use_basis="assumed",
    )


def state(**changes: Any) -> DeviceState:
    """An RTX 4070 without a display, at its usual power limit."""
    usual: dict[str, Any] = {
        "memory_source": "NVML memory v2",
        "memory_reserved_bytes": 434 * MIB,
        "used_bytes": 2 * MIB,
        "used_by_others_bytes": 0,
        "other_processes": 0,
        "display": False,
        "budget": budget(11848, 11846),
        "power_limit_w": 200.0,
        "power_limit_default_w": 200.0,
    }
    return DeviceState(**usual | changes)


def card(**changes: Any) -> Card:
    """That card."""
    usual = Card(
        slug="rtx-4070",
        name="NVIDIA GeForce RTX 4070",
        compute_capability="8.9",
        driver="580.95.05",
        driver_cuda="13.0",
        memory_total_bytes=12282 * MIB,
        state=state(),
        processes=(),
        trial=TRIAL,
        uuid="GPU-01234567-89ab-cdef-0123-456789abcdef",
    )
    return replace(usual, **changes)


def process(name: str | None, mib: int | None, *, pid: int = 4242, compute: bool = False) -> Process:
    """A program on the card."""
    return Process(pid, name, None if mib is None else mib * MIB, compute)


def facts(*cards: Card, **changes: Any) -> Facts:
    """A machine with these cards."""
    return replace(Facts(host=HOST, torch=TORCH, flash_attn=None, weights=WEIGHTS, cards=cards), **changes)
