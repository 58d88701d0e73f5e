"""Which driver runs which CUDA, and what to do where CUDA does not start."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.hardware.cuda_versions import cuda_major, first_driver, is_too_old, not_started
from bench.hardware.system import System


@given(st.text())
def test_any_text_may_stand_for_a_version(text: str) -> None:
    major = cuda_major(text)
    assert major is None or major >= 0


def test_a_major_version_names_its_first_driver() -> None:
    assert [first_driver(major) for major in (11, 12, 13, 14)] == [450, 525, 580, None]


def test_a_driver_is_too_old_by_the_major_version_alone() -> None:
    pairs = [("12.8", "13.0"), ("13.0", "13.2"), ("13.0", "12.8"), (None, "13.0"), ("13.0", None)]
    assert [is_too_old(*pair) for pair in pairs] == [True, False, False, None, None]


@pytest.mark.parametrize(
    ("system", "remedy"),
    [
        (System(), "sudo modprobe -r nvidia_uvm && sudo modprobe nvidia_uvm; or restart"),
        (System(uvm_file=True, container=True), "on the host: sudo modprobe -r nvidia_uvm"),
        (System(uvm_file=False), "sudo modprobe nvidia_uvm && sudo nvidia-modprobe -u -c=0; or restart"),
        (System(uvm_file=False, container=True), "--device /dev/nvidia-uvm"),
        (System(wsl2=True), "wsl --shutdown"),
        (System(windows=True), "Restart the machine"),
    ],
)
def test_a_cuda_that_does_not_start_has_the_remedy_of_the_system(system: System, remedy: str) -> None:
    """After suspend and resume neither a newer driver nor an older torch helps."""
    what, fix = not_started("13.0", "13.0", system)
    assert "CUDA does not start" in what
    assert "the driver (CUDA 13.0) and torch (CUDA 13.0) agree" in what
    assert ("/dev/nvidia-uvm is missing" in what) is (system.uvm_file is False)
    assert remedy in fix
