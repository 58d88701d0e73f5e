"""Each kind of bad input: one line that says what is wrong and what to do, and the contract's exit code."""

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from bench.store.record_files import write_record
from tests.cli.conftest import Say
from tests.run.processes import NOT_FOUND, SUITE, write_suite
from tests.samples import records


@pytest.mark.parametrize(
    ("options", "code", "told"),
    [
        ("--suite smok", 2, "Did you mean smoke?"),
        ("--suite nothing.toml", 2, f"cannot read nothing.toml: {NOT_FOUND}. Name a suite file"),
        ("--clip-seconds -5", 2, "--clip-seconds: -5.0 is too short. Use 0.2 to 3600 seconds"),
        ("--clip-seconds 0", 2, "--clip-seconds: 0.0 is too short"),
        ("--clip-seconds 1e9", 2, "--clip-seconds: 1000000000.0 is too long"),
        ("--clip-seconds nan", 2, "--clip-seconds: NaN is not a finite number. Use 0.2 to 3600"),
        ("--clip-seconds inf", 2, "--clip-seconds: Infinity is not a finite number"),
        ("--clip-seconds 5,,6", 2, "--clip-seconds: '' is not a number of seconds. Write it as 5,30,60"),
        ("--clip-seconds=", 2, "Invalid value for '--clip-seconds': an empty text cannot be used"),
        ("--clip-seconds 5,5.0", 2, "--clip-seconds: 5 appears twice"),
        ("--max-tokens 1.5", 2, "--max-tokens: '1.5' is not a whole number. Write it as 128,512"),
        ("--max-tokens 0", 2, "--max-tokens: 0 is too small. Use whole numbers from 1 to 8192"),
        (
            "--emulate-vram 900000TiB",
            2,
            "--emulate-vram: '900000TiB' is not a size: it must be less than 8192TiB",
        ),
        ("--repeats 99999999999999999999", 2, "--repeats: 99999999999999999999 is too large. Use 1 to 1000"),
        ("--max-tokens 9007199254740993", 2, "--max-tokens: 9007199254740993 is too large"),
        ("--max-tokens 9999999", 2, "--max-tokens: 9999999 is too large"),
        ("--max-tokens 8,8", 2, "--max-tokens: 8 appears twice"),
        ("--attention flash", 2, "--attention: 'flash' is not an attention backend. Write it as eager,sdpa,"),
        ("--attention sdpa,sdpa", 2, "--attention: sdpa appears twice"),
        ("--repeats 0", 2, "--repeats: 0 is too small. Use 1 to 1000"),
        ("--repeats many", 2, "'many' is not a valid integer"),
        ("--isolate sometimes", 2, "is not one of 'group', 'cell'"),
        ("--device nosuch", 2, "no graphics card is called 'nosuch'. `bench gpus` lists the names"),
        ("--device GPU-6c8c21d6", 3, "no GPU here has the UUID GPU-6c8c21d6"),
        ("--gpu cpu", 2, "--gpu names a graphics card. Use --device cpu"),
        ("--gpu rtx-4070 --device cpu", 2, "--gpu and --device are both given. Use one of them"),
        ("--gpu rtx-407", 2, "Did you mean rtx-4070"),
        ("--weights random", 2, "this suite uses the tiny one. Choose another with --suite quick"),
        ("--weights random --model nope", 2, "'nope'. Choose from MOSS-Audio-4B-Instruct"),
        ("--weights hub", 2, "the tiny model is made locally, it is not on the Hub"),
        ("--model ./nope", 2, "'./nope': no such directory, and no name on the Hub. Name a directory"),
        (f"--model {__file__}", 2, "test_bad_input.py' is not a directory. Name its folder"),
        ("--model=", 2, "Invalid value for '--model': an empty text cannot be used"),
        ("--revision main", 2, "--revision has no meaning with tiny weights. Leave --revision out"),
        ("--suite quick --weights random --revision main", 2, "no meaning with random weights"),
        ("--audio nothing.wav", 2, "nothing.wav is missing. Name an audio file"),
        ("--audio .", 2, "cannot read .: it is a folder. Name an audio file"),
        ("--resume nothing.json", 2, f"nothing.json: cannot be read ({NOT_FOUND})"),
    ],
)
def test_options(say: Say, options: str, code: int, told: str) -> None:
    # On the CPU whatever this machine has, unless the device is the point.
    device = [] if "--device" in options or "--gpu" in options else ["--device", "cpu"]
    said = say("run", *device, *options.split(" "))
    assert said.code == code
    assert told in said.line()


def test_a_card_that_is_known_and_not_here(say: Say) -> None:
    said = say("run", "--gpu", "rtx-2060-12gb")
    assert said.code == 3
    assert "no rtx-2060-12gb here" in said.line()


