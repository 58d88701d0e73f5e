"""The system and the attention kernel of runs and predictions: which belong together. Pure.

The kernel decides the memory of attention, and it follows from the operating system and the release of torch.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

from bench.judge.same_run import WORKER, request_key, settings_of
from bench.records.cell import CellResult
from bench.records.enums import AttentionKernel, OperatingSystem, Provenance
from bench.records.prediction import PlannedSystem
from bench.records.record import Environment, Record

_AS_FLASH: Final[Mapping[AttentionKernel, AttentionKernel]] = {"cudnn": "flash"}
"""Kernels that allocate as another does, and that one."""
_RELEASE: Final = re.compile(r"\d{1,4}\.\d{1,4}")


def system_of(record: Record) -> PlannedSystem | None:
    """The system that a record is for; None for a CPU, and where the record does not name it."""
    if record.derivation is not None:
        return record.derivation.system
    return None if record.device.kind == "cpu" else _of_a_run(record.environment)


def _of_a_run(environment: Environment) -> PlannedSystem | None:
    release = _RELEASE.match(environment.torch or "")
    return None if release is None else PlannedSystem(os=os_of(environment.kernel), torch=release[0])


def os_of(kernel: str) -> OperatingSystem:
    """The operating system of `Windows 11`, `Linux 5.15.167.4-microsoft-standard-WSL2`, `Linux 6.8.0`."""
    words = kernel.lower()
    if words.startswith("windows"):
        return "windows"
    return "wsl2" if "microsoft" in words or "wsl" in words else "linux"


def kernel_of(cell: CellResult) -> AttentionKernel | None:
    """The attention kernel of the language model: the predicted one, or the one that ran."""
    if cell.envelope is not None:
        return cell.envelope.attention_kernel
    ran = cell.effective.language_model if cell.effective is not None else None
    return None if ran is None else ran.kernel


@dataclass(frozen=True, slots=True)
class CellSystems:
    """The system that a record is a prediction for, None of a run; and the attention kernel of each cell."""

    system: PlannedSystem | None
    is_derived: bool
    by_worker: Mapping[tuple[object, ...], AttentionKernel]

    @classmethod
    def of(cls, record: Record) -> Self:
        """Those of a record."""
        known = ((request_key(WORKER, cell.requested), kernel_of(cell)) for cell in record.cells)
        derived = record.provenance is Provenance.DERIVED
        kernels = {worker: kernel for worker, kernel in known if kernel is not None}
        return cls(system_of(record) if derived else None, derived, kernels)

    def kernel(self, cell: CellResult) -> AttentionKernel | None:
        """The kernel; of a cell that names none, such as one out of memory, that of its worker's others."""
        return kernel_of(cell) or self.by_worker.get(request_key(WORKER, cell.requested))

    def settings(self, cell: CellResult) -> tuple[str, ...]:
        """The values of `SETTINGS`: of a prediction with its system, of a run with its kernel."""
        if self.is_derived:
            return settings_of(cell.requested, system=self.system)
        return settings_of(cell.requested, kernel=self.kernel(cell))


def is_for(
    planned: PlannedSystem | None,
    kernel: AttentionKernel | None,
    run: PlannedSystem | None,
    ran: AttentionKernel | None,
) -> bool:
    """Whether a prediction is for the system and the kernel of a run. What is not known counts as equal."""
    if planned is not None and run is not None and planned.os != run.os:
        return False
    if kernel is not None and ran is not None:
        return _AS_FLASH.get(kernel, kernel) == _AS_FLASH.get(ran, ran)
    both = planned is not None and run is not None and planned.os == "windows"
    return not both or planned == run
