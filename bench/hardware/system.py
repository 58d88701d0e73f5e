"""The system around a card: Windows, WSL2 or a container, and the files through which a card is reached."""

import os
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.records.enums import OperatingSystem

_PCI: Final = Path("/sys/bus/pci/devices")
_DEVICE_FILES: Final = Path("/dev")
_NVIDIA: Final = "0x10de"
_DISPLAY_CONTROLLER: Final = "0x03"


@dataclass(frozen=True, slots=True)
class System:
    """Facts about this system. None is unknown.

    `nvidia_hardware`: an NVIDIA card is on the bus, with a driver or not. `device_files`: /dev/nvidia0 or
    another card's file is here; `uvm_file`: /dev/nvidia-uvm, without which CUDA does not start. Both are None
    where cards have no such files (Windows, WSL2).
    """

    windows: bool = False
    wsl2: bool = False
    container: bool = False
    nvidia_hardware: bool | None = None
    device_files: bool | None = None
    uvm_file: bool | None = None

    @property
    def wddm(self) -> bool:
        """Whether Windows manages the card's memory: no figure per process, and a spill instead of an end."""
        return self.windows or self.wsl2

    @property
    def planned(self) -> OperatingSystem:
        """The system to plan for by default. macOS counts as Linux: torch for macOS has no CUDA."""
        if self.windows:
            return "windows"
        return "wsl2" if self.wsl2 else "linux"


def this_system() -> System:
    """Return these facts of this machine, from files and the environment."""
    windows, wsl2 = os.name == "nt", is_wsl2()
    has_files = platform.system() == "Linux" and not wsl2
    return System(
        windows=windows,
        wsl2=wsl2,
        container=is_container(),
        nvidia_hardware=nvidia_hardware(),
        device_files=any(_DEVICE_FILES.glob("nvidia[0-9]*")) if has_files else None,
        uvm_file=(_DEVICE_FILES / "nvidia-uvm").exists() if has_files else None,
    )


def is_container() -> bool:
    """Whether this is a container: Docker and Podman leave a file, others (Kubernetes too) set a variable."""
    marks = (Path("/.dockerenv"), Path("/run/.containerenv"))
    return any(mark.exists() for mark in marks) or bool(
        {"container", "KUBERNETES_SERVICE_HOST"} & os.environ.keys()
    )


def is_wsl2() -> bool:
    """Whether this is Linux inside Windows, whose driver manages the card."""
    return "WSL_DISTRO_NAME" in os.environ or "microsoft" in platform.release().lower()


def nvidia_hardware(bus: Path = _PCI) -> bool | None:
    """Whether an NVIDIA card is on the PCI bus, with a driver or not; None where the bus is not visible."""
    try:
        return any(
            read_text(device / "vendor") == _NVIDIA
            and (read_text(device / "class") or "").startswith(_DISPLAY_CONTROLLER)
            for device in bus.iterdir()
        )
    except OSError:
        return None


def read_text(path: Path) -> str | None:
    """Return the text of a small file of the kernel; None where it cannot be read."""
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return None
