"""What is asked for becomes what will be run. GPUs are as the driver would list them; all else is real."""

import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bench import shipped
from bench.errors import BenchError, DeviceError, UsageError
from bench.hardware import nvml
from bench.hardware.device import Device
from bench.hardware.readings import DriverGpu, MemoryReading
from bench.records.enums import Attention, WeightMode
from bench.records.reasons import FlashAttentionNeedsNewerGpu
from bench.run.run_spec import Plan, RunOptions, make_plan, refuse_to_choose, support
from bench.run.runner import OutputLocation, needs_weights
from bench.units import MIB

Having = Callable[..., None]


def _gpu(uuid: str, name: str, mib: int, capability: str, free_mib: int | None = None) -> DriverGpu:
    free = mib if free_mib is None else free_mib
    memory = MemoryReading("NVML memory v1", mib * MIB, (mib - free) * MIB, free * MIB, None)
    return DriverGpu(uuid, name, capability, "580.95.05", memory=memory)


RTX_4070 = _gpu("GPU-a", "NVIDIA GeForce RTX 4070", 12_282, "8.9", 9_000)
RTX_4070_FREER = _gpu("GPU-b", "NVIDIA GeForce RTX 4070", 12_282, "8.9", 12_000)
RTX_2080_TI = _gpu("GPU-c", "NVIDIA GeForce RTX 2080 Ti", 11_264, "7.5")


@pytest.fixture
def having(monkeypatch: pytest.MonkeyPatch) -> Having:
    """A machine with these GPUs."""

    def set_gpus(*gpus: DriverGpu) -> None:
        monkeypatch.setattr(nvml, "gpus", lambda: gpus)

    set_gpus()
    return set_gpus


def planned(options: RunOptions) -> Plan:
    return make_plan(options, refuse_to_choose)


def test_the_default_is_the_smoke_suite_on_the_cpu(having: Having) -> None:
    plan = planned(RunOptions())
    assert (plan.device.kind, plan.suite.name, plan.origin.weight_mode) == ("cpu", "smoke", WeightMode.TINY)


def test_the_default_is_the_quick_suite_on_the_only_gpu(having: Having) -> None:
    having(RTX_4070)
    plan = planned(RunOptions())
    assert (plan.device.slug, plan.suite.name, plan.origin.weight_mode) == (
        "rtx-4070",
        "quick",
        WeightMode.HUB,
    )
    assert plan.origin.repo == "OpenMOSS-Team/MOSS-Audio-4B-Instruct"


def test_a_named_card_gets_the_standard_suite_and_of_two_equal_ones_it_is_the_freer(having: Having) -> None:
    having(RTX_4070, RTX_4070_FREER)
    plan = planned(RunOptions(gpu="rtx-4070"))
    assert (plan.suite.name, plan.device.uuid) == ("standard", "GPU-b")
    assert planned(RunOptions(device="GPU-a")).device.uuid == "GPU-a"


def test_of_several_gpus_somebody_has_to_choose(having: Having) -> None:
    having(RTX_4070, RTX_2080_TI)
    with pytest.raises(UsageError, match=r"2 GPUs: rtx-4070 \(GPU-a\), rtx-2080-ti \(GPU-c\)") as caught:
        planned(RunOptions())
    assert caught.value.hint == "Choose one with --device"
    asked: list[tuple[Device, ...]] = []

    def last(found: tuple[Device, ...]) -> Device:
        asked.append(found)
        return found[-1]

    assert make_plan(RunOptions(), last).device.slug == "rtx-2080-ti"
    assert len(asked) == 1


def test_a_card_that_is_not_here(having: Having) -> None:
    having(RTX_2080_TI)
    with pytest.raises(DeviceError, match="no rtx-4070 here: found rtx-2080-ti"):
        planned(RunOptions(gpu="rtx-4070"))


def test_what_cannot_run_is_known_before_anything_is_loaded(having: Having) -> None:
    having(RTX_2080_TI)
    plan = planned(RunOptions(suite="smoke"))
    reasons = {cell.requested.attention: support(plan)(cell.requested) for cell in plan.cells}
    assert reasons[Attention.SDPA] is None
    assert reasons[Attention.FLASH_ATTENTION_2] == FlashAttentionNeedsNewerGpu(
        needed=8.0, compute_capability="7.5"
    )


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (RunOptions(suite="quick"), (WeightMode.HUB, "MOSS-Audio-4B-Instruct", None)),
        (RunOptions(suite="quick", model="me/mine", revision="v1"), (WeightMode.HUB, "me--mine", "v1")),
        (RunOptions(suite="quick", weights="random"), (WeightMode.RANDOM, "MOSS-Audio-4B-Instruct", None)),
        (
            RunOptions(weights="random", model="OpenMOSS-Team/MOSS-Audio-8B-Instruct"),
            (WeightMode.RANDOM, "MOSS-Audio-8B-Instruct", None),
        ),
        (RunOptions(suite="quick", model="tiny"), (WeightMode.TINY, "tiny", None)),
    ],
)
def test_where_the_weights_come_from(
    having: Having, options: RunOptions, expected: tuple[WeightMode, str, str | None]
) -> None:
    plan = planned(options)
    assert (plan.origin.weight_mode, plan.origin.name, plan.origin.revision) == expected
    assert {cell.requested.model for cell in plan.cells} == {expected[1]}
    assert {cell.requested.weight_mode for cell in plan.cells} == {expected[0]}


