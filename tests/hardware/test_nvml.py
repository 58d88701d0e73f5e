"""The real pynvml with the fake driver: what is read of every kind of card."""

from pathlib import Path
from typing import Final

import pytest

from bench.hardware.catalog import slug_of
from bench.hardware.readings import DriverGpu, GpuProcess, MemoryReading, SlowSample
from bench.hardware.state import device_state
from bench.units import MIB
from tests.fake_driver.driver import SCENARIOS, variant
from tests.hardware.driver_answers import Ask, gpus, only_gpu, samples

RTX_4070: Final = "GPU-4070aaaa-0000-4000-8000-000000000001"


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


def test_a_name_that_would_steer_the_terminal_is_harmless(ask: Ask, tmp_path: Path) -> None:
    lines = (
        "process 4190800 C 1MiB ; name /tmp/\x1b]0\x07\x1b[31mred\u202e",
        f"process 4190801 C 1MiB ; name {'a' * 200}",
        "process 4190802 C 1MiB ; name \x1b",
    )
    found = only_gpu(ask, variant(tmp_path, "rtx-4070-headless", *lines)).processes or ()
    names = [process.name for process in found]
    assert names == ["]0[31mred", "a" * 64, None]


@pytest.mark.parametrize(
    ("name", "shown", "slug"),
    [
        ("<1B>[31mNVIDIA<0A>RTX 4070", "\ufffd[31mNVIDIA RTX 4070", "31mnvidia-rtx-4070"),
        ("NVIDIA <FF><FE>X", "NVIDIA \ufffd\ufffdX", "x"),
        ("<00>", "NVIDIA card without a name", "card-without-a-name"),
        ("微星", "微星", "unknown"),
        ("CPU", "CPU", "cpu-unlisted"),
    ],
)
def test_a_name_of_any_bytes_is_readable_and_has_a_slug(
    ask: Ask, tmp_path: Path, name: str, shown: str, slug: str
) -> None:
    gpu = only_gpu(ask, variant(tmp_path, "rtx-4070-headless", f"name {name}"))
    assert gpu.name == shown
    assert slug_of(gpu.name, None) == slug


def test_a_program_in_the_code_page_of_windows_does_not_stop_the_others(ask: Ask, tmp_path: Path) -> None:
    lines = ("process 4190800 C 1MiB ; name C:\\<CE>.exe", "process 4190801 C 1MiB ; name /usr/bin/fine")
    found = only_gpu(ask, variant(tmp_path, "rtx-4070-headless", *lines)).processes or ()
    assert [process.name for process in found] == [None, "fine"]


@pytest.mark.parametrize(
    "figures",
    [
        ("memory.total 0", "memory.reserved 0", "memory.used 0"),
        ("memory.total -1", "memory.free 0"),
        ("memory.total 1152921504606846976", "memory.free 0"),
        ("memory.used 0xffffffffffffffff", "memory.free 0"),
        ("memory.free 0xffffffffffffffff",),
        ("memory.reserved 13GiB", "memory.free 0"),
    ],
)
def test_memory_that_no_card_has_is_not_reported(ask: Ask, tmp_path: Path, figures: tuple[str, ...]) -> None:
    """A total of 0 is how some drivers answer where memory is shared."""
    scenario = variant(tmp_path, "rtx-4070-headless", *figures)
    gpu = only_gpu(ask, scenario)
    assert gpu.memory is None
    assert device_state(gpu).budget.now_bytes is None
    assert {each.used_bytes for each in samples(ask, scenario)["fast"]} == {None}


@pytest.mark.parametrize("figure", ["0", "-1", "0xffffffff", "0xffffffffffffffff"])
def test_no_figure_is_absurd(ask: Ask, tmp_path: Path, figure: str) -> None:
    keys = """
        power power_limit power_limit_default power_limit_enforced temperature sm_clock memory_clock
        pcie_generation pcie_width pcie_generation_max pcie_width_max
    """
    flags = ("display_mode", "display_active", "ecc", "persistence", "mig", "throttle", "energy")
    lines = [f"{key} {figure}" for key in (*keys.split(), *flags)]
    scenario = variant(
        tmp_path,
        "rtx-4070-headless",
        *lines,
        f"capability {figure}.{figure}",
        f"process 4190800 C {figure}",
        system=[f"cuda {figure}"],
    )
    gpu, taken = only_gpu(ask, scenario), samples(ask, scenario)
    assert (gpu.power_limit_w, gpu.power_limit_default_w, gpu.compute_capability) == (None, None, None)
    assert (gpu.pcie_generation_max, gpu.pcie_width_max, gpu.driver_cuda) == (None, None, None)
    no = False if figure == "0" else None
    assert (gpu.display_active, gpu.display_connected, gpu.ecc, gpu.persistence) == (no, no, no, no)
    assert {process.used_bytes for process in gpu.processes or ()} <= {None, 0xFFFFFFFF}
    slow = taken["slow"][0]
    assert (slow.temperature_c, slow.sm_clock_mhz, slow.memory_clock_mhz) == (None, None, None)
    assert (slow.pcie_generation, slow.pcie_width) == (None, None)
    assert slow.throttle_reasons == (frozenset() if figure == "0" else None)
    assert {each.power_w for each in taken["fast"]} == {None}


def test_a_count_of_cards_without_end_is_none(ask: Ask, tmp_path: Path) -> None:
    (first, second) = gpus(ask, variant(tmp_path, "two-cards", system=["count 0xffffffff"]))
    assert (first.number, second.number) == (0, 1)
    slots = variant(tmp_path, "mig-slice", system=[])
    slots.write_text(slots.read_text().replace("mig_slots 7", "mig_slots -1"))
    assert "has no instance" in str(ask(slots))


def test_numbers_of_cards_count_those_that_do_not_answer_and_no_slices(ask: Ask, tmp_path: Path) -> None:
    pair = variant(tmp_path, "two-cards")
    pair.write_text(pair.read_text().replace("[gpu]", "[gpu]\nlost 1", 1))
    assert [gpu.number for gpu in gpus(ask, pair)] == [1]
    first, second = gpus(ask, "mig-slice")
    assert (first.number, second.number) == (0, 0)
    assert first.card_uuid == second.card_uuid == "GPU-a100aaaa-0000-4000-8000-000000000001"


@pytest.mark.parametrize("call", ["nvmlSystemGetDriverVersion", "nvmlSystemGetCudaDriverVersion"])
def test_a_driver_that_does_not_report_its_version_is_used(ask: Ask, tmp_path: Path, call: str) -> None:
    gpu = only_gpu(ask, variant(tmp_path, "rtx-4070-headless", system=[f"fail {call} UNKNOWN"]))
    assert None in (gpu.driver, gpu.driver_cuda)
    assert gpu.memory is not None


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


def test_who_draws_is_read_again_and_again(ask: Ask, tmp_path: Path) -> None:
    """Under Windows a window that opens is in the list of programs that compute, too."""
    windows = ("process 4190900 CG 64MiB", "process 4190901 C 1MiB", "process 4190902 G 1MiB")
    taken = samples(ask, variant(tmp_path, "rtx-4070-headless", *windows))
    assert [each.drawing for each in taken["slow"]] == [{4190900, 4190902}] * 5
    assert list(taken["fast"][-1].processes or ()) == [4190900, 4190901]


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
    assert made.count("GraphicsRunningProcesses_v3") == 5, "with the slow ones"
    assert "MemoryInfo" not in made


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
