"""What every command refuses, and its help where Python has no docstrings."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from bench.cli.app import cli
from bench.cli.command import Command, CommandGroup
from tests.cli.conftest import Say


def _commands(group: click.Group, before: str = "") -> Iterator[tuple[str, click.Command]]:
    """Each command with its words, such as `site build`."""
    for name, command in sorted(group.commands.items()):
        if isinstance(command, CommandGroup):
            yield from _commands(command, f"{name} ")
        else:
            yield before + name, command


COMMANDS = dict(_commands(cli))
OPTIONS = [
    (name, parameter)
    for name, command in COMMANDS.items()
    for parameter in command.params
    if not (isinstance(parameter, click.Option) and parameter.is_flag)
]


@pytest.mark.parametrize(("command", "parameter"), OPTIONS, ids=lambda each: getattr(each, "name", each))
@pytest.mark.parametrize(
    ("text", "problem"),
    [("", "an empty text"), ("a\0b", "a zero byte"), ("\ud800", "half a letter (a lone surrogate)")],
    ids=["empty", "zero", "half"],
)
def test_no_parameter_takes_a_text_that_means_nothing(
    say: Say, command: str, parameter: click.Parameter, text: str, problem: str
) -> None:
    """Above all an empty one, which a path would make the current folder."""
    is_option = isinstance(parameter, click.Option)
    said = say(*command.split(), f"{parameter.opts[0]}={text}" if is_option else text)
    assert said.code == 2
    assert f"{problem} cannot be used. `bench {command} --help`" in said.line()
    name = parameter.opts[0] if is_option else parameter.make_metavar(click.Context(COMMANDS[command]))
    assert f"Invalid value for '{name}'" in said.line()


def test_every_command_refuses_them_by_the_same_means() -> None:
    assert {name for name, command in COMMANDS.items() if not isinstance(command, Command)} == set()


@pytest.mark.parametrize("path", [".", "/", "..", "a" * 300, "a" * 5000], ids=lambda path: path[:3])
def test_a_folder_or_an_endless_name_is_no_record(say: Say, path: str) -> None:
    said = say("run", "--device", "cpu", "--resume", path)
    assert said.code == 2
    assert "cannot be read (" in said.line()
    assert len(said.line()) < 1100


def test_a_folder_for_records_with_an_endless_name(say: Say) -> None:
    said = say("run", "--device", "cpu", "--out", "a" * 300)
    assert said.code == 3
    assert "File name too long" in said.line()


def python(*words: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    """A Python process in this folder."""
    return subprocess.run(
        [sys.executable, *words], cwd=folder, capture_output=True, encoding="utf-8", check=False, timeout=120
    )


def test_help_is_whole_without_docstrings(tmp_path: Path) -> None:
    code = "from bench.cli.app import run; run(['--help']); [run([*c.split(), '--help']) for c in {}]"
    code = code.format([*sorted(cli.commands), *COMMANDS])
    assert python("-OO", "-c", code, folder=tmp_path).stdout == python("-c", code, folder=tmp_path).stdout


def test_what_needs_docstrings_says_so_in_one_line(tmp_path: Path) -> None:
    traced = ("--gpu", "rtx-4070", "--clip-seconds", "4.5", "--no-cache")
    ended = python("-OO", "-m", "bench", "plan", *traced, folder=tmp_path)
    assert (ended.returncode, ended.stdout) == (3, "")
    assert "transformers cannot be imported under python -OO" in ended.stderr
    for words in (("gpus", "4070"), ("plan", "--gpu", "rtx-4070")):
        assert python("-OO", "-m", "bench", *words, folder=tmp_path).returncode == 0


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps a current folder")
@pytest.mark.parametrize("command", ["gpus", "suites smoke", "report x.json", "run --dry-run --device cpu"])
def test_a_current_folder_that_is_gone(tmp_path: Path, command: str) -> None:
    (tmp_path / "gone").mkdir()
    code = (
        "import os, sys; os.rmdir(os.getcwd()); from bench.cli.app import run;"
        f"sys.exit(run({command.split()}))"
    )
    ended = python("-P", "-c", code, folder=tmp_path / "gone")
    assert ended.returncode in {0, 2, 3}
    assert "bug" not in ended.stderr


HOSTILE_LOCALES = [
    {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    {"PYTHONIOENCODING": "ascii"},
    {"NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "1"},
    {"COLUMNS": "nothing", "LINES": "-1", "LANG": "xx_YY.nope", "CUDA_VISIBLE_DEVICES": "\x1b,-9"},
]


@pytest.mark.parametrize("variables", HOSTILE_LOCALES, ids="-".join)
def test_output_in_a_strange_environment(tmp_path: Path, variables: dict[str, str]) -> None:
    (tmp_path / "müsli.toml").write_text('name = "ü"', encoding="utf-8")
    code = (
        "import sys; from bench.cli.streams import secure; secure(); from bench.cli.app import run;"
        "sys.exit([run(['suites']), run(['gpus', '4090']), run(['run', '--help']),"
        "run(['suites', 'm\\u00fcsli.toml'])] != [0, 0, 0, 2])"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=os.environ | variables,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
        timeout=120,
    )
    assert (ended.returncode, "bug" in ended.stderr) == (0, False), ended.stderr
    assert "rtx-4090" in ended.stdout
