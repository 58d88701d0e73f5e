"""Does watching the card cost speed? One warm worker, the sampler on and off in alternation."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.benchmarks.conftest import Pairs
from tests.fake_driver.driver import environment_of, variant
from tests.run.processes import environment, write_suite


def test_decode_rate_with_the_sampler_on_over_off(
    pairs: Pairs, tmp_path: Path, home: Path, tiny: Path, fake_nvml: Path
) -> None:
    # Real calls of the driver take about so long.
    scenario = variant(tmp_path, "rtx-4070-headless", system=["delay_us 1000", "delay_us_max 5000"])
    suite = write_suite(tmp_path, clips="[2]", tokens="[128]", repeats=3)
    count = os.environ.get("BENCH_PAIRS", "10")
    command = ["-m", "tests.benchmarks.sampler_on_and_off", str(tiny), str(suite), count]
    with subprocess.Popen(
        [sys.executable, *command],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
        env=environment(home) | environment_of(scenario, fake_nvml),
    ) as process:
        assert process.stdout is not None
        lines = iter(process.stdout)

        def pair() -> tuple[float, float]:
            on, off = json.loads(next(lines))
            return on, off

        pairs("decode tokens/s, sampler on / off", pair, at_least=0.99)
    assert process.returncode == 0
