"""A missing, old or broken package: one line with the command that mends it, where it is needed."""

import json
import os
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from bench.errors import PackageError
from bench.packages import extra_command, fault_of, import_fault, is_older, oldest, require, run_packages
from tests.doctor.site import write_metadata
from tests.engines.stand_in import NAME
from tests.run.processes import bench, write_suite

HIDE = """
import sys
from importlib.abc import MetaPathFinder
class Hidden(MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name.partition(".")[0] in {names}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Hidden())
"""
HEAVY = ("torch", "transformers", "accelerate", "av", "soundfile", "soxr", "safetensors", "tokenizers")
SMOKE = ("run", "--suite", "smoke", "--device", "cpu")


def site(folder: Path, **packages: str) -> dict[str, str]:
    """Packages of this text in front of the installed ones."""
    for name, text in packages.items():
        (folder / name).mkdir(parents=True)
        (folder / name / "__init__.py").write_text(text)
    return {"PYTHONPATH": str(folder)}


def hidden(folder: Path, *names: str) -> dict[str, str]:
    """The installed packages without these."""
    (folder / "sitecustomize.py").write_text(HIDE.format(names=set(names)))
    return {"PYTHONPATH": str(folder)}


def last(command: tuple[str, ...], home: Path, folder: Path, env: dict[str, str]) -> tuple[int, str]:
    """Exit code and the last line of standard error, which has no traceback."""
    ended = bench(*command, home=home, cwd=folder, env=env)
    assert "Traceback" not in ended.stderr
    return ended.returncode, (ended.stderr.splitlines() or [""])[-1]


# --- what is installed --------------------------------------------------------------------------------------


def test_every_requirement_is_read_from_the_metadata_of_bench() -> None:
    lines = [
        line
        for line in metadata.requires("moss-audio-bench") or ()
        if "extra ==" not in line or "extra == 'run'" in line
    ]
    assert len(oldest()) == len(lines)
    assert oldest()["transformers"] == "4.57.1"
    assert [fault_of(package, at_least) for package, at_least in oldest().items()] == [None] * len(lines)
    assert {"torch", "transformers", "soundfile"} < run_packages() < set(oldest())
    assert run_packages().isdisjoint({"numpy", "huggingface-hub", "nvidia-ml-py"})


@pytest.mark.parametrize(
    ("origin", "command"),
    [
        (None, 'pip install "moss-audio-bench[run]"'),
        ('{"url": "file:///home/me/bench", "dir_info": {"editable": true}}', 'pip install -e ".[run]"'),
        ('{"url": "file:///home/me/bench", "dir_info": {}}', 'pip install ".[run]"'),
        (
            '{"url": "https://x.org/bench.git", "vcs_info": {"vcs": "git", "commit_id": "0a1b"}}',
            'pip install "moss-audio-bench[run] @ git+https://x.org/bench.git@0a1b"',
        ),
        (
            '{"url": "https://x.org/bench.whl", "archive_info": {}}',
            'pip install "moss-audio-bench[run] @ https://x.org/bench.whl"',
        ),
    ],
)
def test_an_extra_is_added_the_way_bench_was_installed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, origin: str | None, command: str
) -> None:
    write_metadata(tmp_path, "moss-audio-bench", "0.1.0")
    if origin is not None:
        (tmp_path / "moss_audio_bench-0.1.0.dist-info" / "direct_url.json").write_text(origin)
    monkeypatch.syspath_prepend(tmp_path)
    assert extra_command("run") == command


@pytest.mark.parametrize(
    ("version", "at_least", "older"),
    [
        ("4.57.1", "4.57.1", False),
        ("4.57", "4.57.1", True),
        ("4.9", "4.57.1", True),
        ("2.10.0a0+git1", "2.9.1", False),
        ("2.9.1+cu128", "2.9.1", False),
        ("2", "2.0", False),
        ("no number", "1.0", True),
    ],
)
def test_versions_are_compared_by_their_numbers(version: str, at_least: str, older: bool) -> None:
    assert is_older(version, at_least) is older


def test_one_command_mends_all_that_is_missing() -> None:
    require("numpy", "nvidia-ml-py")
    with pytest.raises(PackageError) as caught:
        require("numpy", "no-such-package", "neither-this")
    assert caught.value.exit_code == 3
    assert str(caught.value) == (
        "no-such-package is not installed; neither-this is not installed. "
        "Install it: pip install no-such-package neither-this"
    )


