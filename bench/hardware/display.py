"""Whether a display is on a card, and the memory of its desktop, from the driver's figures. Pure."""

from typing import Final

from bench.hardware.readings import DriverGpu, GpuProcess
from bench.units import GIB, MIB, gib

DISPLAY_THRESHOLD_BYTES: Final = 100 * MIB
"""In use on a card on which nothing computes: 27 MiB with the monitor elsewhere, 211 MiB and up with one."""
DISPLAY_MOST_BYTES: Final = 4 * GIB
"""More than desktops were seen to take (3046 MiB, an RTX 5070 Ti in daily use): something else is on it."""


def desktop_use_bytes(gpu: DriverGpu) -> int | None:
    """Return the bytes in use on the card less those of programs that only compute: a desktop's use.

    More than the sum over the programs that draw, as the picture itself belongs to none of them. None where
    the driver includes its own part (version 1), gives no list, or does not report a program's use.
    """
    if gpu.memory is None or gpu.memory.reserved_bytes is None or gpu.processes is None:
        return None
    computing = [process.used_bytes for process in gpu.processes if not process.graphics]
    reported = [used for used in computing if used is not None]
    return max(0, gpu.memory.used_bytes - sum(reported)) if len(reported) == len(computing) else None


def display_evidence(gpu: DriverGpu) -> tuple[bool | None, tuple[str, ...]]:
    """Return whether a display is on this card (None if unclear), and all evidence for or against it.

    No single call decides. Yes: the driver reports a display, or programs draw on the card, or the memory in
    use beyond that of computing programs looks like a desktop's. No: none of these, and the memory in use is
    known. A monitor that is only plugged in decides nothing.
    """
    unexplained = desktop_use_bytes(gpu)
    evidence = (*_of_the_driver(gpu), *_of_programs(gpu.processes), *_of_memory(gpu, unexplained))
    if gpu.display_active or any(process.graphics for process in gpu.processes or ()):
        return True, evidence
    if unexplained is None or unexplained > DISPLAY_MOST_BYTES:
        return None, evidence
    return unexplained > DISPLAY_THRESHOLD_BYTES, evidence


def _of_the_driver(gpu: DriverGpu) -> tuple[str, ...]:
    evidence = []
    if gpu.display_active is not None:
        evidence.append(f"the driver says that {'a' if gpu.display_active else 'no'} display is active")
    if gpu.display_connected is not None:
        evidence.append(f"the driver says that {'a' if gpu.display_connected else 'no'} monitor is connected")
    return tuple(evidence)


def _of_programs(processes: tuple[GpuProcess, ...] | None) -> tuple[str, ...]:
    if processes is None:
        return ("the driver gives no list of programs",)
    drawing = sum(process.graphics for process in processes)
    return (f"{drawing or 'no'} {'program draws' if drawing == 1 else 'programs draw'} on it",)


def _of_memory(gpu: DriverGpu, unexplained: int | None) -> tuple[str, ...]:
    if gpu.memory is None:
        return ("the driver reports no memory in use",)
    used = f"{gib(gpu.memory.used_bytes)} in use"
    if gpu.memory.reserved_bytes is None:
        return (f"{used}, with what the driver keeps for itself",)
    if unexplained is None:
        return (f"{used}, and the driver does not report by which program",)
    return (f"{gib(unexplained)} in use beyond what programs compute with",)
