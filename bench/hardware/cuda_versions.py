"""Which driver runs which CUDA, and why CUDA does not start where they agree. Pure.

https://docs.nvidia.com/deploy/cuda-compatibility/minor-version-compatibility.html
"""

from typing import Final

from bench.hardware.system import System

_FIRST_DRIVERS: Final = {11: 450, 12: 525, 13: 580}


def cuda_major(version: str | None) -> int | None:
    """Return 13 for `13.0`; None for anything else than a version."""
    head = (version or "").partition(".")[0]
    return int(head) if head.isascii() and head.isdecimal() else None


def first_driver(major: int) -> int | None:
    """The first driver branch for a CUDA major version: R525 for 12, R580 for 13; None for one to come."""
    return _FIRST_DRIVERS.get(major)


def is_too_old(driver_cuda: str | None, torch_cuda: str | None) -> bool | None:
    """Whether a driver is too old for a build of torch, by the major versions of CUDA; None if unknown."""
    has, needs = cuda_major(driver_cuda), cuda_major(torch_cuda)
    return None if has is None or needs is None else has < needs


def not_started(driver_cuda: str | None, torch_cuda: str | None, system: System) -> tuple[str, str]:
    """Return the sentence and the remedy where driver and torch agree, and CUDA does not start.

    So it is after suspend and resume, and without the module nvidia_uvm or its device file.
    """
    agree = f"the driver (CUDA {driver_cuda}) and torch (CUDA {torch_cuda}) agree"
    if system.uvm_file is False:
        return f"CUDA does not start: /dev/nvidia-uvm is missing, although {agree}", _load(system)
    return f"CUDA does not start, although {agree}", _load_again(system)


def _load(system: System) -> str:
    module = "sudo modprobe nvidia_uvm && sudo nvidia-modprobe -u -c=0"
    if system.container:
        return f"Give the container --gpus all or --device /dev/nvidia-uvm; if the host lacks it: {module}"
    return f"Load its module: {module}; or restart the machine"


def _load_again(system: System) -> str:
    if system.windows:
        return "Restart the machine"
    if system.wsl2:
        return "Run in Windows: wsl --shutdown; or restart the machine"
    again = "sudo modprobe -r nvidia_uvm && sudo modprobe nvidia_uvm; or restart the machine"
    if system.container:
        return f"Load its module again on the host: {again}; then start the container again"
    return f"Load its module again: {again}"
