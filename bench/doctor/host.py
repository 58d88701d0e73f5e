"""Facts about the machine: its system, its memory, the kind of environment of this process."""

import os
import platform
import sys
from pathlib import Path
from typing import Final

import psutil

import bench
from bench.doctor.facts import Host

_PCI: Final = Path("/sys/bus/pci/devices")
_CGROUP: Final = Path("/sys/fs/cgroup")
_NVIDIA: Final = "0x10de"
_DISPLAY_CONTROLLER: Final = "0x03"


def host(hidden_gpus: int = 0) -> Host:
    """Return these facts, from files and the environment."""
    total, available = _memory()
    return Host(
        system=platform.system(),
        os=_name(),
        python=sys.version_info[:3],
        ram_total_bytes=total,
        ram_available_bytes=available,
        container=_is_container(),
        wsl2=_is_wsl2(),
        nvidia_hardware=nvidia_hardware(),
        hidden_gpus=hidden_gpus,
        makefile=_is_checkout(),
    )


def nvidia_hardware(bus: Path = _PCI) -> bool | None:
    """Whether an NVIDIA card is on the PCI bus, with a driver or not; None where the bus is not visible."""
    if not bus.is_dir():
        return None
    return any(
        _read(device / "vendor") == _NVIDIA
        and (_read(device / "class") or "").startswith(_DISPLAY_CONTROLLER)
        for device in bus.iterdir()
    )


def memory_left(total: int, available: int, group: Path = _CGROUP) -> tuple[int, int]:
    """Memory of the machine, or less where a control group (a container's limit) allows less.

    The group's page cache can be reclaimed, and counts as available.
    """
    limit, used = _read(group / "memory.max"), _read(group / "memory.current")
    if limit is None or used is None or not (limit.isdecimal() and used.isdecimal()):
        return total, available
    lines = (_read(group / "memory.stat") or "").splitlines()
    cached = next((int(line.split()[1]) for line in lines if line.startswith("inactive_file ")), 0)
    return min(total, int(limit)), max(0, min(available, int(limit) - int(used) + cached))


def _memory() -> tuple[int, int]:
    memory = psutil.virtual_memory()
    return memory_left(int(memory.total), int(memory.available))


def _name() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return f"{platform.system()} {platform.release()}"


def _is_container() -> bool:
    """Whether this is a container: Docker and Podman leave a file, others (Kubernetes too) set a variable."""
    marks = (Path("/.dockerenv"), Path("/run/.containerenv"))
    return any(mark.exists() for mark in marks) or bool(
        {"container", "KUBERNETES_SERVICE_HOST"} & os.environ.keys()
    )


def _is_wsl2() -> bool:
    return "WSL_DISTRO_NAME" in os.environ or "microsoft" in platform.release().lower()


def _is_checkout() -> bool:
    """Whether `make` would change the environment of this process."""
    root = Path(bench.__file__).parent.parent
    return (root / "Makefile").is_file() and Path(sys.prefix) == root / ".venv" and os.name != "nt"


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return None
