"""The real pynvml with the fake driver: what is read of every card, and what is said when it fails."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypedDict

import pynvml
import pytest

from bench.hardware import nvml
from bench.hardware.nvml_errors import MEANINGS, Asker, Meaning, device_error
from bench.hardware.readings import DriverGpu, GpuProcess, MemoryReading, Sample, SlowSample
from bench.units import MIB
from tests.fake_driver.driver import SCENARIOS, environment_of, variant

RTX_4070: Final = "GPU-4070aaaa-0000-4000-8000-000000000001"
Ask = Callable[..., object]


@pytest.fixture(scope="session")
def ask(fake_nvml: Path) -> Ask:
    """Ask the driver of a machine as in a scenario; the answer as JSON."""

    def run(scenario: str | Path, what: str = "gpus") -> object:
        return _answer(what, environment_of(scenario, fake_nvml))

    return run


def _answer(what: str, environment: dict[str, str]) -> object:
    command = [sys.executable, "-m", "tests.hardware.ask_driver", what]
    answer = subprocess.run(
        command, env=os.environ | environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)


def gpus(ask: Ask, scenario: str | Path) -> list[DriverGpu]:
    answer = ask(scenario)
    assert isinstance(answer, list), answer
    return [_gpu(entry) for entry in answer]


def _gpu(entry: dict[str, object]) -> DriverGpu:
    memory, processes = entry.pop("memory"), entry.pop("processes")
    return DriverGpu(
        **entry,  # type: ignore[arg-type]
        memory=MemoryReading(**memory) if isinstance(memory, dict) else None,
        processes=tuple(GpuProcess(**each) for each in processes) if isinstance(processes, list) else None,
    )


def only_gpu(ask: Ask, scenario: str | Path) -> DriverGpu:
    (gpu,) = gpus(ask, scenario)
    return gpu


class Samples(TypedDict):
    fast: list[Sample]
    slow: list[SlowSample]
    lost: list[str]


def samples(ask: Ask, scenario: str | Path) -> Samples:
    answer = ask(scenario, "samples")
    assert isinstance(answer, dict), answer
    fast = [_sample(each) for each in answer["fast"]]
    slow = [
        SlowSample(**each | {"throttle_reasons": frozenset(each["throttle_reasons"])})
        for each in answer["slow"]
    ]
    return {"fast": fast, "slow": slow, "lost": answer["lost"]}


def _sample(entry: dict[str, object]) -> Sample:
    processes = entry.pop("processes")
    by_pid = {int(pid): used for pid, used in processes.items()} if isinstance(processes, dict) else None
    return Sample(**entry, processes=by_pid)  # type: ignore[arg-type]


# --- what is in the machine -------------------------------------------------------------------------------


def test_a_headless_card(ask: Ask) -> None:
    assert only_gpu(ask, "rtx-4070-headless") == DriverGpu(
        uuid=RTX_4070,
        name="NVIDIA GeForce RTX 4070",
        compute_capability="8.9",
        driver="580.95.05",
        driver_cuda="13.0",
        memory=MemoryReading("NVML memory v2", 12282 * MIB, 27 * MIB, 11821 * MIB, 434 * MIB),
        processes=(),
        display_active=False,
        display_connected=False,
        power_limit_w=200.0,
        power_limit_default_w=200.0,
        ecc=None,
        persistence=True,
        pcie_generation_max=4,
        pcie_width_max=16,
        is_mig=False,
    )


def test_a_desktop_is_named_without_what_its_programs_were_told(ask: Ask) -> None:
    gpu = only_gpu(ask, "rtx-4070-desktop")
    assert gpu.memory is not None
    assert gpu.memory.used_bytes == 824 * MIB
    assert (gpu.display_active, gpu.display_connected) == (True, True)
    assert gpu.processes is not None
    assert [(each.name, each.used_bytes) for each in gpu.processes] == [
        ("Xorg", 412 * MIB),
        ("gnome-shell", 173 * MIB),
        ("firefox", 151 * MIB),
    ]
    assert all(each.graphics and not each.compute for each in gpu.processes)


def test_two_cards_come_in_the_drivers_order(ask: Ask) -> None:
    first, second = gpus(ask, "two-cards")
    assert (first.name, second.name) == ("NVIDIA GeForce RTX 4070", "Tesla T4")
    assert (first.ecc, second.ecc) == (None, True)


def test_one_name_has_two_sizes(ask: Ask) -> None:
    cards = gpus(ask, "rtx-4060-ti-pair")
    assert [card.name for card in cards] == ["NVIDIA GeForce RTX 4060 Ti"] * 2
    assert [card.memory and card.memory.total_bytes for card in cards] == [8188 * MIB, 16380 * MIB]


def test_a_program_that_draws_and_computes_is_one(ask: Ask) -> None:
    laptop = only_gpu(ask, "laptop")
    assert laptop.processes == (
        GpuProcess(4190611, 96 * MIB, compute=True, graphics=True, name="kwin_wayland"),
    )
    assert (laptop.power_limit_w, laptop.power_limit_default_w) == (95.0, None)


def test_somebody_elses_program(ask: Ask) -> None:
    shared = only_gpu(ask, "shared-card")
    assert shared.processes == (
        GpuProcess(4190711, 3100 * MIB, compute=True, graphics=False, name="python3"),
    )


def test_windows_tells_no_memory_of_processes(ask: Ask) -> None:
    gpu = only_gpu(ask, "wsl2")
    assert gpu.processes == (GpuProcess(4190031, None, compute=False, graphics=True, name="Xwayland"),)
    assert (gpu.display_active, gpu.display_connected, gpu.power_limit_w) == (False, None, None)
    assert gpu.memory is not None
    assert gpu.memory.used_bytes == 702 * MIB


def test_in_a_container_pids_are_the_hosts_and_nameless(ask: Ask) -> None:
    (process,) = only_gpu(ask, "container").processes or ()
    assert not Path(f"/proc/{process.pid}").exists()
    assert (process.used_bytes, process.name) == (512 * MIB, None)


def test_an_older_driver_has_the_older_memory(ask: Ask) -> None:
    gpu = only_gpu(ask, "old-driver")
    assert gpu.memory == MemoryReading("NVML memory v1", 12282 * MIB, 461 * MIB, 11821 * MIB, None)
    assert gpu.display_connected is None
    assert gpu.display_active is False


def test_unified_memory_has_no_figure(ask: Ask) -> None:
    gpu = only_gpu(ask, "gb10")
    assert (gpu.memory, gpu.power_limit_w, gpu.pcie_width_max) == (None, None, None)
    assert gpu.compute_capability == "12.1"


def test_slices_stand_for_a_card_that_is_divided(ask: Ask) -> None:
    large, small = gpus(ask, "mig-slice")
    assert large.uuid.startswith("MIG-")
    assert (large.name, large.compute_capability) == ("NVIDIA A100-SXM4-40GB MIG 3g.20gb", "8.0")
    assert large.is_mig
    assert [each.memory and each.memory.total_bytes for each in (large, small)] == [20096 * MIB, 4864 * MIB]
    assert (large.power_limit_w, large.ecc, large.processes) == (None, None, ())


def test_a_limit_that_is_in_force(ask: Ask, tmp_path: Path) -> None:
    capped = only_gpu(ask, "power-capped")
    assert (capped.power_limit_w, capped.power_limit_default_w) == (140.0, 200.0)
    not_in_force = variant(tmp_path, "power-capped", "power_limit_enforced 200W")
    assert only_gpu(ask, not_in_force).power_limit_w == 200.0
    not_told = variant(tmp_path, "power-capped", without=["power_limit_enforced"])
    assert only_gpu(ask, not_told).power_limit_w == 140.0


@pytest.mark.parametrize(
    ("scenario", "name", "capability", "cuda"),
    [
        ("rtx-5060-ti-16gb", "NVIDIA GeForce RTX 5060 Ti", "12.0", "13.1"),
        ("unknown-card", "NVIDIA GeForce RTX 6070", "13.0", "13.3"),
        ("old-cuda", "NVIDIA GeForce RTX 4070", "8.9", "12.2"),
        ("turing", "NVIDIA GeForce RTX 2080 Ti", "7.5", "13.0"),
    ],
)
def test_other_cards_and_drivers(ask: Ask, scenario: str, name: str, capability: str, cuda: str) -> None:
    gpu = only_gpu(ask, scenario)
    assert (gpu.name, gpu.compute_capability, gpu.driver_cuda) == (name, capability, cuda)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_every_figure_is_possible(ask: Ask, scenario: str) -> None:
    """Whatever is read of a card can be true of one: parts make up the whole, limits are positive."""
    for gpu in gpus(ask, scenario):
        if gpu.memory:
            kept = gpu.memory.reserved_bytes or 0
            assert gpu.memory.total_bytes == gpu.memory.used_bytes + gpu.memory.free_bytes + kept
        assert (gpu.power_limit_w or 1) > 0
        assert len({each.pid for each in gpu.processes or ()}) == len(gpu.processes or ())


# --- while it works ---------------------------------------------------------------------------------------


def test_samples_of_an_idle_card(ask: Ask) -> None:
    taken = samples(ask, "rtx-4070-headless")
    fast, slow = taken["fast"], taken["slow"]
    assert [each.used_bytes for each in fast] == [27 * MIB] * 5
    assert [each.processes for each in fast] == [{}] * 5
    assert fast[0].power_w == 12.0
    energies = [each.energy_j for each in fast if each.energy_j is not None]
    assert energies == sorted(energies)
    assert len(energies) == 5
    times = [each.at_s for each in fast]
    assert times == sorted(times)
    assert slow[0] == SlowSample(slow[0].at_s, 41, 210, 405, frozenset(), 1, 16)


def test_power_is_integrated_where_energy_is_not_counted(ask: Ask) -> None:
    for each in samples(ask, "old-driver")["fast"]:
        assert each.energy_j is None
        assert each.power_w == 12.0


def test_a_slice_tells_its_memory_and_no_power(ask: Ask) -> None:
    taken = samples(ask, "mig-slice")
    assert [(each.used_bytes, each.power_w) for each in taken["fast"]] == [(11 * MIB, None)] * 5
    assert {each.temperature_c for each in taken["slow"]} == {None}


def test_every_reason_of_a_slow_clock_has_its_name(ask: Ask, tmp_path: Path) -> None:
    taken = samples(ask, variant(tmp_path, "rtx-4070-headless", "throttle 0x1ff 0x1#2 0x44#3"))
    assert [each.throttle_reasons for each in taken["slow"]][:3] == [
        {
            "application_clocks",
            "sw_power_cap",
            "hw_slowdown",
            "sync_boost",
            "sw_thermal_slowdown",
            "hw_thermal_slowdown",
            "hw_power_brake",
            "display_clocks",
        },
        frozenset(),
        {"sw_power_cap", "hw_thermal_slowdown"},
    ]


def test_an_older_driver_names_reasons_too(ask: Ask, tmp_path: Path) -> None:
    taken = samples(ask, variant(tmp_path, "old-driver", "throttle 0x4"))
    assert {each.throttle_reasons for each in taken["slow"]} == {frozenset({"sw_power_cap"})}


def test_memory_follows_the_worker(ask: Ask, tmp_path: Path) -> None:
    scenario = variant(
        tmp_path,
        "rtx-4070-headless",
        "process child C 3000MiB",
        "leak 64MiB",
        system=["linger 0.2"],
        without=["process"],
    )
    answer = ask(scenario, "worker")
    assert isinstance(answer, dict)
    used = {name: answer[name]["used_bytes"] for name in ("before", "there", "after")}
    assert used["before"] == 27 * MIB
    assert used["there"] == 3027 * MIB
    assert used["after"] == (27 + 64) * MIB
    assert answer["there"]["processes"] == {str(answer["pid"]): 3000 * MIB}
    assert answer["after"]["processes"] == {}


def test_a_container_sees_the_worker_under_another_pid(ask: Ask) -> None:
    answer = ask("container", "worker")
    assert isinstance(answer, dict)
    assert len(answer["there"]["processes"]) == 2
    assert str(answer["pid"]) not in answer["there"]["processes"]
    assert answer["there"]["used_bytes"] > answer["before"]["used_bytes"]


def test_windows_lists_the_worker_without_its_memory(ask: Ask) -> None:
    answer = ask("wsl2", "worker")
    assert isinstance(answer, dict)
    assert answer["there"]["processes"] == {str(answer["pid"]): None}
    assert answer["there"]["used_bytes"] > answer["before"]["used_bytes"]


def test_threads_may_ask_at_once_and_none_closes_the_others_driver(ask: Ask, tmp_path: Path) -> None:
    slow = variant(tmp_path, "rtx-4070-headless", system=["delay_us 100", "delay_us_max 500"])
    answer = ask(slow, "two_threads")
    assert isinstance(answer, dict)
    assert answer["cards"] == [1] * 20
    assert answer["failures"] == []
    assert answer["after_close"] == "the graphics card stopped answering: Uninitialized"


# --- how often the driver is asked ------------------------------------------------------------------------


def calls(ask: Ask, folder: Path, base: str, *lines: str) -> list[str]:
    """The calls about a card that five samples of each kind made, in order."""
    log = folder / "calls"
    ask(variant(folder, base, *lines, system=[f"log {log}"], without=["process"]), "samples")
    made = log.read_text().splitlines()
    begin = made.index("nvmlDeviceGetHandleByUUID")
    return [name.removeprefix("nvmlDeviceGet") for name in made[begin + 1 :] if name != "nvmlShutdown"]


def test_a_fast_sample_makes_three_calls_and_one_more_for_power_now_and_then(
    ask: Ask, tmp_path: Path
) -> None:
    made = calls(ask, tmp_path, "rtx-4070-headless")
    assert made.count("TotalEnergyConsumption") == made.count("MemoryInfo_v2") == 5
    assert made.count("ComputeRunningProcesses_v3") == 5
    assert 1 <= made.count("PowerUsage") < 5
    assert not {name for name in made if "Graphics" in name or name == "MemoryInfo"}


def test_what_is_refused_is_not_asked_again(ask: Ask, tmp_path: Path) -> None:
    made = calls(ask, tmp_path, "old-driver", "temperature NOT_SUPPORTED")
    assert made.count("MemoryInfo_v2") == made.count("TotalEnergyConsumption") == 1
    assert made.count("CurrentClocksEventReasons") == made.count("Temperature") == 1
    assert made.count("MemoryInfo") == made.count("PowerUsage") == 5


def test_what_is_not_there_at_the_moment_is_asked_again(ask: Ask, tmp_path: Path) -> None:
    for error, then in (("NO_DATA", 61.0), ("TIMEOUT", 61.0), ("NOT_SUPPORTED", None), ("UNKNOWN", None)):
        taken = samples(ask, variant(tmp_path, "rtx-4070-headless", f"temperature {error} 61C#2"))
        assert [each.temperature_c for each in taken["slow"]] == [None, then, then, then, then], error


# --- when it fails ----------------------------------------------------------------------------------------


def test_a_card_that_falls_off_the_bus_is_said_in_one_line(ask: Ask, tmp_path: Path) -> None:
    lost = samples(ask, variant(tmp_path, "rtx-4070-headless", "lost 0 1#40"))
    assert lost["lost"] == ["the graphics card stopped answering: GPU is lost"]
    assert 1 <= len(lost["fast"]) < 5


def test_an_unknown_error_of_a_call_that_worked_is_a_lost_card(ask: Ask, tmp_path: Path) -> None:
    lost = samples(ask, variant(tmp_path, "rtx-4070-headless", "temperature 61C UNKNOWN#3"))
    assert lost["lost"] == ["the graphics card stopped answering: Unknown Error"]
    assert [each.temperature_c for each in lost["slow"]] == [61, 61]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="where libraries are found")
def test_without_a_driver_there_are_no_cards(tmp_path: Path) -> None:
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError_LibraryNotFound:
        assert _answer("gpus", {"LD_LIBRARY_PATH": str(tmp_path)}) == []
    else:
        pytest.skip("this machine has an NVIDIA driver")


def said(ask: Ask, folder: Path, *lines: str, system: tuple[str, ...] = ()) -> str:
    answer = ask(variant(folder, "rtx-4070-headless", *lines, system=system))
    assert isinstance(answer, dict), answer
    text = answer["error"]
    assert isinstance(text, str)
    assert text.isprintable()
    return text


@pytest.mark.parametrize(
    ("error", "message", "hint"),
    [
        ("DRIVER_NOT_LOADED", "installed and not loaded", "modprobe nvidia"),
        ("LIB_RM_VERSION_MISMATCH", "was updated while an older one is still loaded", "Restart the machine"),
        ("NO_PERMISSION", "this user may not use the NVIDIA driver", "/dev/nvidia*"),
        ("UNKNOWN", "does not answer (Unknown Error)", "nvidia-smi"),
    ],
)
def test_a_driver_that_does_not_open_says_what_to_do(
    ask: Ask, tmp_path: Path, error: str, message: str, hint: str
) -> None:
    line = said(ask, tmp_path, system=(f"fail nvmlInitWithFlags {error}",))
    assert message in line
    assert hint in line


def test_a_card_that_is_lost_from_the_start(ask: Ask, tmp_path: Path) -> None:
    assert "has fallen off the bus. Restart" in said(ask, tmp_path, "lost 1")
    assert "power cables" in said(ask, tmp_path, "fail nvmlDeviceGetHandleByIndex_v2 INSUFFICIENT_POWER")
    assert "does not answer" in said(ask, tmp_path, "fail nvmlDeviceGetName UNKNOWN")
    assert "fallen off the bus" in said(ask, tmp_path, "fail nvmlDeviceGetMemoryInfo_v2 GPU_IS_LOST")


def test_cards_of_other_people_are_left_out(ask: Ask, tmp_path: Path) -> None:
    refused = "fail nvmlDeviceGetHandleByIndex_v2 NO_PERMISSION"
    (mine,) = gpus(ask, variant(tmp_path, "two-cards", refused))
    assert mine.name == "NVIDIA GeForce RTX 4070"
    assert "this user may not use" in said(ask, tmp_path, refused)


def test_a_card_that_is_not_here_cannot_be_watched(ask: Ask) -> None:
    assert ask("rtx-4070-headless", "no_such_card") == "the graphics card stopped answering: Not Found"


# --- every error that pynvml knows ------------------------------------------------------------------------

ERRORS: Final = {
    name: int(getattr(pynvml, name))
    for name in dir(pynvml)
    if name.startswith("NVML_ERROR_") and isinstance(getattr(pynvml, name), int)
}


def test_pynvml_has_no_error_without_a_meaning() -> None:
    """If this fails, pynvml has learnt a new error: decide in nvml_errors what it means to a reader."""
    assert len(ERRORS) >= 30
    assert {name for name, code in ERRORS.items() if code not in MEANINGS} == set()


@pytest.mark.parametrize("name", sorted(ERRORS))
def test_an_error_is_no_value_or_a_lost_card_and_never_a_traceback(name: str) -> None:
    error = pynvml.NVMLError(ERRORS[name])
    assert type(error) is not pynvml.NVMLError
    asked = list[str]()

    def call(handle: str) -> int:
        asked.append(handle)
        raise error

    asker, means = Asker("card"), MEANINGS[ERRORS[name]]
    if means in {Meaning.LOST, Meaning.NO_DRIVER}:
        with pytest.raises(nvml.DriverLost, match="stopped answering") as caught:
            asker.ask(call)
        assert str(caught.value).isprintable()
    else:
        assert [asker.ask(call), asker.ask(call)] == [None, None]
        assert len(asked) == (2 if means is Meaning.NOT_NOW else 1)
    person = device_error(ERRORS[name])
    assert person.hint
    assert str(person).isprintable()
