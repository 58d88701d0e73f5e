"""What every command has in common: help, version, completion, closed pipes, errors in one line."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

import bench
from bench.cli import app
from tests.cli.conftest import Say
from tests.engines.stand_in import NAME
from tests.run.processes import NEEDS_SHELL, environment, write_suite
from tests.run.processes import bench as process

COMMANDS = ("run", "plan", "frontier", "infer", "report", "suites", "gpus", "doctor", "site build")


def test_help_names_every_command_and_the_exit_codes(say: Say) -> None:
    said = say("--help")
    assert (said.code, said.err) == (0, "")
    for command in COMMANDS:
        assert re.search(rf"^  {command.split()[0]} ", said.out, re.MULTILINE)
    assert "70 bug" in said.out
    assert all(len(line) <= 80 for line in said.out.splitlines())
    assert say("-h").out == said.out


def test_without_a_command_there_is_help(say: Say) -> None:
    said = say()
    assert (said.code, said.err) == (0, "")
    assert said.out.splitlines()[1:] == say("--help").out.splitlines()[1:]


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_a_command_ends_with_status_0_and_has_examples(say: Say, command: str) -> None:
    said = say(*command.split(), "--help")
    assert (said.code, said.err) == (0, "")
    assert f"  bench {command}" in said.out.partition("Examples:")[2]
    assert all(len(line) <= 80 for line in said.out.splitlines())


def test_help_of_run_names_the_options_that_there_are_and_no_others(say: Say) -> None:
    offered = set(re.findall(r"^ +(--[a-z-]+)", say("run", "--help").out, re.MULTILINE))
    assert offered == {
        *("--suite", "--gpu", "--device", "--model", "--revision", "--weights", "--engine", "--profile"),
        *("--clip-seconds", "--max-tokens", "--attention", "--audio", "--repeats", "--isolate"),
        *("--retry-failed", "--discard-unfinished", "--time-budget", "--challenge"),
        *("--no-prune", "--out", "--resume", "--dry-run", "--yes", "--emulate-vram", "--ci"),
    }
    assert "Engine that runs the model: native" in say("run", "--help").out


def test_each_example_of_the_help_is_a_command_line_that_parses(say: Say) -> None:
    texts = [say("--help").out, *(say(*command.split(), "--help").out for command in COMMANDS)]
    examples = [line.strip() for text in texts for line in text.splitlines() if line.startswith("    bench ")]
    assert len(examples) > 10
    for example in examples:
        _, command, *options = shlex.split(re.split(r"\s{2,}", example)[0])
        with click.Context(app.cli, **app.cli.context_settings) as context:
            found = app.cli.commands[command]
            if isinstance(found, click.Group):
                command, found = options[0], found.commands[options.pop(0)]
            parsed = found.make_context(command, options, parent=context)
        assert parsed.params


def test_version(say: Say) -> None:
    assert say("--version").out.split() == ["bench,", "version", bench.__version__]


def test_an_unknown_command_names_the_nearest(say: Say) -> None:
    said = say("runn")
    assert said.code == 2
    assert "'runn'" in said.line()
    assert "`bench --help` shows what there is" in said.line()


def test_an_unknown_option_names_the_nearest(say: Say) -> None:
    said = say("run", "--suit", "smoke")
    assert said.code == 2
    assert "--suite" in said.line()
    assert "`bench run --help`" in said.line()


def test_an_error_is_one_line_whatever_a_name_holds(say: Say) -> None:
    assert "'smo ke\ufffd[2J'" in say("run", "--suite", "smo\nke\x1b[2J").line()


def test_a_real_process_hands_code_and_line_on(tmp_path: Path, home: Path) -> None:
    ended = process("run", "--suite", "smok", home=home, cwd=tmp_path)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == (
        "bench: there is no suite 'smok'. Did you mean smoke? The shipped suites are long-audio, quick, "
        "smoke, standard; a file of your own ends in .toml\n"
    )


def test_a_bug_is_one_line_and_a_file(say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("bench.hardware.catalog.cards", lambda: 1 / 0)
    said = say("gpus")
    assert said.code == 70
    assert "ZeroDivisionError" in said.line()
    (kept,) = tmp_path.glob("bench-bug-*.txt")
    assert str(kept) in said.line()
    written = kept.read_text()
    assert "Traceback" in written
    assert '<path>/gpus.py", line' in written
    assert str(Path(bench.__file__).parent) not in written
    shown = say("gpus", "--debug")
    assert "Traceback" in shown.err


def test_a_bug_on_a_full_disk_is_one_line_too(
    say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "nothing-here"))
    monkeypatch.setattr("bench.hardware.catalog.cards", lambda: 1 / 0)
    assert "--debug" in say("gpus").line()


def environment_with(buffering: str) -> dict[str, str]:
    """Many containers set PYTHONUNBUFFERED and no shell of a person does: what fails at the end differs."""
    return {**os.environ, "PYTHONUNBUFFERED": buffering}  # empty is as good as unset


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("command", ["gpus", "suites standard", "--help", "runn"])
def test_a_closed_pipe_is_no_error(command: str, unbuffered: str, tmp_path: Path) -> None:
    """As in `bench gpus | head -1`, with the reader gone from the start."""
    reader, writer = os.pipe()
    os.close(reader)
    merged = command == "runn"  # the one that writes to standard error
    ended = subprocess.run(
        [sys.executable, "-m", "bench", *command.split()],
        stdout=subprocess.DEVNULL if merged else writer,
        stderr=writer if merged else subprocess.PIPE,
        cwd=tmp_path,
        env=environment_with(unbuffered),
        check=False,
    )
    os.close(writer)
    assert ended.returncode == (2 if merged else 0)
    assert not ended.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has a device that is always full")
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_output_to_a_full_disk(unbuffered: str) -> None:
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "bench", "gpus"],
            stdout=full,
            stderr=subprocess.PIPE,
            env=environment_with(unbuffered),
            check=False,
            text=True,
        )
    assert ended.returncode == 3
    assert ended.stderr == "bench: the output cannot be written (No space left on device). Free space\n"


@NEEDS_SHELL
def test_a_limit_of_the_system_is_no_bug(tmp_path: Path, home: Path, stand_ins: dict[str, str]) -> None:
    suite = write_suite(tmp_path, tokens="[8]", engine=NAME)
    words = [sys.executable, "-m", "bench", "run", "--suite", str(suite)]
    ended = subprocess.run(
        ["sh", "-c", f"ulimit -n 8; exec {shlex.join(words)}"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env=environment(home) | stand_ins,
        cwd=tmp_path,
        check=False,
        text=True,
    )
    assert ended.returncode == 3
    assert ended.stderr == "bench: Too many open files. Raise the limit of open files (ulimit -n)\n"


def _completed(words: str) -> list[str]:
    """What the shell offers in place of the last word."""
    variables = {
        "_BENCH_COMPLETE": "bash_complete",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split(" ")) - 1),
    }
    ended = subprocess.run(
        [sys.executable, "-m", "bench"],
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended.stderr == ""
    return [line.partition(",")[2] for line in ended.stdout.splitlines()]


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("bench ru", ["run"]),
        ("bench run --suite s", ["smoke", "standard"]),
        ("bench run --gpu rtx-4090", ["rtx-4090", "rtx-4090-laptop"]),
        ("bench run --device c", ["cpu"]),
        ("bench suites qu", ["quick"]),
    ],
)
def test_the_shell_completes(words: str, offered: list[str]) -> None:
    found = _completed(words)
    assert found[: len(offered)] == offered


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_completion_script_is_there(shell: str) -> None:
    variables = os.environ | {"_BENCH_COMPLETE": f"{shell}_source"}
    ended = subprocess.run(
        [sys.executable, "-m", "bench"], env=variables, capture_output=True, text=True, check=True
    )
    assert "_BENCH_COMPLETE" in ended.stdout