def test_a_name_that_is_too_long_for_a_path(say: Say) -> None:
    said = say("run", "--device", "cpu", "--model", "a" * 5000)
    assert said.code == 2
    assert len(said.line()) < 300


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (
            ("clip_seconds", "clip_second"),
            "unknown key axes.clip_second (and 1 more). Did you mean axes.clip_seconds?",
        ),
        (("[axes]", "[axes"), "line 8"),
        (("[1]", "[1, 1]"), "axes.clip_seconds: 1 appears twice"),
        (("[1]", "[nan]"), "axes.clip_seconds"),
        (('"float32"', '"float8"'), "dtype: 'float8' is unknown. Use bfloat16, float16 or float32"),
    ],
)
def test_suite_files(say: Say, tmp_path: Path, wrong: tuple[str, str], told: str) -> None:
    path = write_suite(tmp_path)
    path.write_text(path.read_text(encoding="utf-8").replace(*wrong, 1), encoding="utf-8")
    said = say("run", "--suite", "mine.toml", "--device", "cpu")
    assert said.code == 2
    assert "mine.toml" in said.line()
    assert told in said.line()


def _sound(folder: Path, name: str, *, loud: float) -> Path:
    noise = np.random.default_rng(0).uniform(-loud, loud, 32_000)
    sf.write(folder / name, noise, 16_000)
    return folder / name


def test_silent_truncated_and_false_audio(say: Say, tmp_path: Path) -> None:
    _sound(tmp_path, "silent.wav", loud=0)
    whole = _sound(tmp_path, "cut.wav", loud=0.5)
    whole.write_bytes(whole.read_bytes()[:20_000])
    (tmp_path / "text.wav").write_text("no sound at all")
    (tmp_path / "empty.flac").touch()
    for name, told in {
        "silent.wav": "is silent",
        "cut.wav": "is cut off: its end is missing",
        "text.wav": "is not audio in a known format",
        "empty.flac": "is empty (0 bytes)",
    }.items():
        for command in (["run", "--audio", name], ["infer", name, "--model", "tiny"]):
            said = say(*command, "--device", "cpu")
            assert said.code == 2
            assert f"{name} {told}" in said.line()


@pytest.mark.parametrize("out", ["taken", "taken/deeper"])
def test_a_file_in_the_way_of_the_records_is_seen_before_a_worker_starts(
    say: Say, tmp_path: Path, out: str
) -> None:
    (tmp_path / "taken").write_text("a file")
    said = say("run", "--device", "cpu", "--out", out)
    assert said.code == 3
    assert f"{out}: cannot be written" in said.line()
    assert "choose another --out" in said.line()


def test_an_axis_that_would_make_too_many_cells(say: Say, tmp_path: Path) -> None:
    tokens = ",".join(map(str, range(1, 8001)))
    clips = ",".join(map(str, range(1, 101)))
    said = say("run", "--device", "cpu", "--max-tokens", tokens, "--clip-seconds", clips)
    assert said.code == 2
    assert "cells; shorten them" in said.line()


def test_the_template_of_these_tests_is_a_suite(say: Say, tmp_path: Path) -> None:
    """Else the tests above would pass for another reason."""
    assert "{clips}" in SUITE
    write_suite(tmp_path)
    assert say("run", "--suite", "mine.toml", "--device", "cpu", "--dry-run").code == 0


HOSTILE = "\x1b[2J\u202e\x9b31m"
NAMES = os.fsdecode(b"J\xfcrgen.json"), f"{HOSTILE}.json"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
@pytest.mark.parametrize(
    "name", [os.fsdecode(b"J\xfcrgen.json"), f"{HOSTILE}.json"], ids=["latin-1", "escapes"]
)
def test_a_record_may_have_any_name_and_a_terminal_gets_it_cleaned(
    say: Say, tmp_path: Path, name: str
) -> None:
    write_record(records.smoke(), tmp_path / name)
    for words in (["report", name], ["compare", name, name], ["run", "--resume", name, "--device", "cpu"]):
        said = say(*words)
        assert (said.code, said.err) == (0, "")
        assert said.out.replace("\n", "").isprintable()
        assert words[0] == "compare" or "\ufffd" in said.out


def test_the_title_of_a_suite_reaches_a_terminal_cleaned(say: Say, tmp_path: Path) -> None:
    path = write_suite(tmp_path)
    hostile = path.read_text(encoding="utf-8").replace("A suite for tests", "a\\u001b[2J\\u202eb\\u009b31m")
    path.write_text(hostile, encoding="utf-8")
    said = say("suites", "mine.toml")
    assert "a\ufffd[2J\ufffdb\ufffd31m" in said.out.splitlines()[0]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no pipes in folders")
def test_a_pipe_among_records_is_named_and_the_others_are_reported(say: Say, tmp_path: Path) -> None:
    write_record(records.smoke(), tmp_path / "results" / "whole.json")
    os.mkfifo(tmp_path / "results" / "pipe.json")
    said = say("report", "results")
    assert said.code == 2
    assert "results/pipe.json: cannot be read (it is not a regular file)" in said.err
    assert list((tmp_path / "reports").rglob("check.html"))
