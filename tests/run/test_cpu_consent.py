"""A model of full size runs on the CPU only where somebody chose it. The list of GPUs is ours."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bench.errors import DeviceError, ExitCode
from bench.hardware import device as devices
from bench.hardware import nvml
from bench.hardware.readings import DriverGpu, MemoryReading
from bench.hardware.system import System
from bench.run import runner
from bench.run.cpu_consent import expectation, require_chosen
from bench.run.frontier import frontier_plan
from bench.run.run_spec import Plan, RunOptions, make_plan, refuse_to_choose
from bench.units import MIB

T4 = DriverGpu(
    "GPU-c",
    "Tesla T4",
    "7.5",
    "580",
    memory=MemoryReading("NVML memory v1", 15360 * MIB, 0, 15360 * MIB, None),
)
Having = Callable[..., None]


@pytest.fixture
def having(monkeypatch: pytest.MonkeyPatch) -> Having:
    """A machine with these GPUs."""

    def set_gpus(*gpus: DriverGpu) -> None:
        monkeypatch.setattr(nvml, "gpus", lambda: gpus)

    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(devices, "this_system", System)
    set_gpus()
    return set_gpus


def planned(**options: str) -> Plan:
    return make_plan(RunOptions(**options), refuse_to_choose)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "options",
    [
        {"suite": "quick"},
        {"suite": "standard", "weights": "random"},
        {"model": "MOSS-Audio-4B-Instruct"},
        {"suite": "smoke", "model": "MOSS-Audio-8B-Instruct", "weights": "random"},
    ],
)
def test_without_a_card_a_model_of_full_size_is_refused_before_anything_is_written(
    having: Having, tmp_path: Path, options: dict[str, str]
) -> None:
    with pytest.raises(DeviceError) as caught:
        runner.check(planned(**options), runner.OutputLocation(tmp_path / "out"))
    line = str(caught.value)
    assert line.startswith("no graphics card was found: MOSS-Audio-")
    assert "would run on the CPU (about " in line
    assert line.endswith("Add --device cpu to run it there, or use --suite smoke")
    assert caught.value.exit_code is ExitCode.MACHINE
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "options", [{}, {"suite": "smoke"}, {"model": "tiny"}, {"suite": "quick", "device": "cpu"}]
)
def test_the_tiny_model_and_a_chosen_cpu_are_not_asked_about(
    having: Having, tmp_path: Path, options: dict[str, str]
) -> None:
    plan = planned(**options)
    assert plan.device.kind == "cpu"
    runner.check(plan, runner.OutputLocation(tmp_path))


def test_a_directory_is_asked_about_by_the_size_of_its_weights(having: Having, tmp_path: Path) -> None:
    weights = tmp_path / "model-00001-of-00002.safetensors"
    weights.write_bytes(b"small")
    require_chosen(planned(suite="quick", model=str(tmp_path)))
    with weights.open("r+b") as file:
        file.truncate(2 * 10**9)  # sparse: it takes no room on the disk
    with pytest.raises(DeviceError, match="would run on the CPU"):
        require_chosen(planned(suite="quick", model=str(tmp_path)))


def test_with_a_card_nothing_is_asked(having: Having) -> None:
    having(T4)
    require_chosen(planned(suite="quick"))


def test_a_hidden_card_is_no_reason_to_use_the_cpu(having: Having, monkeypatch: pytest.MonkeyPatch) -> None:
    having(T4)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    plan = planned(suite="quick")
    assert expectation(plan).startswith("no graphics card can be used: ")
    with pytest.raises(DeviceError):
        require_chosen(plan)


def test_a_search_does_not_promise_a_time(having: Having) -> None:
    plan, _ = frontier_plan(RunOptions(suite="quick"), refuse_to_choose)
    assert expectation(plan).endswith("would run on the CPU (minutes to hours)")
    with pytest.raises(DeviceError):
        require_chosen(plan)
    require_chosen(replace(plan, needs_cpu_consent=False))