# --- commands -----------------------------------------------------------------------------------------------


INFER = ("infer", str(Path(__file__).parents[1] / "bench/data/speech/alice.flac"), "--model", "tiny")
FRONTIER = ("frontier", "--suite", "smoke", "--device", "cpu")


@pytest.fixture(scope="module")
def remedies(home: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The commands that the doctor names where torch and transformers are missing."""
    folder = tmp_path_factory.mktemp("without-torch")
    env = hidden(folder, "torch", "transformers")
    doctor = bench("doctor", "--json", home=home, cwd=folder, env=env)
    assert doctor.returncode == 3
    checks = json.loads(doctor.stdout)["checks"]
    found = [check["command"] for check in checks if check["name"] in {"torch", "packages"}]
    assert len(found) == 2
    return found


@pytest.mark.parametrize("command", [SMOKE, FRONTIER, INFER])
def test_without_torch_a_command_that_needs_it_prints_the_lines_of_the_doctor(
    home: Path, tmp_path: Path, remedies: list[str], command: tuple[str, ...]
) -> None:
    without = hidden(tmp_path, "torch", "transformers")
    ended = bench(*command, home=home, cwd=tmp_path, env=without)
    said, *lines = ended.stderr.splitlines()
    assert ended.returncode == 3
    assert said.startswith(
        "bench: the packages that run the model are not installed (torch, transformers): this machine"
    )
    assert [line.strip() for line in lines] == remedies


@pytest.mark.parametrize("command", [SMOKE, FRONTIER])
def test_a_dry_run_needs_nothing_that_runs_the_model(
    home: Path, tmp_path: Path, command: tuple[str, ...]
) -> None:
    without = hidden(tmp_path, *HEAVY)
    ended = bench(*command, "--dry-run", home=home, cwd=tmp_path, env=without)
    assert ended.returncode == 0, ended.stderr
    assert re.search("cells|probes", ended.stdout)


def test_a_clip_of_ones_own_cannot_be_read_without_its_packages(home: Path, tmp_path: Path) -> None:
    ended = bench(
        *SMOKE, "--audio", INFER[1], "--dry-run", home=home, cwd=tmp_path, env=hidden(tmp_path, "soundfile")
    )
    assert ended.returncode == 3
    assert "the packages that run the model are not installed (soundfile)" in ended.stderr


@pytest.mark.parametrize("command", [("gpus",), ("suites",), ("--help",), ("report", "{record}")])
def test_commands_that_need_no_model_need_no_torch(
    home: Path, tmp_path: Path, finished_run: tuple[Path, str, str], command: tuple[str, ...]
) -> None:
    (record,) = (finished_run[0] / "results").rglob("*.json")
    without = hidden(tmp_path, *HEAVY, "huggingface_hub")
    ended = bench(*(word.format(record=record) for word in command), home=home, cwd=tmp_path, env=without)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_a_run_of_another_engine_needs_no_torch(
    home: Path, tmp_path: Path, stand_ins: dict[str, str]
) -> None:
    suite = write_suite(tmp_path, tokens="[8]", engine=NAME)
    path = f"{hidden(tmp_path, 'torch', 'transformers')['PYTHONPATH']}{os.pathsep}{stand_ins['PYTHONPATH']}"
    ended = bench("run", "--suite", str(suite), home=home, cwd=tmp_path, env={"PYTHONPATH": path})
    assert ended.returncode == 0, ended.stderr


def test_a_package_that_is_too_old_is_found_before_the_run(home: Path, tmp_path: Path) -> None:
    write_metadata(tmp_path, "transformers", "4.40.2")
    write_metadata(tmp_path, "tokenizers", "0.19.1")
    assert last(SMOKE, home, tmp_path, site(tmp_path)) == (
        3,
        "bench: transformers 4.40.2 is too old: 4.57.1 is needed; "
        "tokenizers 0.19.1 is too old: 0.21 is needed. "
        'Install it: pip install "transformers>=4.57.1,<5.24" "tokenizers>=0.21"',
    )


def test_a_package_that_is_too_new_is_found_before_the_run(home: Path, tmp_path: Path) -> None:
    write_metadata(tmp_path, "transformers", "5.24.0")
    assert last(SMOKE, home, tmp_path, site(tmp_path)) == (
        3,
        "bench: transformers 5.24.0 is too new: one before 5.24 is needed. "
        'Install it: pip install "transformers>=4.57.1,<5.24"',
    )


def test_a_folder_without_content_is_no_package(home: Path, tmp_path: Path) -> None:
    """As a removal leaves it that could not delete a file in use."""
    where = hidden(tmp_path, "no-such-package")
    (tmp_path / "torch" / "lib").mkdir(parents=True)
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\nsys.path[:] = [each for each in sys.path if 'site-packages' not in each]\n"
        f"sys.path.append({str(Path(__file__).parents[1])!r})\n"
    )
    ask = "from bench.packages import *; print(fault_of('torch', '2.9.1'))"
    ended = subprocess.run(
        [sys.executable, "-c", ask], env=os.environ | where, capture_output=True, text=True, check=True
    )
    assert ended.stdout.strip() == "torch is not installed"


@pytest.mark.parametrize(
    ("package", "text", "said"),
    [
        (
            "soundfile",
            "raise OSError('libsndfile.so: cannot open shared object file')",
            "OSError: libsndfile.so",
        ),
        ("rfc8785", "raise RuntimeError('compiled against another ABI')", "RuntimeError: compiled against"),
        ("pydantic", "raise ImportError('libfoo.so.13: cannot open')", "ImportError: libfoo.so.13"),
    ],
)
def test_a_broken_package_is_named_with_its_error_and_the_remedy(
    home: Path, tmp_path: Path, package: str, text: str, said: str
) -> None:
    code, line = last(SMOKE, home, tmp_path, site(tmp_path, **{package: text}))
    assert code == 3
    assert line.startswith("bench: ")
    assert said in line
    assert 'Fix it: pip install --force-reinstall --no-deps "' in line


@pytest.mark.parametrize("package", ["click", "pydantic", "rich"])
def test_without_what_every_command_needs_each_says_so(home: Path, tmp_path: Path, package: str) -> None:
    code, line = last(("doctor",), home, tmp_path, hidden(tmp_path, package))
    assert code == 3
    assert f'bench: {package} is not installed. Fix it: pip install "{package}>=' in line


def test_a_worker_names_the_broken_package(home: Path, tmp_path: Path) -> None:
    """An import that only a worker makes: torch for another system."""
    where = site(tmp_path, torch="raise OSError('libtorch_cpu.so: cannot open shared object file')")
    code, line = last(SMOKE, home, tmp_path, where)
    assert code == 3
    assert "torch" in line
    assert "cannot be imported (OSError: libtorch_cpu.so: cannot open shared object file)" in line
    assert 'Fix it: pip install --force-reinstall --no-deps "torch>=2.9.1"' in line


# --- errors -------------------------------------------------------------------------------------------------


def caught(code: str) -> BaseException:
    """The error of this code, as if a module of bench had run it."""
    try:
        exec(compile(code, "bench/somewhere.py", "exec"), {"__name__": "bench.somewhere"})
    except (ImportError, AttributeError, ArithmeticError, ValueError) as error:
        return error
    raise AssertionError("nothing was raised")


@pytest.mark.parametrize("code", ["1 / 0", "import bench.nothing", "import json; json.nothing", "int('x')"])
def test_other_errors_are_bugs(code: str) -> None:
    assert import_fault(caught(code)) is None


@pytest.mark.parametrize(
    ("code", "fault"),
    [
        ("import no_such_package.part", "no_such_package is not installed"),
        (
            "import numpy; numpy.no_such_name",
            "numpy {numpy} cannot be imported (AttributeError: module 'numpy'",
        ),
        (
            "from numpy import no_such_name",
            "numpy {numpy} cannot be imported (ImportError: cannot import name",
        ),
        ("raise ImportError('no', name='_sqlite3')", "this Python was built without its module sqlite3"),
    ],
)
def test_an_import_that_fails_is_a_fault_of_its_package(code: str, fault: str) -> None:
    found = import_fault(caught(code))
    assert str(found).startswith(fault.format(numpy=metadata.version("numpy")))
