"""`pytest --bench-suite`: real pytest processes, in folders of their own."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bench.records.cell import Failed, Skipped
from bench.records.record import Record
from bench.report.ci.cases import case_of
from bench.store.record_files import read_record
from bench.testing.plugin import end, hand_over
from bench.testing.replay import Fixture, Replay
from tests.engines.stand_in import PACED, READING
from tests.fake_driver.driver import environment_of
from tests.run.processes import environment, only, write_suite
from tests.samples import records as sample

ROOT = Path(__file__).parents[2]
EXPECT = '[[expect]]\nfits = true\n[[expect]]\nmax_tokens = [16]\ndecode_tokens_per_s = ">= 1000000"\n'
# Whatever is installed here: the plugins of an environment are found by their entry points, these by name.
PLUGINS = ("-p", "pytest_benchmark.plugin", "-p", "bench.pytest_plugin")


def documented() -> list[str]:
    """Every command that begins with pytest in the blocks of the page."""
    page = (ROOT / "docs/ci.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```sh\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    lines = [line.split(" #")[0].strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line.startswith("pytest ")]


@dataclass(frozen=True)
class RunSummary:
    folder: Path
    code: int
    out: str

    def record(self) -> Record:
        return read_record(only(self.folder / "results", "*.json"))


def command(*arguments: str, plugins: tuple[str, ...] = PLUGINS) -> list[str]:
    return [sys.executable, "-m", "pytest", *plugins, *arguments]


def variables(home: Path) -> dict[str, str]:
    """Without what an outer pytest says of itself: the inner one would take itself for its worker."""
    clean = {name: text for name, text in environment(home).items() if not name.startswith("PYTEST_")}
    return clean | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}


def run_pytest(
    *arguments: str,
    home: Path,
    folder: Path,
    plugins: tuple[str, ...] = PLUGINS,
    env: dict[str, str] | None = None,
) -> RunSummary:
    ended = subprocess.run(
        command(*arguments, plugins=plugins),
        cwd=folder,
        env=variables(home) | (env or {}),
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    return RunSummary(folder, ended.returncode, ended.stdout + ended.stderr)


Pytest = Callable[..., RunSummary]


@pytest.fixture
def inner(home: Path, tmp_path: Path) -> Pytest:
    """Run pytest in an empty folder."""
    return lambda *arguments, **more: run_pytest(*arguments, home=home, folder=tmp_path, **more)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, home: Path) -> RunSummary:
    """Of a suite one cell passes, one is too slow, and two are unsupported; beside it a test of one's own."""
    folder = tmp_path_factory.mktemp("pytest")
    suite = write_suite(folder, tokens="[8, 16]", attention='["sdpa", "flash_attention_2"]', repeats=3)
    suite.write_text(suite.read_text() + EXPECT)
    (folder / "conftest.py").write_text(
        "import pytest\n"
        "@pytest.fixture(autouse=True, scope='module')\ndef of_the_module(): yield\n"
        "@pytest.fixture(autouse=True)\ndef of_the_test(request): assert request.module\n"
    )
    (folder / "test_own.py").write_text("def test_own(): pass\n")
    return run_pytest(
        *("--bench-suite", "mine.toml", "--bench-device", "cpu", "--benchmark-json", "bench.json", "-rA"),
        home=home,
        folder=folder,
    )


def test_each_cell_is_a_test_with_a_name_that_stays(whole: RunSummary) -> None:
    results = dict(re.findall(r"^(PASSED|FAILED) (\S+)", whole.out, re.MULTILINE)[::-1])
    assert whole.code == 1, whole.out
    assert results == {"PASSED": "test_own.py::test_own", "FAILED": "bench::mine::sdpa-1s-16"}
    assert "PASSED bench::mine::sdpa-1s-8\n" in whole.out
    assert "1 failed, 2 passed, 2 skipped" in whole.out


def test_it_fails_and_skips_with_the_reason(whole: RunSummary) -> None:
    assert re.search(r"expected decode_tokens_per_s >= 1,000,000, found [\d.]+", whole.out)
    assert "unsupported: FlashAttention 2 needs an NVIDIA GPU; this is a CPU" in whole.out
    assert "was not used at all" not in whole.out
    assert "warning" not in whole.out


