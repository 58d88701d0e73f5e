"""What the record of a run says of the card: a driver played by a real library, a real worker on the CPU."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench.store.record_files import read_record
from bench.units import MIB
from tests.fake_driver.driver import variant
from tests.run.on_a_card import played
from tests.run.processes import write_suite

Json = dict[str, Any]
Play = Callable[..., tuple[int, Json]]

WEIGHTS = 10390  # MiB that the scenarios' worker holds, its context included


pytestmark = pytest.mark.emulated


@pytest.fixture
def play(fake_nvml: Path, home: Path, tmp_path: Path) -> Play:
    """Run a suite of the tiny model under a scenario; exit code and record."""

    def run(
        scenario: str | Path,
        *arguments: str,
        tokens: str = "[120]",
        repeats: int = 2,
        limit: float = 60,
    ) -> tuple[int, Json]:
        suite = write_suite(tmp_path, tokens=tokens, repeats=repeats, limit=limit)
        card = () if "--device" in arguments else ("--gpu", "rtx-4070")
        ended, record = played(
            scenario,
            *card,
            "--suite",
            str(suite),
            *arguments,
            library=fake_nvml,
            home=home,
            out=tmp_path / "out",
        )
        read_record(Path(ended.stdout.strip()))  # what a person gets is valid
        return ended.returncode, record

    return run


def levels(cell: Json) -> dict[str, list[int]]:
    """The bytes, in MiB, that the course of memory shows in each phase."""
    trace = cell["memory_trace"]
    begins = trace["phases"]
    ends = dict(zip(begins, [*list(begins.values())[1:], trace["end_s"]], strict=True))
    rows = list(zip(trace["times_s"], trace["low_bytes"], trace["high_bytes"], strict=True))
    return {
        phase: sorted(
            {size // MIB for at, *sizes in rows if begins[phase] <= at < ends[phase] for size in sizes}
        )
        for phase in begins
    }


def watts(cell: Json) -> list[float]:
    pairs = zip(cell["power"]["energies_j"], cell["repeats"], strict=True)
    return [energy / repeat["latency_s"] for energy, repeat in pairs]


def test_a_card_of_its_own_has_peaks_energy_clocks_and_nothing_left_behind(play: Play) -> None:
    code, record = play("rtx-4070-headless")
    (cell,) = record["cells"]
    assert code == 0
    assert record["device_state"]["used_bytes"] == 27 * MIB
    assert record["device_state"]["memory_reserved_bytes"] == 434 * MIB
    memory, power, summary = cell["device_memory"], cell["power"], cell["summary"]
    assert memory["source"] == "NVML memory v2"
    assert memory["baseline_bytes"] == 27 * MIB
    assert memory["process_peak_bytes"] == summary["process_peak_bytes"] == WEIGHTS * MIB
    assert memory["device_peak_bytes"] == summary["device_peak_bytes"] == (27 + WEIGHTS) * MIB
    assert memory["context_bytes"] is None, "the model ran on the CPU: no allocator of CUDA to take off"
    assert (memory["residue_bytes"], memory["back_at_baseline"]) == (0, True)
    assert memory["driver_error"] is None
    assert memory["sampler"]["period_s"] == 0.02
    assert memory["sampler"]["samples"] > power["sampler"]["samples"] > 10
    assert memory["sampler"]["largest_gap_s"] >= 0.02

    assert power["source"] == "energy counter"
    assert all(120 < drawn < 200 for drawn in watts(cell))  # 140 to 181 W
    low, high = sorted(power["energies_j"])
    assert low <= summary["energy_j"] <= high
    assert summary["energy_per_token_j"] == pytest.approx(summary["energy_j"] / 120)
    assert summary["energy_per_audio_second_j"] == pytest.approx(summary["energy_j"])
    assert 140 <= power["power_w"]["low"] <= power["power_w"]["high"] <= 181
    assert power["sm_clock_mhz"]["median"] == 2745
    assert (power["pcie_generation"], power["pcie_width"]) == (4, 16)
    assert power["throttle_reasons"] == {}
    assert set(summary["labels"]) <= {"noisy"}
    assert summary["bandwidth_fraction"] > 0


def test_the_timeline_of_memory_is_what_the_driver_told_during_the_last_repeat(
    play: Play, tmp_path: Path
) -> None:
    """Memory here goes up and down all the time, whatever the model does."""
    moving = variant(
        tmp_path, "rtx-4070-headless", "process child C 428MiB 2000MiB@0.1 5000MiB@0.2 3000MiB@0.3 every 0.4"
    )
    code, record = play(moving, tokens="[300]", repeats=1)
    (cell,) = record["cells"]
    trace, repeat = cell["memory_trace"], cell["repeats"][-1]
    assert code == 0
    assert (trace["what"], trace["source"]) == ("process", "NVML compute running processes")
    assert trace["end_s"] == pytest.approx(repeat["latency_s"], abs=1e-6)
    assert list(trace["phases"]) == ["preprocess", "encode", "prefill", "decode"]
    assert trace["phases"]["encode"] == pytest.approx(repeat["preprocess_s"], abs=1e-6)
    assert trace["phases"]["decode"] == pytest.approx(repeat["time_to_first_token_s"], abs=1e-6)
    seen = levels(cell)
    assert all(seen.values()), "every phase has what was in force, also one that is shorter than a period"
    assert set(seen["decode"]) == {428, 2000, 3000, 5000}
    assert max(trace["high_bytes"]) == cell["device_memory"]["process_peak_bytes"]


@pytest.mark.parametrize("period", ["50ms", "100ms"])
def test_a_counter_that_is_renewed_slowly_still_tells_the_energy(
    period: str, play: Play, tmp_path: Path
) -> None:
    slow = variant(tmp_path, "rtx-4070-headless", f"energy auto every {period}")
    code, record = play(slow, tokens="[400]", repeats=2)
    assert code == 0
    for cell in record["cells"]:
        assert cell["power"]["source"] == "energy counter"
        assert cell["summary"]["energy_j"] is not None
        assert all(110 < drawn < 215 for drawn in watts(cell))


@pytest.mark.parametrize(
    ("scenario", "baseline", "others"), [("shared-card", 27 + 3100, 0), ("contended", 27, 1100)]
)
def test_a_card_on_which_somebody_else_computes(
    scenario: str, baseline: int, others: int, play: Play
) -> None:
    _, record = play(scenario)
    (cell,) = record["cells"]
    assert "contended" in cell["summary"]["labels"]
    assert cell["device_memory"]["baseline_bytes"] == baseline * MIB
    assert cell["device_memory"]["device_peak_bytes"] == min(12282 - 434, baseline + others + WEIGHTS) * MIB
    assert cell["device_memory"]["process_peak_bytes"] == WEIGHTS * MIB
    assert "train.py" not in str(record), "names of programs stay on the machine"


def test_a_window_that_opens_in_the_cell_is_no_contention(play: Play, tmp_path: Path) -> None:
    """Windows lists it among the programs that compute; it was not there when the run began."""
    scenario = variant(tmp_path, "rtx-4070-headless", "process 4190900 CG 0 | 64MiB")
    _, record = play(scenario)
    (cell,) = record["cells"]
    assert "contended" not in cell["summary"]["labels"]
    assert cell["device_memory"]["contended"] is False
    assert cell["device_memory"]["device_peak_bytes"] == (27 + 64 + WEIGHTS) * MIB


def test_heat_that_holds_the_card_back_is_a_label(play: Play) -> None:
    _, record = play("throttled")
    assert record["cells"][0]["device_memory"]["contended"] is False
    (cell,) = record["cells"]
    assert "throttled" in cell["summary"]["labels"]
    assert cell["power"]["throttle_reasons"]["sw_thermal_slowdown"] == 1.0
    assert cell["power"]["temperature_c"]["high"] >= 83
    assert cell["power"]["sm_clock_mhz"]["high"] == 1305


def test_a_lowered_power_limit_is_a_label(play: Play) -> None:
    _, record = play("power-capped")
    (cell,) = record["cells"]
    assert record["device_state"]["power_limit_w"] == 140
    assert record["device_state"]["power_limit_default_w"] == 200
    assert cell["power"]["throttle_reasons"] == {"sw_power_cap": 1.0}
    assert "throttled" in cell["summary"]["labels"]


def test_an_older_driver_counts_its_own_part_and_its_power_is_integrated(play: Play) -> None:
    _, record = play("old-driver")
    (cell,) = record["cells"]
    memory, power = cell["device_memory"], cell["power"]
    assert memory["source"] == "NVML memory v1"
    assert memory["baseline_bytes"] == (27 + 434) * MIB
    assert memory["device_peak_bytes"] == (27 + 434 + WEIGHTS) * MIB
    assert power["source"] == "integrated power"
    assert all(138 < drawn < 183 for drawn in watts(cell))
    assert power["throttle_reasons"] == {"sw_power_cap": 1.0}
    assert "throttled" not in cell["summary"]["labels"], "a card at the limit that its maker set is at work"


@pytest.mark.parametrize(
    ("scenario", "baseline", "contended"), [("wsl2", 702, False), ("container", 27 + 512, True)]
)
def test_where_the_driver_does_not_tell_of_our_process_it_is_null(
    scenario: str, baseline: int, contended: bool, play: Play
) -> None:
    _, record = play(scenario)
    (cell,) = record["cells"]
    memory = cell["device_memory"]
    assert memory["process_peak_bytes"] is None
    assert cell["summary"]["process_peak_bytes"] is None
    assert memory["baseline_bytes"] == baseline * MIB
    assert memory["device_peak_bytes"] == (baseline + WEIGHTS) * MIB
    assert ("contended" in cell["summary"]["labels"]) is contended, "of what was there before, at most"
    assert (cell["memory_trace"]["what"], cell["memory_trace"]["source"]) == ("device", "NVML memory v2")
    assert levels(cell)["decode"] == [baseline + WEIGHTS]


def test_a_part_with_unified_memory_has_power_and_no_memory(play: Play) -> None:
    _, record = play("gb10", "--device", "GPU-06b10000-0000-4000-8000-000000000001")
    (cell,) = record["cells"]
    memory = cell["device_memory"]
    for name in (
        "source",
        "baseline_bytes",
        "device_peak_bytes",
        "residue_bytes",
        "back_at_baseline",
        "waited_s",
    ):
        assert memory[name] is None
    assert memory["sampler"]["samples"] > 10
    assert cell["power"]["source"] == "integrated power"
    assert cell["power"]["memory_clock_mhz"] is None
    assert cell["memory_trace"]["what"] == "process"


def test_a_card_that_falls_off_the_bus_ends_the_run_with_a_valid_record(play: Play) -> None:
    code, record = play("falls-off-the-bus", "--isolate", "cell", tokens="[8, 16, 24]", repeats=1)
    first, *rest = record["cells"]
    assert code == 4
    assert record["device_state"]["used_bytes"] == 27 * MIB, "it was there when the run began"
    assert "GPU is lost" in first["device_memory"]["driver_error"]
    assert first["outcome"]["status"] == "measured", "the CPU went on"
    assert first["device_memory"]["back_at_baseline"] is None
    assert first["power"]["energies_j"] == []
    assert first["memory_trace"]["what"] == "allocated", "nobody knows what the card did"
    for cell in rest:
        assert cell["outcome"]["status"] == "failed"
        assert "stopped answering" in cell["outcome"]["reason"]
        assert "GPU is lost" in cell["device_memory"]["driver_error"]


def test_the_next_cell_waits_for_the_memory_of_a_worker_that_was_killed(play: Play, tmp_path: Path) -> None:
    slow_to_free = variant(tmp_path, "rtx-4070-headless", system=["linger 1"])
    code, record = play(slow_to_free, tokens="[8000, 8001]", repeats=1, limit=1)
    assert code == 4
    for cell in record["cells"]:
        memory = cell["device_memory"]
        assert cell["outcome"]["status"] == "timeout"
        assert memory["back_at_baseline"] is True
        assert 0.4 < memory["waited_s"] < 10
        assert memory["residue_bytes"] <= 32 * MIB
        assert memory["baseline_bytes"] == 27 * MIB
        assert memory["device_peak_bytes"] == (27 + WEIGHTS) * MIB
        assert cell["power"] is None


def test_memory_that_never_comes_back_is_told(play: Play, tmp_path: Path) -> None:
    leaking = variant(tmp_path, "rtx-4070-headless", "leak 500MiB")
    code, record = play(leaking, "--settle-limit", "0.3", tokens="[8]", repeats=1)
    (cell,) = record["cells"]
    memory = cell["device_memory"]
    assert code == 0
    assert memory["back_at_baseline"] is False
    assert memory["waited_s"] >= 0.3
    assert memory["residue_bytes"] == 500 * MIB
