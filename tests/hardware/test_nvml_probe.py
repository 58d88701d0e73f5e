"""The real pynvml with the fake driver: what is read of a card that works, and in how many calls."""

from pathlib import Path

from bench.hardware.readings import SlowSample
from bench.units import MIB
from tests.fake_driver.driver import variant
from tests.hardware.driver_answers import Ask, samples


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
    assert {each.throttle_reasons for each in taken["slow"]} == {None}


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


def test_one_call_that_fails_is_no_figure_of_the_other_version(ask: Ask, tmp_path: Path) -> None:
    for error in ("TIMEOUT", "NO_DATA"):
        scenario = variant(tmp_path, "rtx-4070-headless", f"fail nvmlDeviceGetMemoryInfo_v2 0 {error}#3 0#4")
        used = [each.used_bytes for each in samples(ask, scenario)["fast"]]
        assert used.count(None) == 1, error
        assert set(used) == {None, 27 * MIB}, "461 MiB is what version 1 says, the driver's part with it"
