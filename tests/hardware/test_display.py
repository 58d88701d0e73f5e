from dataclasses import replace

import pytest

from bench.hardware.display import desktop_use_bytes, display_evidence
from bench.hardware.readings import DriverGpu
from bench.units import MIB
from tests.hardware.samples import IDLE, PYTHON, SHELL, reading


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
            replace(IDLE, display_active=False, memory=reading(702)),
            True,
            id="only memory shows it, on Windows",
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
            id="a program's use is not reported",
        ),
        pytest.param(replace(IDLE, memory=reading(5000)), None, id="a container next door, with no list"),
        pytest.param(replace(IDLE, memory=reading(516, reserved_mib=None)), None, id="version 1"),
        pytest.param(replace(IDLE, memory=None, display_active=False), None, id="unified memory"),
    ],
)
def test_no_single_call_decides_whether_a_display_is_on_the_card(
    gpu: DriverGpu, display: bool | None
) -> None:
    found, evidence = display_evidence(gpu)
    assert found is display
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
