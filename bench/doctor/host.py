"""Facts about the machine: its system, its memory, the kind of environment of this process."""

import os
import platform
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Final

import psutil

import bench
from bench.doctor.facts import Host
from bench.hardware.system import read_text, this_system
from bench.packages import extra_command

_CGROUP: Final = Path("/sys/fs/cgroup")


def host(hidden_gpus: int = 0) -> Host:
    """Return these facts, from files and the environment."""
    total, available = _memory()
    return Host(
        **asdict(this_system()),
        os=_name(),
        python=sys.version_info[:3],
        ram_total_bytes=total,
        ram_available_bytes=available,
        hidden_gpus=hidden_gpus,
        makefile=_is_checkout(),
        macos=platform.system() == "Darwin",
        extra_command=extra_command("run"),
    )


def memory_left(total: int, available: int, group: Path = _CGROUP) -> tuple[int, int]:
    """Memory of the machine, or less where a control group (a container's limit) allows less.

    The group's page cache can be reclaimed, and counts as available.
    """
    limit, used = read_text(group / "memory.max"), read_text(group / "memory.current")
    if limit is None or used is None or not (limit.isdecimal() and used.isdecimal()):
        return total, available
    lines = (read_text(group / "memory.stat") or "").splitlines()
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


def _is_checkout() -> bool:
    """Whether `make` would change the environment of this process."""
    root = Path(bench.__file__).parent.parent
    return (root / "Makefile").is_file() and Path(sys.prefix) == root / ".venv" and os.name != "nt"
