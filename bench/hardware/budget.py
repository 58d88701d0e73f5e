"""What a program can have of a card, and whether a display is on it. Pure.

Nothing is assumed of the driver's own part: a driver that does not tell it (version 1 of the memory call, or
none at all) leaves the headless and the desktop budget unknown, and only what is free now can be told.
"""

from typing import Final

from bench.hardware.allowance import DESKTOP
from bench.hardware.readings import DriverGpu, GpuProcess, MemoryReading
from bench.records.card import Budget
from bench.units import GIB, MIB, gib

DISPLAY_THRESHOLD_BYTES: Final = 100 * MIB
"""In use on a card on which nothing computes: 27 MiB with the monitor elsewhere, 211 MiB and up with one."""
DISPLAY_MOST_BYTES: Final = 4 * GIB
"""More than desktops were seen to take (3046 MiB, an RTX 5070 Ti in daily use): something else is on it."""

_MEASURED: Final = "measured here: in use on the card, less what programs that only compute use"


def budget_of(memory: MemoryReading | None, display: bool | None, graphics_bytes: int | None) -> Budget:
    """Headless: total less the driver's own part. Desktop: that less what a desktop takes. Now: what is free.

    `graphics_bytes` is what the desktop on this card takes, None where that cannot be told. Without a display
    on the card, or where the figure is none of a desktop's, the typical one of `allowance.DESKTOP` is taken.
    """
    headless = use = source = None
    if memory is not None and memory.reserved_bytes is not None:
        headless = max(0, memory.total_bytes - memory.reserved_bytes)
        use, source = _desktop_use(display, graphics_bytes)
    return Budget(
        headless_bytes=headless,
        desktop_bytes=None if headless is None or use is None else max(0, headless - use),
        now_bytes=None if memory is None else memory.free_bytes,
        desktop_use_bytes=use,
        desktop_use_source=source,
    )


def _desktop_use(display: bool | None, graphics_bytes: int | None) -> tuple[int, str]:
    if display and graphics_bytes is not None and graphics_bytes <= DISPLAY_MOST_BYTES:
        return graphics_bytes, _MEASURED
    return DESKTOP.typical_bytes, f"assumed, {DESKTOP.evidence}"


def desktop_use_bytes(gpu: DriverGpu) -> int | None:
    """In use on the card, less what programs that only compute use: what a desktop takes, where there is one.

    More than the sum over the programs that draw, as the picture itself belongs to none of them. None where
    the driver counts its own part in (version 1), gives no list, or does not tell a program's use.
    """
    if gpu.memory is None or gpu.memory.reserved_bytes is None or gpu.processes is None:
        return None
    computing = [process.used_bytes for process in gpu.processes if not process.graphics]
    told = [used for used in computing if used is not None]
    return max(0, gpu.memory.used_bytes - sum(told)) if len(told) == len(computing) else None


def display_evidence(gpu: DriverGpu) -> tuple[bool | None, tuple[str, ...]]:
    """Whether a display is on this card, and everything that speaks for or against it; None if unclear.

    No single call tells. Yes: the driver says so, or programs draw on the card, or what is in use beyond what
    programs compute with looks like a desktop. No: none of these, and the memory in use was looked at. A
    monitor that is merely plugged in decides nothing.
    """
    unexplained = desktop_use_bytes(gpu)
    evidence = (*_of_the_driver(gpu), *_of_programs(gpu.processes), *_of_memory(gpu, unexplained))
    if gpu.display_active or any(process.graphics for process in gpu.processes or ()):
        return True, evidence
    if unexplained is None or unexplained > DISPLAY_MOST_BYTES:
        return None, evidence
    return unexplained > DISPLAY_THRESHOLD_BYTES, evidence


def _of_the_driver(gpu: DriverGpu) -> tuple[str, ...]:
    told = []
    if gpu.display_active is not None:
        told.append(f"the driver says that {'a' if gpu.display_active else 'no'} display is active")
    if gpu.display_connected is not None:
        told.append(f"the driver says that {'a' if gpu.display_connected else 'no'} monitor is connected")
    return tuple(told)


def _of_programs(processes: tuple[GpuProcess, ...] | None) -> tuple[str, ...]:
    if processes is None:
        return ("the driver gives no list of programs",)
    drawing = sum(process.graphics for process in processes)
    return (f"{drawing or 'no'} {'program draws' if drawing == 1 else 'programs draw'} on it",)


def _of_memory(gpu: DriverGpu, unexplained: int | None) -> tuple[str, ...]:
    if gpu.memory is None:
        return ("the driver tells no memory in use",)
    used = f"{gib(gpu.memory.used_bytes)} in use"
    if gpu.memory.reserved_bytes is None:
        return (f"{used}, with what the driver keeps for itself",)
    if unexplained is None:
        return (f"{used}, and the driver does not tell by whom",)
    return (f"{gib(unexplained)} in use beyond what programs compute with",)
