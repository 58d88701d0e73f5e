"""The state of a card before a run: the driver's figures in the form of a record. Pure."""

from collections.abc import Iterable

from bench.hardware.budget import measured_budget
from bench.hardware.display import desktop_use_bytes, display_evidence
from bench.hardware.readings import DriverGpu, GpuProcess
from bench.records.card import DeviceState
from bench.units import gib


def device_state(gpu: DriverGpu, *, wddm: bool = False) -> DeviceState:
    """Return the part of the driver's figures that a record contains: no UUID, and no names of programs.

    `wddm`: Windows manages the card's memory. Parts that share the host's memory have no memory figure of
    their own: it is None here, in the budget too.
    """
    display, evidence = display_evidence(gpu)
    memory = gpu.memory
    return DeviceState(
        memory_source=memory.source if memory else None,
        memory_reserved_bytes=memory.reserved_bytes if memory else None,
        used_bytes=memory.used_bytes if memory else None,
        used_by_others_bytes=None if gpu.processes is None else _reported_sum(gpu.processes),
        other_processes=None if gpu.processes is None else len(gpu.processes),
        display=display,
        display_evidence=evidence,
        budget=measured_budget(memory, display, desktop_use_bytes(gpu), wddm=wddm),
        power_limit_w=gpu.power_limit_w,
        power_limit_default_w=gpu.power_limit_default_w,
        ecc=gpu.ecc,
        persistence=gpu.persistence,
        pcie_generation_max=gpu.pcie_generation_max,
        pcie_width_max=gpu.pcie_width_max,
    )


def _reported_sum(processes: tuple[GpuProcess, ...]) -> int | None:
    """Return the sum of the reported bytes of programs; None if no use is reported."""
    reported = [process.used_bytes for process in processes if process.used_bytes is not None]
    return sum(reported) if reported or not processes else None


def programs(gpu: DriverGpu) -> tuple[str, ...]:
    """Return a line for each program on the card, largest first: `firefox (pid 4711, draws): 210.0 MiB`."""
    largest_first: Iterable[GpuProcess] = sorted(
        gpu.processes or (), key=lambda process: (-(process.used_bytes or 0), process.pid)
    )
    return tuple(
        f"{process.name or 'a program'} (pid {process.pid}, {_does(process)}): {gib(process.used_bytes)}"
        for process in largest_first
    )


def _does(process: GpuProcess) -> str:
    if process.compute and process.graphics:
        return "computes and draws"
    return "draws" if process.graphics else "computes"
