"""The system and the release of torch that a prediction is for."""

import platform
import re
from typing import Final

from bench.engines.native.sdpa_rules import NEWEST_RULES, TorchBuild
from bench.errors import UsageError
from bench.hardware.system import this_system
from bench.packages import is_older, oldest, version_of
from bench.records.enums import OperatingSystem
from bench.records.prediction import PlannedSystem

_VERSION: Final = re.compile(
    r"([0-9]{1,4}\.[0-9]{1,4})(?:\.[0-9]{1,4})?(?:\.?(?:a|b|rc|dev|post)[0-9]*)?(?:\+[A-Za-z0-9.]+)?"
)


def planned_system(os: OperatingSystem | None = None, torch: str | None = None) -> PlannedSystem:
    """Return the system to plan for. None: this machine, its torch; without torch the newest known release.

    `torch` is a release or a version, such as `2.13`, `2.13.0` or `2.14.1+cu130`. macOS counts as Linux:
    torch for macOS has no CUDA.

    Raises:
        UsageError: no version, or a release that bench does not support.
    """
    release = installed_release() if torch is None else _release(torch)
    return PlannedSystem(os=os or this_system().planned, torch=release)


def torch_build(system: PlannedSystem) -> TorchBuild:
    """Return the CUDA build of torch on a planned system: WSL2 runs those of Linux."""
    major, minor = map(int, system.torch.split("."))
    return TorchBuild("windows" if system.os == "windows" else "linux", (major, minor))


def installed_release() -> str:
    """Return the release of the installed torch, such as `2.13`; without one the newest with known rules."""
    found = _VERSION.match(version_of("torch") or NEWEST_RULES)
    return found[1] if found is not None else NEWEST_RULES


def notes(system: PlannedSystem, *, is_given: bool) -> tuple[str, ...]:
    """Return what the choice of a system leaves open, in a line each. `is_given`: not chosen by default."""
    found = []
    if not is_given and platform.system() == "Darwin":
        found.append("torch for macOS has no CUDA: the plan is for Linux")
    if is_older(NEWEST_RULES, system.torch):
        found.append(
            f"torch {system.torch}: no newer attention kernels are known than those of {NEWEST_RULES}"
        )
    return tuple(found)


def _release(text: str) -> str:
    found = _VERSION.fullmatch(text)
    least = _oldest_release()
    if found is None:
        raise UsageError(f"--torch: '{text}' is not a version of torch", hint="Give a release, such as 2.13")
    if is_older(found[1], least):
        raise UsageError(f"--torch: {text} is too old", hint=f"bench needs torch {least} or newer")
    return found[1]


def _oldest_release() -> str:
    """Return the release of the oldest torch that bench accepts; 0 where bench is not installed."""
    found = _VERSION.match(oldest().get("torch", ""))
    return found[1] if found is not None else "0"
