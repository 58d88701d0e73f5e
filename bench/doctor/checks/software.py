"""Checks of Python, torch and the driver, which precede those of a card. Pure."""

from typing import Final

from bench.doctor.checks.install import (
    ONLY_PREDICTS,
    install_it,
    not_installed,
    tag_for,
    torch_command,
)
from bench.doctor.facts import Facts, Host, TorchBuild
from bench.doctor.interface import Check, Status
from bench.hardware.cuda_versions import cuda_major, first_driver, is_too_old
from bench.hardware.no_gpu import why_no_gpu
from bench.packages import Fault

OLDEST_PYTHON: Final = (3, 11)


def python(host: Host) -> Check:
    """Check for Python 3.11 or newer."""
    version = ".".join(map(str, host.python))
    if host.python[:2] >= OLDEST_PYTHON:
        return Check(name="Python", status="ok", summary=version)
    return Check(
        name="Python",
        status="problem",
        summary=f"{version} is too old",
        fix="Install Python 3.11 or newer, and create the environment again with it",
    )


def torch(facts: Facts) -> Check:
    """Check that torch is installed, new enough, and built for the card if there is one."""
    build, driver_cuda = facts.torch, facts.cards[0].driver_cuda if facts.cards else None
    tag = tag_for(driver_cuda) if facts.cards else "cpu"
    command = torch_command(tag, facts.host)
    if build is None:
        return Check(
            name="torch",
            status="problem",
            summary=f"not installed: {ONLY_PREDICTS}",
            fix=f"Install it: {command}",
            command=command,
        )
    if facts.cards and build.cuda is None:
        made_for = "AMD cards" if build.hip else "the CPU only"
        return Check(
            name="torch",
            status="problem",
            summary=f"{build.version} is built for {made_for}: it cannot use the card",
            fix=f"Install the build for the card: {command}",
            command=command,
        )
    if (fault := facts.fault("torch")) is not None:
        return Check(
            name="torch",
            status="problem",
            summary=fault.why,
            fix=f"Install it again: {command}",
            command=command,
        )
    made_for = f"CUDA {build.cuda}" if build.cuda else "the CPU"
    return Check(name="torch", status="ok", summary=f"{build.version}, for {made_for}")


def packages(facts: Facts) -> tuple[Check, ...]:
    """Check the other required packages: installed, new enough, and imported without an error."""
    missing = tuple(fault.package for fault in facts.faults if _is_of_run(fault, facts))
    found = tuple(
        _package(fault, facts)
        for fault in facts.faults
        if fault.package != "torch" and not _is_of_run(fault, facts)
    )
    fine = Check(name="packages", status="ok", summary="all that are needed can be imported")
    return (*([_not_installed(missing, facts)] if set(missing) - {"torch"} else []), *found) or (fine,)


def _is_of_run(fault: Fault, facts: Facts) -> bool:
    """Whether this is a package of the extra `run` that is not installed."""
    return fault.is_missing and fault.package in facts.run_packages


def _not_installed(missing: tuple[str, ...], facts: Facts) -> Check:
    """Return one finding for all of the extra; torch has its own before it, with its index."""
    command = facts.host.extra_command
    step = install_it(command)
    return Check(
        name="packages",
        status="problem",
        summary=not_installed(missing),
        fix=f"{f'Then {step}' if 'torch' in missing else step.capitalize()}: {command}",
        command=command,
    )


def _package(fault: Fault, facts: Facts) -> Check:
    # The driver is asked through nvidia-ml-py alone; a run on the CPU does not ask.
    status: Status = "warning" if fault.package == "nvidia-ml-py" and facts.cpu_wanted else "problem"
    return Check(
        name="packages",
        status=status,
        summary=str(fault),
        fix=f"Fix it: {fault.command}",
        command=fault.command,
    )


def driver(facts: Facts) -> Check | None:
    """Check that the driver supports the major version of torch's CUDA. None without a card."""
    if facts.driver_error is not None:
        return Check(
            name="driver",
            status="problem",
            summary=facts.driver_error,
            fix=facts.driver_fix,
        )
    if not facts.cards:
        return None
    version, cuda = facts.cards[0].driver or "version not reported", facts.cards[0].driver_cuda
    build = facts.torch
    has, needs = cuda_major(cuda), cuda_major(build.cuda) if build else None
    if has is None:
        return Check(
            name="driver", status="note", summary=f"{version}; the driver does not report its CUDA version"
        )
    if build is not None and needs is not None and is_too_old(cuda, build.cuda):
        return _old_driver(facts.host, build, f"{version} supports CUDA {cuda}", has, needs)
    if has < 12:
        return _old_driver(facts.host, None, f"{version} supports CUDA {cuda}", has, 12)
    return Check(name="driver", status="ok", summary=f"{version}, supports CUDA {cuda}")


def _old_driver(host: Host, build: TorchBuild | None, version: str, has: int, needs: int) -> Check:
    branch = first_driver(needs)
    where = "in Windows, " if host.wsl2 else ""
    newer = f"to {branch} or newer" if branch else f"to one for CUDA {needs}"
    fix, command = f"Update the NVIDIA driver {where}{newer}", None
    if has >= 12:  # a torch for this driver exists
        command = torch_command("cu128", host)
        fix += f"; or keep it: {command}"
    wanted = f"torch {build.version}" if build else "torch"
    return Check(
        name="driver",
        status="problem",
        summary=f"{version}, too old for {wanted}: CUDA {needs} is needed",
        fix=fix,
        command=command,
    )


def gpu(facts: Facts) -> Check | None:
    """Check that a card was found. None if one was, if one was found and cannot be used, or for the CPU."""
    if facts.fault("nvidia-ml-py") is not None:  # nobody can ask for one
        return None
    if facts.cards or facts.unusable or facts.driver_error is not None or facts.cpu_wanted:
        return None
    why = why_no_gpu(facts.host, facts.host.hidden_gpus)
    if facts.wanted is not None:
        return Check(name="GPU", status="problem", summary=f"no {facts.wanted}: {why.summary}", fix=why.fix)
    return Check(
        name="GPU", status="warning" if why.card_is_here else "note", summary=why.summary, fix=why.fix
    )


def unusable(facts: Facts) -> tuple[Check, ...]:
    """Check for cards that the driver counts and that cannot be used: a problem where there is no other."""
    return tuple(
        Check(name="GPU", status="warning" if facts.cards else "problem", summary=what, fix=fix)
        for what, fix in facts.unusable
    )