def test_a_directory_is_meant_only_where_it_was_named(
    having: Having, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Records lie in folders named after models: started among them, the suite's model stays the Hub's."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "MOSS-Audio-4B-Instruct").mkdir()
    assert planned(RunOptions(suite="quick")).origin.weight_mode is WeightMode.HUB
    named = planned(RunOptions(suite="quick", model="MOSS-Audio-4B-Instruct")).origin
    assert (named.weight_mode, named.directory) == (WeightMode.LOCAL, tmp_path / "MOSS-Audio-4B-Instruct")
    asked = planned(RunOptions(suite="quick", model="MOSS-Audio-4B-Instruct", weights="hub")).origin
    assert asked.weight_mode is WeightMode.HUB


def test_a_directory_with_a_strange_name_gets_one_that_fits_a_record(having: Having, tmp_path: Path) -> None:
    folder = tmp_path / ".my model (ü)"
    folder.mkdir()
    plan = planned(RunOptions(suite="smoke", model=str(folder)))
    assert plan.origin.name == "my-model----"
    assert plan.suite_info.overrides == ("model",)


@pytest.mark.parametrize(
    "options",
    [
        RunOptions(gpu="cpu"),
        RunOptions(gpu="rtx-4070", device="cpu"),
        RunOptions(suite="smoke", weights="hub"),
        RunOptions(suite="smoke", revision="main"),
        RunOptions(suite="smoke", weights="random"),
        RunOptions(model="a/b/c"),
        RunOptions(model="../no-model-is-here"),
        RunOptions(repeats=0),
        RunOptions(audio=Path("nothing.wav")),
    ],
)
def test_refusals_say_what_to_do(having: Having, options: RunOptions) -> None:
    with pytest.raises(BenchError) as caught:
        planned(options)
    assert caught.value.hint


def test_an_unknown_engine_is_reported_with_the_place_that_names_it(having: Having, tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    smoke = (shipped.suites() / "smoke.toml").read_text(encoding="utf-8")
    file.write_text(smoke.replace('engine = "native"', 'engine = "other"'), encoding="utf-8")
    with pytest.raises(UsageError, match=re.escape(f"{file}: engine: no engine 'other'")):
        planned(RunOptions(suite=str(file)))
    with pytest.raises(UsageError, match="--engine: no engine 'another'"):
        planned(RunOptions(suite=str(file), engine="another"))
    assert planned(RunOptions(suite=str(file), engine="native")).suite.engine == "native"


@pytest.mark.skipif(sys.platform != "linux", reason="file names are Unicode")
def test_a_directory_that_tokenizers_cannot_open_is_refused_before_the_run(
    having: Having, tmp_path: Path
) -> None:
    directory = tmp_path / os.fsdecode(b"Stra\xdfe")
    directory.mkdir()
    with pytest.raises(UsageError, match="the path is not UTF-8, which tokenizers needs"):
        planned(RunOptions(model=str(directory)))


def test_somebody_elses_model_of_the_same_name_is_another_model() -> None:
    theirs = make_plan(
        RunOptions(suite="quick", device="cpu", model="evil/MOSS-Audio-4B-Instruct"), refuse_to_choose
    )
    released = make_plan(RunOptions(suite="quick", device="cpu"), refuse_to_choose)
    assert theirs.origin.name == "evil--MOSS-Audio-4B-Instruct"
    assert theirs.suite_info.overrides == ("model",)
    assert {cell.cell_id for cell in theirs.cells}.isdisjoint(cell.cell_id for cell in released.cells)


def test_nothing_is_fetched_where_no_cell_can_run(tmp_path: Path) -> None:
    flash = RunOptions(suite="quick", device="cpu", attention=(Attention.FLASH_ATTENTION_2,))
    place = OutputLocation(tmp_path)
    assert not needs_weights(make_plan(flash, refuse_to_choose), place)
    assert needs_weights(make_plan(RunOptions(suite="quick", device="cpu"), refuse_to_choose), place)


def test_a_folder_named_after_its_owner_is_not_named_in_a_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.store.scrub.private_words", lambda: (("alicesmith", "<user>"),))
    for name, label in (("alicesmith-model", "local"), ("my-model", "my-model")):
        folder = tmp_path / name
        folder.mkdir()
        plan = make_plan(RunOptions(suite="quick", device="cpu", model=str(folder)), refuse_to_choose)
        assert plan.origin.name == label
