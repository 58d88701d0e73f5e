"""Whether what runs the model is installed here. Errors have the commands that `bench doctor` prints."""

import sys
from collections.abc import Iterable

from bench.doctor.checks.install import install_it, not_installed, tag_for, torch_command
from bench.doctor.host import host
from bench.doctor.torch_build import torch_build
from bench.errors import DeviceError, MachineError, PackageError
from bench.hardware import device as devices
from bench.hardware.device import Device
from bench.packages import Fault, extra_command, faults_of, install_command, require, run_packages
from bench.weights.hub_settings import load_client


def prepare_imports() -> None:
    """Prepare this process for the import of the libraries that run or trace the model.

    Raises:
        MachineError: `python -OO` removes docstrings, which transformers reads.
    """
    if sys.flags.optimize > 1:
        raise MachineError(
            "transformers cannot be imported under python -OO, which removes docstrings",
            hint="Run without -OO and without PYTHONOPTIMIZE=2",
        )
    load_client()


def require_packages(packages: Iterable[str]) -> None:
    """Check that packages are installed and new enough.

    Raises:
        PackageError: some are not. Where one of the extra `run` is missing, the error names all that are, and
            has the commands for this machine: torch from the index for its driver, then the extra.
    """
    names = tuple(packages)
    error = lacking(faults_of(names))
    if error is not None:
        raise error
    require(*names)


def lacking(faults: Iterable[Fault]) -> PackageError | None:
    """Return the error for the extra `run` if one of these faults is a missing package of it; else None."""
    found, of_run = {fault.package: fault for fault in faults}, run_packages()
    if not any(fault.is_missing and name in of_run for name, fault in found.items()):
        return None
    found |= {fault.package: fault for fault in faults_of(sorted(of_run))}
    others = [fault for name, fault in found.items() if name not in of_run]
    commands = [
        *([_torch_command(_cards())] if "torch" in found or _is_wrong_build() else []),
        *([extra_command("run")] if found.keys() & of_run - {"torch"} else []),
        *([install_command(others)] if others else []),
    ]
    missing = tuple(sorted(name for name, fault in found.items() if fault.is_missing))
    hint = install_it(extra_command("run")).capitalize()
    return PackageError(not_installed(missing), hint=hint, commands=tuple(commands))


def require_build(chosen: Device) -> None:
    """Check that the installed build of torch can use the device. Nothing is imported.

    Raises:
        DeviceError: a graphics card, and a build without CUDA.
    """
    build = torch_build()
    if chosen.kind == "cpu" or build is None or build.cuda is not None:
        return
    made_for = "AMD cards" if build.hip else "the CPU only"
    raise DeviceError(
        f"torch {build.version} is built for {made_for}, and cannot use {chosen.name}",
        hint=f"Install one for the card: {_torch_command((chosen,))}",
    )


def _is_wrong_build() -> bool:
    build = torch_build()
    return build is not None and build.cuda is None and bool(_cards())


def _torch_command(found: tuple[Device, ...]) -> str:
    driver = found[0].driver_gpu if found else None
    return torch_command(tag_for(driver.driver_cuda if driver else None) if found else "cpu", host())


def _cards() -> tuple[Device, ...]:
    try:
        return devices.gpus()
    except (DeviceError, PackageError):  # a driver that does not answer, or nvidia-ml-py is missing
        return ()
