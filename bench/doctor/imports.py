"""Finds required packages that are missing, too old, or cannot be imported.

They are imported in a process of their own, the module `bench.doctor.imports PACKAGE...`. It prints the name
of each package before its import, and the fault as JSON after it. A package that ends the process leaves its
name last, and another process goes on after it. Where all are well it asks torch for its kernel on the CPU.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Final, get_args

from bench.packages import Fault, broken, fault_of, import_fault, module_of, oldest
from bench.processes import python_command, python_environment
from bench.records.enums import SdpaKernel
from bench.weights.hub_settings import importable

_LIMIT_S: Final = 300.0  # torch from a cold, slow disk
_MARK: Final = "bench.doctor.imports: "  # what a package prints has none
_END: Final = "end"
_SDPA: Final = "sdpa: "
_OURS: Final = {"nvidia-ml-py": "bench.hardware.nvml"}
"""Our modules that use the whole of a package, where an older one has the same module."""
_ON_TORCH: Final = ("transformers", "accelerate")


@dataclass(frozen=True, slots=True)
class Imports:
    """`faults` of the required packages, one a package; `sdpa_kernel` of the CPU, None where unknown."""

    faults: tuple[Fault, ...] = ()
    sdpa_kernel: SdpaKernel | None = None


def try_imports() -> Imports:
    """Return the faults of the required packages. Nothing is imported into this process."""
    needed = oldest()
    faults = {name: fault for name in needed if (fault := fault_of(name, needed[name])) is not None}
    left = [name for name in needed if name not in faults and not ("torch" in faults and name in _ON_TORCH)]
    kernel = None
    for found in _imported(sorted(left, key=lambda name: (name != "torch", name))):
        if isinstance(found, Fault):
            faults.setdefault(found.package, found)
        else:
            kernel = found
    return Imports(tuple(faults[name] for name in sorted(faults)), kernel)


def _imported(packages: Sequence[str]) -> Iterator[Fault | SdpaKernel]:
    while packages:
        lines, end = _trial(packages)
        names = [line for line in lines if line in packages]
        kernels = [line.removeprefix(_SDPA) for line in lines if line.startswith(_SDPA)]
        yield from (kernel for kernel in get_args(SdpaKernel) if kernel in kernels)
        lines = [line for line in lines if line not in packages and not line.startswith(_SDPA)]
        yield from (Fault(**json.loads(line)) for line in lines)
        if end is None or not names:
            return
        yield broken(names[-1], end)
        packages = packages[packages.index(names[-1]) + 1 :]


def _trial(packages: Sequence[str]) -> tuple[list[str], str | None]:
    """Return the lines of one process, and how it ended if it did not reach the end."""
    try:
        ended = subprocess.run(
            python_command("bench.doctor.imports", *packages),
            env=importable(python_environment(os.environ)),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            check=False,
            timeout=_LIMIT_S,
        )
    except subprocess.TimeoutExpired as error:
        return _marked(error.stdout or b""), f"no answer within {_LIMIT_S:.0f} s"
    lines, code = _marked(ended.stdout), ended.returncode
    if lines[-1:] == [_END]:
        return lines[:-1], None
    how = f"was ended by signal {-code}" if code < 0 else f"ended with code {code}"
    return lines, f"its process {how}"


def _marked(output: bytes) -> list[str]:
    lines = output.decode("utf-8", "replace").splitlines()
    return [line.removeprefix(_MARK) for line in lines if line.startswith(_MARK)]


# --- in the child process ---------------------------------------------------------------------------------


def _import_all(packages: Sequence[str]) -> None:
    without_torch, is_faulty = False, False
    for package in packages:
        if without_torch and package in _ON_TORCH:
            continue
        _say(package)
        fault = _fault(package)
        without_torch |= fault is not None and package == "torch"
        if fault is not None:
            is_faulty = True
            _say(json.dumps(asdict(fault)))
    if "torch" in packages and not is_faulty:
        from bench.engines.native.sdpa import sdpa_kernel

        _say(f"{_SDPA}{sdpa_kernel('cpu', 'bfloat16')}")
    _say(_END)


def _fault(package: str) -> Fault | None:
    try:
        __import__(_OURS.get(package, module_of(package)))
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a package may raise anything while it is imported
        return import_fault(error) or broken(package, f"{type(error).__name__}: {error}")
    return None


def _say(line: str) -> None:
    os.write(1, f"\n{_MARK}{line}\n".encode())


if __name__ == "__main__":
    _import_all(sys.argv[1:])
