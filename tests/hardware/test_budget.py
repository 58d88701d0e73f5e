from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.hardware.allowance import DESKTOP
from bench.hardware.budget import DISPLAY_MOST_BYTES, budget_of, desktop_use_bytes, display_evidence
from bench.hardware.readings import DriverGpu, GpuProcess, MemoryReading
from bench.units import GIB, MIB

SHELL = GpuProcess(900, 173 * MIB, compute=False, graphics=True, name="gnome-shell")
PYTHON = GpuProcess(901, 5 * GIB, compute=True, graphics=False, name="python3")


def reading(used_mib: int, reserved_mib: int | None = 464, total_mib: int = 12282) -> MemoryReading:
    free = total_mib - used_mib - (reserved_mib or 0)
    return MemoryReading(
        "NVML memory v1" if reserved_mib is None else "NVML memory v2",
        total_mib * MIB,
        used_mib * MIB,
        free * MIB,
        None if reserved_mib is None else reserved_mib * MIB,
    )


IDLE = DriverGpu("GPU-1", "NVIDIA GeForce RTX 4070", "8.9", "580.95.05", memory=reading(27), processes=())


@st.composite
def readings(draw: st.DrawFn) -> MemoryReading:
    total = draw(st.integers(0, 200 * GIB))
    reserved = draw(st.one_of(st.none(), st.integers(0, total)))
    used = draw(st.integers(0, total - (reserved or 0)))
    free = total - used - (reserved or 0)
    return MemoryReading(
        "NVML memory v1" if reserved is None else "NVML memory v2", total, used, free, reserved
    )


sizes = st.one_of(st.none(), st.integers(0, 20 * GIB))


@given(readings(), st.sampled_from([True, False, None]), sizes)
def test_a_desktop_leaves_less_than_no_desktop_and_both_less_than_the_card(
    memory: MemoryReading, display: bool | None, graphics: int | None
) -> None:
    budget = budget_of(memory, display, graphics)
    assert budget.now_bytes == memory.free_bytes
    if memory.reserved_bytes is None:
        assert set(budget.model_dump(exclude={"now_bytes"}).values()) == {None}
        return
    assert budget.headless_bytes is not None
    assert budget.desktop_bytes is not None
    assert budget.desktop_use_bytes is not None
    assert budget.desktop_use_source is not None
    assert 0 <= budget.desktop_bytes <= budget.headless_bytes <= memory.total_bytes
    assert budget.now_bytes <= budget.headless_bytes
    assert budget.headless_bytes - budget.desktop_bytes <= budget.desktop_use_bytes
    is_measured = budget.desktop_use_source.startswith("measured here")
    assert is_measured == bool(display and graphics is not None and graphics <= DISPLAY_MOST_BYTES)
    assert budget.desktop_use_bytes == (graphics if is_measured else DESKTOP.typical_bytes)


@given(st.sampled_from([True, False, None]), sizes)
def test_without_a_memory_figure_nothing_is_made_up(display: bool | None, graphics: int | None) -> None:
    assert set(budget_of(None, display, graphics).model_dump().values()) == {None}


def test_a_driver_that_does_not_tell_its_own_part_leaves_only_what_is_free_now() -> None:
    budget = budget_of(reading(490, reserved_mib=None), False, None)
    assert (budget.headless_bytes, budget.desktop_bytes, budget.desktop_use_bytes) == (None, None, None)
    assert budget.now_bytes == (12282 - 490) * MIB


def test_the_figures_of_a_real_card() -> None:
    budget = budget_of(reading(824), True, 824 * MIB)
    assert budget.headless_bytes == (12282 - 464) * MIB
    assert budget.desktop_bytes == (12282 - 464 - 824) * MIB == budget.now_bytes


# --- is a display on it? ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("gpu", "display"),
    [
        pytest.param(IDLE, False, id="idle: 27 MiB with the monitor elsewhere"),
        pytest.param(replace(IDLE, display_active=False), False, id="the driver agrees"),
        pytest.param(replace(IDLE, display_active=True), True, id="the driver says so"),
        pytest.param(
            replace(IDLE, display_active=False, processes=(SHELL,), memory=reading(211)),
            True,
            id="the driver misses it, a program draws",
        ),
        pytest.param(
            replace(IDLE, display_active=False, memory=reading(702)), True, id="only memory tells, on Windows"
        ),
        pytest.param(replace(IDLE, display_connected=True), False, id="a monitor that shows nothing"),
        pytest.param(
            replace(IDLE, processes=(PYTHON,), memory=reading(5 * 1024 + 20)), False, id="somebody computes"
        ),
        pytest.param(
            replace(IDLE, processes=(PYTHON, SHELL), memory=reading(6000)), True, id="both compute and draw"
        ),
        pytest.param(replace(IDLE, processes=None, memory=reading(702)), None, id="no list of programs"),
        pytest.param(
            replace(IDLE, processes=(replace(PYTHON, used_bytes=None),), memory=reading(5000)),
            None,
            id="a program's use is not told",
        ),
        pytest.param(replace(IDLE, memory=reading(5000)), None, id="a container next door, with no list"),
        pytest.param(replace(IDLE, memory=reading(516, reserved_mib=None)), None, id="version 1"),
        pytest.param(replace(IDLE, memory=None, display_active=False), None, id="unified memory"),
    ],
)
def test_no_single_call_decides_whether_a_display_is_on_the_card(
    gpu: DriverGpu, display: bool | None
) -> None:
    told, evidence = display_evidence(gpu)
    assert told is display
    assert evidence
    assert "gnome-shell" not in " ".join(evidence)
    assert "python" not in " ".join(evidence)


def test_the_evidence_is_in_words() -> None:
    gpu = replace(
        IDLE, display_active=False, display_connected=True, processes=(SHELL, PYTHON), memory=reading(5331)
    )
    assert display_evidence(gpu)[1] == (
        "the driver says that no display is active",
        "the driver says that a monitor is connected",
        "1 program draws on it",
        "0.21 GiB in use beyond what programs compute with",
    )


def test_a_desktop_takes_more_than_the_programs_that_draw() -> None:
    """The picture itself belongs to none of them: 211 MiB in use where the shell had 173."""
    assert desktop_use_bytes(replace(IDLE, processes=(SHELL,), memory=reading(211))) == 211 * MIB
    assert desktop_use_bytes(replace(IDLE, processes=(SHELL, PYTHON), memory=reading(5331))) == 211 * MIB
    both = replace(PYTHON, graphics=True)
    assert desktop_use_bytes(replace(IDLE, processes=(both,), memory=reading(5331))) == 5331 * MIB