def test_a_round_is_a_generation_and_its_value_the_latency_of_the_record(whole: RunSummary) -> None:
    told = benchmarks(whole.folder / "bench.json")
    record = whole.record()
    ran = [cell for cell in record.cells if cell.repeats]
    assert set(told) == {"bench::mine::sdpa-1s-8", "bench::mine::sdpa-1s-16"}
    for each, cell in zip(told.values(), ran, strict=True):
        assert each["stats"]["data"] == [repeat.latency_s for repeat in cell.repeats]
        assert each["options"]["timer"] == "latency_s"
        extra = each["extra_info"]
        assert cell.summary is not None
        assert cell.summary.latency_s is not None
        assert extra["latency_s"] == cell.summary.latency_s.median == each["stats"]["median"]
        assert (extra["cell_id"], extra["provenance"], extra["weight_mode"]) == (
            cell.cell_id,
            "smoke",
            "tiny",
        )
        assert extra["allocated_peak_bytes"] == cell.summary.allocated_peak_bytes
        assert "energy_j" not in extra


def test_the_record_is_the_one_that_bench_run_writes(whole: RunSummary) -> None:
    record = whole.record()
    assert [cell.outcome.status for cell in record.cells] == ["measured", "measured", *["unsupported"] * 2]
    assert [cell.cold is not None for cell in record.cells] == [True, False, False, False]  # one loaded model
    assert record.suite.definition["expect"]
    path = only(whole.folder / "results", "*.json")
    assert f"record  {path.relative_to(whole.folder)}" in whole.out
    assert not list(whole.folder.rglob("*.jsonl"))


def test_the_notes_on_device_and_weights_are_printed_once(
    stand_ins: dict[str, str], fake_nvml: Path, home: Path, tmp_path: Path
) -> None:
    write_suite(tmp_path, tokens="[8, 16]", engine=READING)
    (tmp_path / "cache").write_text("no folder")
    hidden = {"CUDA_VISIBLE_DEVICES": "-1", "XDG_CACHE_HOME": str(tmp_path / "cache")}
    driver = environment_of("rtx-4070-headless", fake_nvml)
    ended = run_pytest(
        "--bench-suite", "mine.toml", home=home, folder=tmp_path, env=stand_ins | driver | hidden
    )
    assert ended.code == 0, ended.out
    assert ended.out.count("the CPU runs: CUDA_VISIBLE_DEVICES=-1 hides rtx-4070") == 1
    assert ended.out.count("the tiny model is made in a temporary folder") == 1


def test_the_example_of_the_documentation_notices_that_a_cell_became_slower(
    stand_ins: dict[str, str], home: Path, tmp_path: Path
) -> None:
    """The history is changed in between, as if the cell had been a thousand times faster."""
    write_suite(tmp_path, clips="[1, 2]", tokens="[8, 16]", repeats=3, engine=PACED)
    lines = [line.replace("smoke", "mine.toml") for line in documented() if "-k sdpa-2s-16" in line]
    save, compare = (shlex.split(line)[1:] for line in lines)
    saved = run_pytest(*save, home=home, folder=tmp_path, env=stand_ins)
    assert saved.code == 0, saved.out
    history = only(tmp_path / ".benchmarks", "*.json")
    content = json.loads(history.read_text())
    for each in content["benchmarks"]:
        for name in ("min", "max", "mean", "median", "q1", "q3", "ld15iqr", "hd15iqr"):
            each["stats"][name] /= 1000
    history.write_text(json.dumps(content))
    slower = run_pytest(*compare, home=home, folder=tmp_path, env=stand_ins)
    assert "Performance has regressed" in slower.out
    assert "Field 'median' has failed" in slower.out
    assert slower.code != 0
    for path in (tmp_path / "results").rglob("*.json"):
        (cell,) = read_record(path).cells  # what was not chosen is not in the record
        assert (cell.requested.clip_seconds, cell.requested.max_tokens) == (2, 16)


@pytest.mark.parametrize("line", documented())
def test_a_documented_command_collects_cells(line: str, inner: Pytest) -> None:
    words = [word for word in shlex.split(line)[1:] if not word.startswith("--benchmark-compare")]
    ended = inner(*words, "--collect-only", "-q")
    assert ended.code == 0, ended.out
    assert "bench::" in ended.out


def test_only_a_look_starts_no_worker_and_writes_nothing(inner: Pytest, tmp_path: Path) -> None:
    """Of a released model, whose weights are not here."""
    ended = inner("--bench-suite", "quick", "--bench-device", "cpu", "--collect-only", "-q")
    assert ended.code == 0, ended.out
    assert ended.out.splitlines()[0] == "bench::quick::sdpa-10s-128"
    assert "8 tests collected" in ended.out
    assert not (tmp_path / "results").exists()


def test_weights_that_are_not_there_fail_the_cells_and_are_never_fetched(
    inner: Pytest, tmp_path: Path
) -> None:
    ended = inner("--bench-suite", "quick", "--bench-device", "cpu", "-k", "sdpa")
    assert ended.code == 1
    assert "4 failed, 4 deselected" in ended.out
    assert "Hub" in ended.out
    assert "Traceback" not in ended.out
    assert not list(tmp_path.rglob("*.json*"))


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--bench-suite", "qick"), "there is no suite 'qick'. Did you mean quick?"),
        (("--bench-suite", "quick", "--bench-device", "rtx-4070"), "rtx-4070"),
        (("--bench-suite", "quick"), "Add --bench-device cpu to run it there, or use --bench-suite smoke"),
        (
            ("--bench-suite", "smoke", "-p", "xdist.plugin", "-n", "2"),
            "cells share one card and run one at a time",
        ),
    ],
)
def test_a_command_line_that_cannot_be_is_one_line(
    inner: Pytest, arguments: tuple[str, ...], told: str
) -> None:
    ended = inner(*arguments)
    assert ended.code == 4, ended.out  # pytest's code for a usage error
    (line,) = (line for line in ended.out.splitlines() if line.startswith("ERROR: "))
    assert told in line


def test_without_pytest_benchmark_it_says_what_to_install(inner: Pytest) -> None:
    ended = inner("--bench-suite", "smoke", plugins=("-p", "bench.pytest_plugin"))
    assert ended.code == 4
    assert "pip install 'moss-audio-bench[pytest]'" in ended.out


def test_without_the_option_it_loads_and_does_nothing(inner: Pytest, tmp_path: Path) -> None:
    (tmp_path / "test_own.py").write_text(
        "import sys\n"
        "def test_own():\n"
        "    ours = {name for name in sys.modules if name.partition('.')[0] == 'bench'}\n"
        "    assert ours == {'bench', 'bench.pytest_plugin'}\n"
        "    assert not {'torch', 'numpy', 'pydantic', 'click'} & set(sys.modules)\n"
    )
    ended = inner(plugins=("-p", "bench.pytest_plugin"))
    assert ended.code == 0, ended.out
    assert "1 passed" in ended.out


def test_it_is_installed_as_a_plugin() -> None:
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["entry-points"]["pytest11"] == {"bench": "bench.pytest_plugin"}
    assert any(each.startswith("pytest-benchmark") for each in project["optional-dependencies"]["pytest"])


@pytest.mark.emulated
def test_ctrl_c_leaves_a_record_and_a_disabled_benchmark_still_judges(
    stand_ins: dict[str, str], home: Path, tmp_path: Path
) -> None:
    suite = write_suite(tmp_path, tokens="[8, 2000]", repeats=50, engine=PACED)
    suite.write_text(suite.read_text() + '[[expect]]\nmax_tokens = [8]\ngenerated_tokens = ">= 9"\n')
    process = subprocess.Popen(
        command("--bench-suite", "mine.toml", "--bench-device", "cpu", "--benchmark-disable", "-v"),
        cwd=tmp_path,
        env=variables(home) | stand_ins | {"PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert any("sdpa-1s-8 FAILED" in line for line in process.stdout)
        os.kill(process.pid, signal.SIGINT)
        rest, _ = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 2, rest
    assert "expected generated_tokens >= 9, found 8" in rest
    record = read_record(only(tmp_path / "results", "*.json"))
    assert [cell.outcome.status for cell in record.cells] == ["measured", "skipped"]
    assert isinstance(record.cells[1].outcome, Skipped)
    assert record.cells[1].outcome.cause == "interrupted"


def benchmarks(path: Path) -> dict[str, dict[str, Any]]:
    return {each["fullname"]: each for each in json.loads(path.read_text())["benchmarks"]}


# --- outcomes that no CPU has -----------------------------------------------------------------------------


def expecting(fits: bool) -> Any:
    from bench.suite.expectations import Expectation

    return (Expectation(fits=fits),)


def test_out_of_memory_passes_fails_as_expected() -> None:
    cell = sample.out_of_memory(sample.requested())
    end(case_of(cell, ()))
    end(case_of(cell, expecting(False)))
    with pytest.raises(pytest.fail.Exception, match="expected fits, found out of memory: CUDA out of memory"):
        end(case_of(cell, expecting(True)))
    with pytest.raises(pytest.fail.Exception, match="expected does not fit, found ran"):
        end(case_of(sample.measured(sample.requested()), expecting(False)))


def test_a_cell_that_failed_shows_the_end_of_its_error() -> None:
    cell = sample.not_measured(
        sample.requested(), Failed(reason="cuDNN error", error_tail=("line 1", "line 2"))
    )
    with pytest.raises(pytest.fail.Exception, match="failed: cuDNN error\nline 1\nline 2"):
        end(case_of(cell, ()))


def test_a_cell_without_a_generation_books_nothing(benchmark: Fixture) -> None:
    hand_over((), Replay(), benchmark)
    assert benchmark.disabled
