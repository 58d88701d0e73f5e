"""The current folder has no influence on a command, its workers, and what they start."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import bench
from bench.processes import python_command, python_environment
from tests.run.processes import environment, only, write_suite

ROOT = Path(bench.__file__).parents[1]
INSTALLED = [str(Path(sys.executable).with_name("bench"))]
AS_MODULE = [sys.executable, "-m", "bench"]
# Modules that a command and its worker import: ours, the standard library's, other people's.
NAMES = ("bench", "random", "statistics", "signal", "torch", "numpy", "pynvml", "soundfile", "pandas")


def scripts(folder: Path, *without: str) -> Path:
    """A folder with scripts of its owner; an import of one leaves a file behind."""
    folder.mkdir()
    for name in NAMES:
        if name not in without:
            text = f"open('imported-{name}', 'w')\nraise SystemExit('my own script')\n"
            (folder / f"{name}.py").write_text(text)
    (folder / "transformers").mkdir()
    (folder / "transformers" / "__init__.py").write_text("open('imported-transformers', 'w')\n")
    return folder


def imported(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("imported-*"))


@pytest.mark.parametrize(
    ("command", "without", "python_path"),
    [
        (INSTALLED, [], "{}"),
        (AS_MODULE, ["bench"], "{}"),
        # An empty entry is the current folder: Python imports bench from there before a line of ours runs.
        (INSTALLED, ["bench"], ".:{}:"),
    ],
)
def test_a_run_in_a_folder_with_scripts_of_the_same_names(
    tmp_path: Path,
    home: Path,
    stand_ins: dict[str, str],
    command: list[str],
    without: list[str],
    python_path: str,
) -> None:
    own = scripts(tmp_path / "own", *without)
    suite = write_suite(own, engine="stand-in", tokens="[8]")
    where = environment(home) | {"PYTHONPATH": python_path.format(stand_ins["PYTHONPATH"])}
    ended = subprocess.run(
        [*command, "run", "--suite", str(suite), "--device", "cpu"],
        env=where,
        cwd=own,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, imported(own)) == (0, []), ended.stderr
    assert only(own / "results", "*.json").is_file()


def test_a_child_has_the_bench_of_its_parent_not_the_one_that_is_installed(tmp_path: Path) -> None:
    """A checkout that is not installed, next to a build that is."""
    shutil.copytree(ROOT / "bench", tmp_path / "bench", ignore=shutil.ignore_patterns("__pycache__"))
    ask = "import sys, bench; print(bench.__file__, sys.argv, sys.flags.safe_path, __name__)"
    (tmp_path / "bench" / "asked.py").write_text(ask)
    start = "import subprocess as s, bench.processes as p; s.run(p.python_command('bench.asked', 'a b'))"
    ended = subprocess.run(
        [sys.executable, "-c", start], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    module = str(tmp_path / "bench" / "asked.py")
    expected = f"{tmp_path / 'bench' / '__init__.py'} {[module, 'a b']} True __main__"
    assert ended.stdout.strip() == expected


def test_many_records_are_indexed_in_a_folder_with_scripts_of_the_same_names(tmp_path: Path) -> None:
    """multiprocessing starts its processes with the flags and the variables of this one."""
    own = scripts(tmp_path / "own")
    code = """
from bench.processes import leave_current_folder
leave_current_folder()
import multiprocessing
if __name__ == "__main__":
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        print(pool.apply(len, ("abc",)))
"""
    (tmp_path / "start.py").write_text(code)
    ended = subprocess.run(
        [sys.executable, "-P", str(tmp_path / "start.py")],
        cwd=own,
        env=os.environ | {"PYTHONPATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.stdout.strip(), imported(own)) == ("3", []), ended.stderr


def test_a_folder_that_is_named_by_its_whole_path_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    other, here = str(tmp_path.parent), str(tmp_path)
    named = os.pathsep.join(["", other, ".", here, "modules", f"..{os.sep}{tmp_path.name}"])
    found = python_environment({"PYTHONPATH": named, "HOME": "x"})
    kept = os.pathsep.join([other, here, "modules"])
    assert found == {"PYTHONPATH": kept, "HOME": "x", "PYTHONSAFEPATH": "1"}
    assert python_environment({"PYTHONPATH": ""}) == {"PYTHONSAFEPATH": "1"}


def test_the_flags_of_this_python_are_those_of_its_children() -> None:
    ask = "from bench.processes import *; print(*python_command('bench.asked')[1:-2])"

    def flags(*own: str) -> str:
        command = [sys.executable, *own, "-c", ask]
        return subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout.strip()

    assert (flags(), flags("-s"), flags("-I")) == ("-P", "-P -s", "-P -s -E")
    assert python_command("bench.asked", "x")[-2:] == ["bench.asked", "x"]
