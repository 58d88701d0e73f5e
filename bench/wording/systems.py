"""The system of a prediction and the kernel of attention, in words."""

from collections.abc import Mapping
from typing import Final

from bench.records.enums import AttentionKernel, OperatingSystem
from bench.records.prediction import PlannedSystem
from bench.text import clean

SYSTEMS: Final[Mapping[OperatingSystem, str]] = {"linux": "Linux", "windows": "Windows", "wsl2": "WSL2"}
KERNELS: Final[Mapping[AttentionKernel, str]] = {
    "flash": "flash",
    "memory_efficient": "memory-efficient",
    "cudnn": "cuDNN",
    "math": "math",
    "eager": "eager",
}
_MAX_RELEASE: Final = 20


def named(system: PlannedSystem) -> str:
    """`Windows with torch 2.13`."""
    return f"{SYSTEMS[system.os]} with torch {clean(system.torch, _MAX_RELEASE)}"
