"""Which torch suits a driver, and the command that installs it."""

from dataclasses import replace

import pytest

from bench.doctor.checks.install import install_it, not_installed, tag_for, torch_command
from tests.samples.machines import HOST


@pytest.mark.parametrize(
    ("driver_cuda", "tag"), [("12.8", "cu128"), ("12.2", "cu128"), ("13.0", "cu130"), (None, "cu130")]
)
def test_a_driver_gets_the_newest_build_that_it_runs(driver_cuda: str | None, tag: str) -> None:
    assert tag_for(driver_cuda) == tag


@pytest.mark.parametrize(
    ("makefile", "command"),
    [
        (True, "make bench TORCH=cu128"),
        (False, "pip install torch==2.9.1+cu128 -i https://download.pytorch.org/whl/cu128"),
    ],
)
def test_the_command_is_that_of_the_installation(makefile: bool, command: str) -> None:
    assert torch_command("cu128", replace(HOST, makefile=makefile)) == command


def test_macos_has_one_build() -> None:
    assert torch_command("cpu", replace(HOST, makefile=False, macos=True)) == "pip install torch==2.13.0"


def test_the_extra_of_a_checkout_is_added_in_its_folder() -> None:
    assert install_it('pip install -e ".[run]"') == "install it, in the folder of the checkout"
    assert install_it('pip install "moss-audio-bench[run]"') == "install it"
    assert not_installed(("torch", "soxr")).startswith(
        "the packages that run the model are not installed (torch, soxr): "
    )
