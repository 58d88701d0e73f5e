"""`bench infer`."""

import io
from pathlib import Path

import pytest

from bench import shipped
from bench.hardware import nvml
from tests.cli.conftest import Say
from tests.engines.stand_in import GREETING, NAME
from tests.run.processes import bench

SPEECH = str(shipped.data("speech", "alice.flac"))
ASK = ("infer", SPEECH, "--model", "tiny", "--device", "cpu", "--greedy", "--max-tokens", "12")


def answer(home: Path, folder: Path, *more: str, **env: str) -> str:
    ended = bench(*ASK, *more, home=home, cwd=folder, env=env)
    assert (ended.returncode, ended.stderr) == (0, "")
    return ended.stdout


def test_the_answer_and_nothing_but_the_answer(home: Path, tmp_path: Path) -> None:
    printed = answer(home, tmp_path)
    assert len(printed.rstrip("\n")) >= 3
    assert printed.endswith("\n")


@pytest.mark.emulated
def test_the_same_question_has_the_same_answer_each_time(home: Path, tmp_path: Path) -> None:
    assert answer(home, tmp_path) == answer(home, tmp_path)


def test_a_terminal_that_is_not_utf_8_shows_a_question_mark_for_what_it_lacks(
    stand_ins: dict[str, str], home: Path, tmp_path: Path
) -> None:
    printed = answer(home, tmp_path, "--engine", NAME, PYTHONIOENCODING="latin-1", **stand_ins)
    assert printed == f"{GREETING}\n".encode("latin-1", "replace").decode("latin-1")
    assert "?" in printed


def test_what_cannot_be_asked(say: Say) -> None:
    for arguments, code, told in (
        (["nothing.wav", "--model", "tiny"], 2, "nothing.wav is missing. Name an audio file"),
        ([SPEECH, "--weights", "random"], 2, "random weights have no tokenizer. Use --model tiny"),
        ([SPEECH, "--model", "tiny", "--attention", "flash_attention_2"], 3, "Use --attention sdpa"),
        ([SPEECH, "--max-tokens", "0"], 2, "0 is not in the range"),
        ([], 2, "Missing argument 'AUDIO'"),
    ):
        said = say("infer", "--device", "cpu", *arguments)
        assert said.code == code
        assert told in said.line()


@pytest.mark.parametrize(
    ("arguments", "small"),
    [
        (("infer", SPEECH), "--model tiny"),
        (("run", "--suite", "quick", "--weights", "random"), "--suite smoke"),
        (("run", "--suite", "quick", "--weights", "random", "--yes"), "--suite smoke"),
        (("frontier", "--suite", "quick", "--weights", "random"), "--suite smoke"),
    ],
)
def test_without_a_card_the_4b_model_does_not_fall_to_the_cpu(
    say: Say, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], small: str
) -> None:
    monkeypatch.setattr(nvml, "gpus", lambda: ())
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))  # no terminal
    said = say(*arguments)
    assert said.code == 3
    line = said.err.splitlines()[-1]
    assert "MOSS-Audio-4B-Instruct would run on the CPU" in line
    assert line.endswith(f"Add --device cpu to run it there, or use {small}")
    if arguments[0] != "infer":
        planned = say(*arguments, "--dry-run")
        assert planned.code == 0
        assert "without a terminal it needs --device cpu" in planned.out
