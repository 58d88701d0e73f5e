"""Readings of a card, as its driver would give them."""

from bench.hardware.readings import DriverGpu, GpuProcess, MemoryReading
from bench.units import GIB, MIB

SHELL = GpuProcess(900, 173 * MIB, compute=False, graphics=True, name="gnome-shell")
PYTHON = GpuProcess(901, 5 * GIB, compute=True, graphics=False, name="python3")


def reading(used_mib: int, reserved_mib: int | None = 464, total_mib: int = 12282) -> MemoryReading:
    free = total_mib - used_mib - (reserved_mib or 0)
    return MemoryReading(
        "NVML memory v1" if reserved_mib is None else "NVML memory v2",
        total_mib * MIB,
        used_mib * MIB,
        free * MIB,
        None if reserved_mib is None else reserved_mib * MIB,
    )


IDLE = DriverGpu("GPU-1", "NVIDIA GeForce RTX 4070", "8.9", "580.95.05", memory=reading(27), processes=())
