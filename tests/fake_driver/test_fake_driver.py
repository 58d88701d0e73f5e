"""The fake driver's own promises, seen with the real pynvml and nothing of `bench`."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.fake_driver.driver import SCENARIOS, environment_of, variant

_READ: Final = """
import json, pynvml, sys, time
pynvml.nvmlInit()
card = pynvml.nvmlDeviceGetHandleByIndex(0)
began, answers = time.perf_counter(), []
for _ in range(int(sys.argv[1])):
    try:
        answers.append(pynvml.nvmlDeviceGetPowerUsage(card))
    except pynvml.NVMLError as error:
        answers.append(str(error))
print(json.dumps([answers, time.perf_counter() - began, pynvml.nvmlDeviceGetMemoryInfo(card).used]))
"""


def read(
    scenario: str | Path, library: Path, *more: str, times: int = 6
) -> tuple[list[int | str], float, int]:
    """Power as often as that; the seconds that took; memory in use then."""
    answer = subprocess.run(
        [sys.executable, "-c", _READ, str(times), *more],
        env=os.environ | environment_of(scenario, library),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert answer.returncode == 0, answer.stderr
    powers, seconds, used = json.loads(answer.stdout)
    return powers, seconds, used


def test_every_scenario_that_was_asked_for_is_here() -> None:
    wanted = """
        rtx-4070-headless rtx-4070-desktop rtx-5060-ti-16gb rtx-4060-ti-pair laptop two-cards shared-card wsl2
        container old-driver falls-off-the-bus gb10 mig-slice throttled contended unknown-card power-capped
        old-cuda turing
    """
    assert set(wanted.split()) <= set(SCENARIOS)


def test_a_value_changes_by_call_with_errors_and_repeats(fake_nvml: Path, tmp_path: Path) -> None:
    powers, _, _ = read(
        variant(tmp_path, "rtx-4070-headless", "power 10W NO_DATA#2 0x10#3 every 4"), fake_nvml, times=8
    )
    assert powers == [10_000, "an error of NVML", 16, 10_000] * 2


def test_a_value_changes_by_time(fake_nvml: Path, tmp_path: Path) -> None:
    """Of six calls of 0.1 s each, the first begin before 0.35 s and the last after."""
    scenario = variant(tmp_path, "rtx-4070-headless", "power 10W 20W@0.35", system=["delay_us 100000"])
    powers, seconds, _ = read(scenario, fake_nvml)
    assert powers[-1] == 20_000
    assert sorted(powers, key=int) == powers
    assert seconds >= 0.6


def test_a_worker_has_what_it_takes_of_the_machines_memory(fake_nvml: Path, tmp_path: Path) -> None:
    scenario = variant(
        tmp_path, "rtx-4070-headless", "process child C rss+400MiB", without=["process", "memory.used"]
    )
    scenario.write_text(scenario.read_text() + "memory.used 0\nmemory.reserved 0\n")
    _, _, alone = read(scenario, fake_nvml)
    _, _, working = read(scenario, fake_nvml, "bench.run.worker")
    assert alone == 0
    assert 402 * 2**20 < working < 600 * 2**20


@pytest.mark.parametrize("line", ["power many", "process child", "power 1W every", "[card]", "fail nvmlInit"])
def test_a_line_that_makes_no_sense_is_named(fake_nvml: Path, tmp_path: Path, line: str) -> None:
    scenario = variant(tmp_path, "rtx-4070-headless", line)
    number = len(scenario.read_text().splitlines())
    with pytest.raises(AssertionError, match=f"cannot read line {number} of "):
        read(scenario, fake_nvml)


def test_a_scenario_that_is_not_there_is_named(fake_nvml: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no scenario rtx-9999: there are container"):
        environment_of("rtx-9999", fake_nvml)
