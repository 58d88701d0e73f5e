import json
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from bench.hardware.readings import GpuProcess
from bench.hardware.state import device_state, programs
from bench.records.card import DeviceState
from bench.units import GIB, MIB
from tests.fake_driver.driver import variant
from tests.hardware.driver_answers import Ask
from tests.hardware.samples import IDLE, PYTHON, SHELL, reading


def test_a_card_with_a_desktop_and_somebody_elses_work() -> None:
    state = device_state(
        replace(
            IDLE,
            memory=reading(5331),
            processes=(SHELL, PYTHON),
            power_limit_w=180.0,
            power_limit_default_w=200.0,
            ecc=False,
            pcie_generation_max=4,
        )
    )
    assert state.memory_source == "NVML memory v2"
    assert (state.memory_reserved_bytes, state.used_bytes) == (464 * MIB, 5331 * MIB)
    assert (state.other_processes, state.used_by_others_bytes) == (2, 5 * GIB + 173 * MIB)
    assert state.display is True
    assert state.budget.desktop_use_bytes == 211 * MIB
    assert state.budget.desktop_use_source is not None
    assert "measured here" in state.budget.desktop_use_source
    assert (state.power_limit_w, state.power_limit_default_w, state.ecc) == (180.0, 200.0, False)
    assert (state.pcie_generation_max, state.pcie_width_max, state.persistence) == (4, None, None)


def test_a_record_gets_no_names_no_pids_and_no_uuid() -> None:
    text = device_state(replace(IDLE, processes=(SHELL, PYTHON))).model_dump_json()
    for private in ("gnome", "python", "900", "901", "GPU-1"):
        assert private not in text


def test_nothing_on_the_card_is_0_and_not_told_is_null() -> None:
    idle, untold = device_state(IDLE), device_state(replace(IDLE, processes=None))
    assert (idle.other_processes, idle.used_by_others_bytes) == (0, 0)
    assert (untold.other_processes, untold.used_by_others_bytes) == (None, None)
    silent = GpuProcess(1, None, compute=True, graphics=False)
    assert device_state(replace(IDLE, processes=(silent,))).used_by_others_bytes is None
    assert device_state(replace(IDLE, processes=(silent, SHELL))).used_by_others_bytes == 173 * MIB


def test_unified_memory_has_no_figures() -> None:
    state = device_state(replace(IDLE, memory=None, name="NVIDIA GB10"))
    assert (state.memory_source, state.used_bytes, state.memory_reserved_bytes) == (None, None, None)
    assert set(state.budget.model_dump().values()) == {None}


def test_people_see_the_programs_largest_first() -> None:
    silent = GpuProcess(7, None, compute=True, graphics=True)
    assert programs(replace(IDLE, processes=(silent, SHELL, PYTHON))) == (
        "python3 (pid 901, computes): 5.00 GiB",
        "gnome-shell (pid 900, draws): 0.17 GiB",
        "a program (pid 7, computes and draws): n/a",
    )
    assert programs(replace(IDLE, processes=None)) == ()


# --- the real pynvml with the fake driver -----------------------------------------------------------------


def states(ask: Ask, scenario: str | Path) -> list[DeviceState]:
    answer = json.dumps(ask(scenario, "states"))
    for private in ("GPU-", "MIG-", "Xorg", "python3", "do-not-show", "419"):
        assert private not in answer
    return TypeAdapter(list[DeviceState]).validate_json(answer)


@pytest.mark.parametrize(
    ("scenario", "display", "headless", "desktop", "now", "is_measured"),
    [
        ("rtx-4070-headless", False, 11848, 11151.5, 11821, False),
        ("rtx-4070-desktop", True, 11848, 11024, 11024, True),
        ("rtx-5060-ti-16gb", False, 15847, 15150.5, 15827, False),
        ("laptop", True, 11992, 11776, 11776, True),
        ("shared-card", False, 11848, 11151.5, 8721, False),
        ("container", False, 11848, 11151.5, 11309, False),
        ("wsl2", True, 12077, 11375, 11375, True),
        ("old-driver", None, None, None, 11821, None),
        ("gb10", None, None, None, None, None),
    ],
)
def test_the_budget_of_each_card(
    ask: Ask,
    scenario: str,
    display: bool | None,
    headless: int | None,
    desktop: float | None,
    now: int | None,
    is_measured: bool | None,
) -> None:
    (state,) = states(ask, scenario)
    budget = state.budget
    assert state.display is display
    figures = (budget.headless_bytes, budget.desktop_bytes, budget.now_bytes)
    assert figures == tuple(None if mib is None else mib * MIB for mib in (headless, desktop, now))
    source = budget.desktop_use_source
    assert is_measured == (None if source is None else source.startswith("measured here"))
    assert source is None or source.startswith(("measured here", "assumed"))
    assert budget.desktop_use_basis == {True: "measured", False: "assumed", None: None}[is_measured]


def test_what_is_not_told_is_null_and_nothing_there_is_0(ask: Ask) -> None:
    (idle,), (wsl2,) = states(ask, "rtx-4070-headless"), states(ask, "wsl2")
    assert (idle.other_processes, idle.used_by_others_bytes) == (0, 0)
    assert (wsl2.other_processes, wsl2.used_by_others_bytes) == (1, None)
    (shared,) = states(ask, "shared-card")
    assert (shared.other_processes, shared.used_by_others_bytes) == (1, 3100 * MIB)
    (old,) = states(ask, "old-driver")
    assert (old.memory_source, old.memory_reserved_bytes) == ("NVML memory v1", None)
    assert old.used_bytes == (27 + 434) * MIB
    assert "0.45 GiB in use, with what the driver keeps for itself" in old.display_evidence


def test_each_card_and_each_slice_has_a_budget_of_its_own(ask: Ask) -> None:
    pair = [state.budget.headless_bytes for state in states(ask, "rtx-4060-ti-pair")]
    assert pair == [7876 * MIB, 15946 * MIB]
    slices = [state.budget.now_bytes for state in states(ask, "mig-slice")]
    assert slices == [20085 * MIB, 4853 * MIB]


def test_a_limit_below_the_makers_is_in_the_state(ask: Ask) -> None:
    (state,) = states(ask, "power-capped")
    assert (state.power_limit_w, state.power_limit_default_w) == (140.0, 200.0)


def test_a_list_of_programs_that_is_not_told_is_not_an_empty_one(ask: Ask, tmp_path: Path) -> None:
    refused = "fail nvmlDeviceGetComputeRunningProcesses_v3 NOT_SUPPORTED"
    (state,) = states(ask, variant(tmp_path, "shared-card", refused))
    assert (state.other_processes, state.used_by_others_bytes, state.display) == (None, None, None)
