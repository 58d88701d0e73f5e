"""Does measuring cost speed? The harness against a bare `generate` loop, fresh processes in alternation."""

import json
import statistics
import subprocess
import sys
from pathlib import Path

from bench.store.record_files import read_record
from tests.benchmarks.conftest import Pairs
from tests.run.processes import environment, write_suite

CLIP_S, TOKENS, REPEATS = 2, 256, 12


def test_decode_rate_of_the_harness_over_a_bare_generate_loop(
    pairs: Pairs, tmp_path: Path, home: Path, tiny: Path
) -> None:
    suite = write_suite(tmp_path, clips=f"[{CLIP_S}]", tokens=f"[{TOKENS}]", repeats=REPEATS)

    def pair() -> tuple[float, float]:
        return _harness(suite, tmp_path, home, tiny), _bare(tmp_path, home, tiny)

    pairs("decode tokens/s, harness / bare generate loop", pair, at_least=0.98)


def _harness(suite: Path, folder: Path, home: Path, tiny: Path) -> float:
    output = _run(
        ["-m", "bench", "run", "--suite", str(suite), "--model", str(tiny), "--out", "out"], folder, home
    )
    path = next(line.split(maxsplit=1)[1] for line in output.splitlines() if line.startswith("record"))
    summary = read_record(folder / path).cells[0].summary
    assert summary is not None
    assert summary.decode_tokens_per_s is not None
    return summary.decode_tokens_per_s.median


def _bare(folder: Path, home: Path, tiny: Path) -> float:
    script = str(Path(__file__).with_name("bare_generate.py"))
    rates: list[float] = json.loads(
        _run([script, str(tiny), str(CLIP_S), str(TOKENS), str(REPEATS)], folder, home)
    )
    return statistics.median(rates)


def _run(arguments: list[str], folder: Path, home: Path) -> str:
    # One thread each, as `environment` has it: with more, the small operators of this model wait for each
    # other, and that noise (a fifth of the rate) hides what is to be measured.
    ended = subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        cwd=folder,
        env=environment(home),
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout
