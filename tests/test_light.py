"""The light installation, as `pip install .` leaves it: the real commands in an environment without torch.

`make test-light` makes the environment `.venv-light` and runs these tests in the one of development.
"""

import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from tests.fake_driver.driver import environment_of
from tests.run.processes import environment, only

pytestmark = pytest.mark.light

ROOT: Final = Path(__file__).parents[1]
LIGHT: Final = ROOT / ".venv-light"
OF_RUN: Final = {
    "torch",
    "transformers",
    "accelerate",
    "av",
    "soundfile",
    "soxr",
    "safetensors",
    "tokenizers",
}
MOST_BYTES: Final = 290 * 10**6
INSTALLERS: Final = ("pip", "setuptools", "pkg_resources", "_distutils_hack")
"""Of the environment, not of `pip install .`."""
INDEX: Final = "https://download.pytorch.org/whl"
EXTRA: Final = 'pip install ".[run]"'
CPU: Final = ROOT / "results/MOSS-Audio-4B-Instruct/cpu-intel-xeon-processor"
SMOKE: Final = ("--suite", "smoke", "--device", "cpu")


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str


Light = Callable[..., Ended]


@pytest.fixture
def light(home: Path, tmp_path: Path) -> Light:
    """Run a command of the light environment in an empty folder; keywords are environment variables."""

    def run(program: str, *arguments: str, **variables: str) -> Ended:
        assert LIGHT.is_dir(), "make test-light makes this environment"
        ended = subprocess.run(
            [LIGHT / "bin" / program, *arguments],
            cwd=tmp_path,
            env=environment(home) | variables,
            capture_output=True,
            encoding="utf-8",
            check=False,
            timeout=120,
        )
        assert "Traceback" not in ended.stderr
        return Ended(ended.returncode, ended.stdout, ended.stderr)

    return run


def test_nothing_that_runs_the_model_is_installed(light: Light) -> None:
    ask = "from importlib.metadata import distributions as all; print(*(each.name.lower() for each in all()))"
    installed = set(light("python", "-c", ask).out.split())
    assert installed & OF_RUN == set()
    assert "moss-audio-bench" in installed


def test_what_it_installs_is_small() -> None:
    (packages,) = LIGHT.glob("lib/python*/site-packages")
    installed = [path for path in packages.iterdir() if not path.name.startswith(INSTALLERS)]
    files = (file for path in installed for file in (path, *path.rglob("*")))
    assert sum(file.lstat().st_blocks * 512 for file in files) <= MOST_BYTES


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("--version", r"bench, version \d"),
        ("--help", "Usage: bench"),
        ("run --help", "Usage: bench run"),
        ("gpus 4070", "NVIDIA GeForce RTX 4070 SUPER"),
        ("suites", "standard .* cells"),
        ("suites quick", "attention +sdpa"),
        ("report {record} --out pages", r"pages/\S+\.html"),
        ("compare {record} {record}", "decode"),
        ("compare {record} {record} --format json", '"schema_version"'),
        ("compare {record} {record} --format html", "<!doctype html>"),
        ("validate {record}", "no findings"),
        ("submit {record} --offline --out bundles --yes", r"bundle +bundles/\S+\.bundle\.json"),
        ("submit --rotate-key", "Ed25519"),
        ("run --dry-run --suite smoke --device cpu", "8 cells of smoke"),
        ("run --dry-run --suite quick --weights random --device cpu", "8 cells of quick"),
        ("frontier --dry-run --suite quick --weights random --device cpu", "4 limits"),
    ],
)
def test_a_command_that_needs_no_model_works(light: Light, command: str, says: str) -> None:
    record = only(CPU, "*-quick-*.json")
    ended = light("bench", *(word.format(record=record) for word in command.split()))
    assert (ended.code, ended.err) == (0, "")
    assert re.search(says, ended.out, re.IGNORECASE)


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("plan --gpu rtx-4070", "RTX 4070"),
        ("plan --gpu rtx-4070 --os windows --torch 2.14 --format json", '"derived"'),
        ("plan --any-gpu", "smallest|rtx"),
    ],
)
def test_a_plan_of_a_shipped_suite_works(light: Light, command: str, says: str) -> None:
    ended = light("bench", *command.split())
    assert (ended.code, ended.err) == (0, "")
    assert re.search(says, ended.out, re.IGNORECASE)


def test_a_report_has_every_format(light: Light, tmp_path: Path) -> None:
    light("bench", "report", str(only(CPU, "*-quick-*.json")), "--out", "pages")
    written = {path.suffix for path in (tmp_path / "pages").rglob("*") if path.is_file()}
    assert written == {".html", ".json", ".md", ".csv"}


def test_a_shell_completes_the_names_of_cards(light: Light) -> None:
    words = {"COMP_WORDS": "bench plan --gpu rtx-40", "COMP_CWORD": "3", "_BENCH_COMPLETE": "bash_complete"}
    assert "plain,rtx-4070\n" in light("bench", **words).out


PLAN: Final = ("plan", "--gpu", "rtx-4070", "--clip-seconds", "7.3", "--max-tokens", "13")
INFER: Final = ("infer", str(ROOT / "bench/data/speech/alice.flac"), "--model", "tiny")


@pytest.mark.parametrize(
    ("command", "scenario", "build"),
    [
        (("run", *SMOKE), None, "cpu"),
        (("frontier", *SMOKE), None, "cpu"),
        (INFER, None, "cpu"),
        (PLAN, None, "cpu"),
        (PLAN, "rtx-4070-headless", "cu130"),
        (("run", *SMOKE), "old-cuda", "cu128"),
    ],
)
def test_a_command_that_needs_the_model_prints_the_lines_for_this_machine(
    light: Light, fake_nvml: Path, command: tuple[str, ...], scenario: str | None, build: str
) -> None:
    ended = light("bench", *command, **(environment_of(scenario, fake_nvml) if scenario else {}))
    said, torch, extra = ended.err.splitlines()
    assert (ended.code, ended.out) == (3, "")
    of_a_run, of_a_plan = "this machine can predict and report, but not run", "has to be traced"
    assert [words in said for words in (of_a_run, of_a_plan)] == [command != PLAN, command == PLAN]
    assert said.endswith("Install it, in the folder of the checkout:")
    assert re.fullmatch(rf"  pip install torch==[\d.]+\+{build} -i {INDEX}/{build}", torch)
    assert extra == f"  {EXTRA}"


@pytest.mark.parametrize(("scenario", "build"), [(None, "cpu"), ("rtx-4070-headless", "cu130")])
def test_the_doctor_prints_the_same_lines(
    light: Light, fake_nvml: Path, scenario: str | None, build: str
) -> None:
    own = environment_of(scenario, fake_nvml) if scenario else {}
    said = light("bench", "doctor", **own)
    ran = light("bench", "run", *SMOKE, **own)
    lines = [line.strip() for line in ran.err.splitlines()[1:]]
    assert lines[0].endswith(f"/{build}")
    assert all(any(each.endswith(line) for each in said.out.splitlines()) for line in lines)
    assert "can predict and report, but not run" in " ".join(said.out.split())
    assert (said.code, ran.code) == (3, 3)
