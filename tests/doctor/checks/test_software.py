"""Python, torch, driver, and no card at all."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.doctor.checks import software
from bench.doctor.facts import TorchBuild
from bench.packages import Fault
from tests.samples.machines import HOST, card, facts

CPU_BUILD = TorchBuild("2.13.0+cpu", None)


def test_an_old_python_says_which_one_is_needed() -> None:
    check = software.python(replace(HOST, python=(3, 10, 4)))
    assert (check.status, check.summary) == ("problem", "3.10.4 is too old")
    assert "3.11" in (check.fix or "")
    assert software.python(HOST).status == "ok"


@pytest.mark.parametrize(
    ("driver_cuda", "makefile", "command"),
    [
        ("13.0", True, "make bench TORCH=cu130"),
        ("12.8", True, "make bench TORCH=cu128"),
        (None, True, "make bench TORCH=cu130"),
        ("13.0", False, "pip install torch==2.13.0+cu130 -i https://download.pytorch.org/whl/cu130"),
        ("12.2", False, "pip install torch==2.9.1+cu128 -i https://download.pytorch.org/whl/cu128"),
    ],
)
def test_a_build_for_the_cpu_beside_a_card_names_the_command_that_mends_it(
    driver_cuda: str | None, makefile: bool, command: str
) -> None:
    here = facts(card(driver_cuda=driver_cuda), torch=CPU_BUILD, host=replace(HOST, makefile=makefile))
    check = software.torch(here)
    assert check.status == "problem"
    assert "CPU only" in check.summary
    assert check.command == command
    assert command in (check.fix or "")


def test_a_build_for_the_cpu_is_fine_without_a_card() -> None:
    assert software.torch(facts(torch=CPU_BUILD)).status == "ok"


def test_a_build_for_amd_cannot_use_an_nvidia_card() -> None:
    check = software.torch(facts(card(), torch=TorchBuild("2.13.0+rocm7.0", None, hip="7.0")))
    assert check.status == "problem"
    assert "AMD" in check.summary


def test_no_torch_at_all() -> None:
    assert software.torch(facts(torch=None)).command == "make bench TORCH=cpu"
    assert software.torch(facts(card(), torch=None)).command == "make bench TORCH=cu130"


def test_a_torch_that_is_too_old_keeps_the_model_from_running() -> None:
    old = Fault("torch", "2.9.0+cu128 is too old: 2.9.1 is needed", 'pip install "torch>=2.9.1"')
    check = software.torch(facts(card(), torch=TorchBuild("2.9.0+cu128", "12.8"), faults=(old,)))
    assert (check.status, check.summary) == ("problem", old.why)
    assert (
        check.command == "make bench TORCH=cu130"
    )  # the build for the card, which pip alone does not choose
    assert software.packages(facts(faults=(old,)))[0].status == "ok"


OF_RUN = frozenset({"torch", "transformers", "soxr"})


def test_what_runs_the_model_is_one_finding_after_torch() -> None:
    gone = tuple(Fault(name, "is not installed", f"pip install {name}") for name in sorted(OF_RUN))
    here = facts(torch=None, faults=gone, run_packages=OF_RUN)
    (found,) = software.packages(here)
    assert found.summary == (
        "the packages that run the model are not installed (soxr, torch, transformers): "
        "this machine can predict and report, but not run"
    )
    assert (found.status, found.command) == ("problem", 'pip install "moss-audio-bench[run]"')
    assert (found.fix or "").startswith("Then install it: pip")
    assert software.torch(here).summary == "not installed: this machine can predict and report, but not run"


def test_where_torch_is_installed_the_extra_brings_the_rest() -> None:
    gone = Fault("transformers", "is not installed", "pip install transformers")
    (found,) = software.packages(facts(faults=(gone,), run_packages=OF_RUN))
    assert (found.fix or "").startswith("Install it: pip")
    only_torch = facts(torch=None, faults=(Fault("torch", "is not installed", "pip"),), run_packages=OF_RUN)
    assert [check.status for check in software.packages(only_torch)] == ["ok"]


def test_each_other_package_is_a_finding_with_its_command() -> None:
    missing = Fault("soxr", "is not installed", 'pip install "soxr>=0.5"')
    hidden = Fault("nvidia-ml-py", "is hidden", "pip uninstall -y pynvml")
    found = software.packages(facts(faults=(missing, hidden)))
    assert [(check.status, check.command) for check in found] == [
        ("problem", missing.command),
        ("problem", hidden.command),
    ]
    assert software.packages(facts(faults=(hidden,), cpu_wanted=True))[0].status == "warning"
    assert software.gpu(facts(faults=(hidden,))) is None


@given(
    driver=st.tuples(st.integers(11, 15), st.integers(0, 9)),
    wheel=st.tuples(st.integers(12, 15), st.integers(0, 9)),
)
def test_the_same_major_version_of_cuda_is_enough(driver: tuple[int, int], wheel: tuple[int, int]) -> None:
    speaks, built = (f"{major}.{minor}" for major, minor in (driver, wheel))
    check = software.driver(facts(card(driver_cuda=speaks), torch=TorchBuild("2.13.0", built)))
    assert check is not None
    assert (check.status == "ok") == (driver[0] >= wheel[0])
    assert speaks in check.summary


@pytest.mark.parametrize(
    ("speaks", "built", "needed", "command"),
    [
        ("12.2", "13.0", "580", "make bench TORCH=cu128"),
        ("11.8", "12.8", "525", None),
        ("11.8", "13.0", "580", None),
    ],
)
def test_a_driver_that_is_too_old_names_the_one_that_is_needed(
    speaks: str, built: str, needed: str, command: str | None
) -> None:
    check = software.driver(facts(card(driver_cuda=speaks), torch=TorchBuild("2.13.0", built)))
    assert check is not None
    assert check.status == "problem"
    assert f"to {needed} or newer" in (check.fix or "")
    assert check.command == command


def test_a_driver_too_old_for_any_torch_is_told_beside_a_build_for_the_cpu() -> None:
    check = software.driver(facts(card(driver_cuda="11.4"), torch=CPU_BUILD))
    assert check is not None
    assert check.status == "problem"


def test_in_wsl2_the_driver_is_updated_in_windows() -> None:
    here = facts(card(driver_cuda="12.2"), host=replace(HOST, wsl2=True))
    check = software.driver(here)
    assert check is not None
    assert "in Windows" in (check.fix or "")


def test_a_driver_that_tells_no_cuda_version_is_no_problem() -> None:
    check = software.driver(facts(card(driver_cuda=None)))
    assert check is not None
    assert check.status == "note"


def test_a_driver_that_does_not_answer_says_what_it_said() -> None:
    check = software.driver(facts(driver_error="it does not answer", driver_fix="Restart the machine"))
    assert check is not None
    assert (check.status, check.summary, check.fix) == (
        "problem",
        "it does not answer",
        "Restart the machine",
    )


@pytest.mark.parametrize(
    ("changes", "status", "fix"),
    [
        ({}, "note", None),
        ({"hidden_gpus": 2}, "warning", "unset CUDA_VISIBLE_DEVICES"),
        ({"nvidia_hardware": True}, "warning", "Install the NVIDIA driver"),
        ({"nvidia_hardware": True, "container": True}, "warning", "--gpus all"),
        ({"container": True}, "note", "--gpus all"),
        ({"wsl2": True}, "note", "in Windows"),
    ],
)
def test_why_there_is_no_card(changes: dict[str, Any], status: str, fix: str | None) -> None:
    check = software.gpu(facts(host=replace(HOST, **changes)))
    assert check is not None
    assert check.status == status
    assert (check.fix is None) if fix is None else (fix in (check.fix or ""))


def test_a_card_that_was_asked_for_and_is_not_there_is_a_problem() -> None:
    check = software.gpu(facts(wanted="rtx-4070"))
    assert check is not None
    assert check.status == "problem"
    assert check.summary.startswith("no rtx-4070: ")


def test_nobody_misses_a_card_where_the_cpu_was_asked_for() -> None:
    assert software.gpu(facts(cpu_wanted=True)) is None
