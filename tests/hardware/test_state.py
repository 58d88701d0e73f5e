from dataclasses import replace

from bench.hardware.readings import GpuProcess
from bench.hardware.state import device_state, programs
from bench.units import GIB, MIB
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
