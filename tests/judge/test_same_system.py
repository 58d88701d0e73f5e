"""Which predictions are for the system and the attention kernel of a run."""

import pytest

from bench.judge.calibration import compare
from bench.judge.same_system import CellSystems, is_for, system_of
from bench.records.cell import CellResult
from bench.records.enums import AttentionKernel
from bench.records.prediction import PlannedSystem
from bench.store.record_files import seal
from tests.samples import cards
from tests.samples import predictions as derived
from tests.samples import records as sample
from tests.samples.predictions import LINUX, WINDOWS

NEWER = PlannedSystem(os="windows", torch="2.14")
WSL2 = PlannedSystem(os="wsl2", torch="2.13")


@pytest.mark.parametrize(
    ("kernel", "torch", "expected"),
    [
        ("6.1.0-28-amd64", "2.13.0+cu130", LINUX),
        ("Windows 11", "2.13.1", WINDOWS),
        ("Linux 5.15.167.4-microsoft-standard-WSL2", "2.13.0", WSL2),
        ("Linux 6.8.0", None, None),
    ],
)
def test_the_system_of_a_run_is_read_off_its_environment(
    kernel: str, torch: str | None, expected: PlannedSystem | None
) -> None:
    run = cards.rtx_4070()
    environment = run.environment.model_copy(update={"kernel": kernel, "torch": torch})
    assert system_of(run.model_copy(update={"environment": environment})) == expected
    assert system_of(sample.record([], device=sample.CPU)) is None


@pytest.mark.parametrize(
    ("planned", "kernel", "run", "ran", "expected"),
    [
        (LINUX, "flash", LINUX, "flash", True),
        (LINUX, "flash", LINUX, "cudnn", True),  # allocates as flash does
        (WINDOWS, "math", WINDOWS, "memory_efficient", False),
        (WINDOWS, "memory_efficient", NEWER, "memory_efficient", True),
        (LINUX, "flash", WSL2, "flash", False),
        (WINDOWS, "math", NEWER, None, False),
        (LINUX, "flash", PlannedSystem(os="linux", torch="2.9"), None, True),
        (None, None, WINDOWS, "math", True),
    ],
)
def test_a_prediction_is_for_one_operating_system_and_one_kernel(
    planned: PlannedSystem | None,
    kernel: AttentionKernel | None,
    run: PlannedSystem | None,
    ran: AttentionKernel | None,
    *,
    expected: bool,
) -> None:
    assert is_for(planned, kernel, run, ran) is expected


def with_kernel(cell: CellResult, kernel: AttentionKernel) -> CellResult:
    assert cell.effective is not None
    assert cell.effective.language_model is not None
    part = cell.effective.language_model.model_copy(update={"kernel": kernel})
    return cell.model_copy(update={"effective": cell.effective.model_copy(update={"language_model": part})})


def test_a_cell_out_of_memory_has_the_kernel_of_its_workers_others() -> None:
    ran = with_kernel(sample.measured(sample.requested(10.0)), "math")
    tried = sample.out_of_memory(sample.requested(300.0))
    systems = CellSystems.of(sample.record([ran, tried]))
    assert systems.kernel(tried) == "math"
    assert systems.settings(tried) == systems.settings(ran)


def test_a_run_is_compared_with_the_prediction_for_its_kernel_alone() -> None:
    plan = derived.derived_record(clips=(10.0, 60.0))
    run = cards.rtx_4070()
    cells = [with_kernel(c, "flash") if c.outcome.status == "measured" else c for c in run.cells]
    ran = seal(run.model_copy(update={"cells": tuple(cells)}).model_dump(mode="json"))
    assert compare(derived.planned_for(plan, LINUX, "flash"), [ran])
    assert compare(derived.planned_for(plan, LINUX, "math"), [ran]) == ()
    assert compare(derived.planned_for(plan, WINDOWS, "math"), [ran]) == ()
