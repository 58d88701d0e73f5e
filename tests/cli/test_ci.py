"""`bench run --ci`: what a build server reads, and what no record can make it do."""

import json
import os
import re
import signal
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.cli.ci import run_in_ci
from bench.cli.run_output import ResumeCommand, print_result
from bench.records.record import Record
from bench.run.runner import RunResult
from bench.store.record_files import read_record
from tests.cli.conftest import Say
from tests.conftest import EndedRun, made_once
from tests.engines.stand_in import PACED
from tests.run.processes import (
    NEEDS_SIGNALS,
    NEEDS_TERMINAL,
    bench,
    environment,
    started,
    wait_for_line,
    write_suite,
)
from tests.samples import records as sample

UNREACHED = '[[expect]]\nfits = true\n[[expect]]\nmax_tokens = [16]\ndecode_tokens_per_s = ">= 1000000"\n'
COMMAND = re.compile(r"::(error|warning|notice) title=[^:,\r\n]*::.*")


@pytest.fixture(scope="session")
def unmet(shared: Path, home: Path) -> EndedRun:
    """A run on GitHub, as far as the environment tells, of a suite that expects too much."""

    def make(folder: Path) -> subprocess.CompletedProcess[str]:
        path = write_suite(folder, tokens="[8, 16]", attention='["sdpa", "flash_attention_2"]')
        path.write_text(path.read_text() + UNREACHED)
        (folder / "summary.md").write_text("before\n")
        own = {
            "GITHUB_ACTIONS": "true",
            "GITHUB_STEP_SUMMARY": str(folder / "summary.md"),
            "FORCE_COLOR": "1",
            "TTY_COMPATIBLE": "1",
        }
        return bench("run", "--ci", "--suite", str(path), "--device", "cpu", home=home, cwd=folder, env=own)

    return made_once(shared, "ci", make)


def last_line(run: EndedRun) -> dict[str, object]:
    answer: dict[str, object] = json.loads(run.out.splitlines()[-1])
    return answer


def test_an_expectation_that_is_not_met_is_exit_code_1_and_told(unmet: EndedRun) -> None:
    assert unmet.code == 1
    assert "expectations: 2 met, 1 not met, 3 not judged" in unmet.out
    assert re.search(
        r"^not met: 1 s, 16 tokens, sdpa: expected decode_tokens_per_s >= 1,000,000, found [\d.]+",
        unmet.out,
        re.M,
    )


def test_the_last_line_names_what_there_is(unmet: EndedRun) -> None:
    last = last_line(unmet)
    assert (last["exit_code"], last["verdict"]) == (1, "unknown")
    assert last["cells"] == {"measured": 2, "unsupported": 2}
    assert last["expectations"] == {"met": 2, "not_met": 1, "not_judged": 3}
    for name in ("record", "report", "junit", "summary"):
        assert (unmet.folder / str(last[name])).is_file()
    record = read_record(unmet.folder / str(last["record"]))
    assert record.suite.definition["expect"] == [
        {"fits": True},
        {"max_tokens": [16], "decode_tokens_per_s": ">= 1000000"},
    ]


def test_each_cell_is_a_test_case(unmet: EndedRun) -> None:
    root = ET.parse(unmet.folder / str(last_line(unmet)["junit"])).getroot()
    assert {name: root.attrib[name] for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "4", "failures": "1", "errors": "0", "skipped": "2",
    }  # fmt: skip


def test_github_gets_a_summary_and_annotations(unmet: EndedRun) -> None:
    page = (unmet.folder / "summary.md").read_text(encoding="utf-8")
    assert page == "before\n" + (unmet.folder / str(last_line(unmet)["summary"])).read_text(encoding="utf-8")
    commands = [line for line in unmet.out.splitlines() if line.startswith("::")]
    assert [line for line in commands if line.startswith("::error")] == [
        line for line in commands if "16 tokens%2C sdpa::expected decode_tokens_per_s" in line
    ]
    assert "::" not in unmet.err


def test_its_log_has_no_colours_and_no_line_that_is_written_twice(unmet: EndedRun) -> None:
    assert "\x1b" not in unmet.out + unmet.err
    assert "\r" not in unmet.out + unmet.err


@NEEDS_TERMINAL
def test_nobody_is_asked_even_on_a_terminal(home: Path, tmp_path: Path) -> None:
    """On a terminal `bench run` would ask whether to download; here the answer is the option to give."""
    import pty

    leader, follower = pty.openpty()
    try:
        ended = subprocess.run(
            [sys.executable, "-m", "bench", "run", "--ci", "--device", "cpu", "--suite", "quick"],
            stdin=follower,
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env=environment(home) | {"GITHUB_ACTIONS": "true"},
            timeout=60,
            check=False,
        )
    finally:
        os.close(leader)
        os.close(follower)
    assert ended.returncode in {2, 3}
    (line,) = ended.stderr.splitlines()
    annotation, last = ended.stdout.splitlines()
    assert annotation.startswith("::error title=bench::")
    assert annotation.removeprefix("::error title=bench::") == line.removeprefix("bench: ")
    assert json.loads(last)["exit_code"] == ended.returncode
    assert json.loads(last)["record"] is None


def test_a_dry_run_has_nothing_to_tell_a_build_server(say: Say) -> None:
    said = say("run", "--ci", "--dry-run", "--device", "cpu")
    assert said.code == 2
    assert "a dry run has no result. Leave one of them out" in said.line()


def test_a_summary_that_cannot_be_written_does_not_lose_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path))
    assert finish(sample.smoke(), tmp_path) == 0
    printed = capsys.readouterr()
    assert re.search(
        "GITHUB_STEP_SUMMARY names cannot be written: (Is a directory|Permission denied)", printed.err
    )
    assert json.loads(printed.out.splitlines()[-1])["exit_code"] == 0


@pytest.mark.emulated
@NEEDS_SIGNALS
def test_an_interrupted_run_tells_what_it_has(stand_ins: dict[str, str], home: Path, tmp_path: Path) -> None:
    path = write_suite(tmp_path, tokens="[8, 2000]", repeats=50, engine=PACED)
    command = ("run", "--ci", "--suite", str(path), "--device", "cpu")
    with started(*command, home=home, cwd=tmp_path, env=stand_ins) as process:
        wait_for_line(process, r"^\[1/2\] .* first token")
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=60)
    last = json.loads(output.splitlines()[-1])
    assert (process.returncode, last["exit_code"]) == (130, 130)
    assert last["cells"] == {"measured": 1, "skipped": 1}
    assert last["report"] is None
    assert (tmp_path / last["junit"]).is_file()
    assert "bench run --resume" in output


@pytest.mark.emulated
def test_out_of_memory_fails_or_passes_as_the_suite_expects(home: Path, tmp_path: Path) -> None:
    """On a card that is played on the CPU: 589 MiB hold the tiny model and some 15 s of sound."""
    path = write_suite(tmp_path, clips="[5, 40]", tokens="[8, 16]")
    tables = (
        "clip_seconds = [5]\nfits = true",
        "clip_seconds = [40]\nmax_tokens = [8]\nfits = true",
        "clip_seconds = [40]\nmax_tokens = [16]\nfits = false",
    )
    path.write_text(path.read_text() + "".join(f"[[expect]]\n{table}\n" for table in tables))
    ended = bench("run", "--ci", "--suite", str(path), "--emulate-vram", "589MiB", home=home, cwd=tmp_path)
    last = json.loads(ended.stdout.splitlines()[-1])
    assert (ended.returncode, last["exit_code"]) == (1, 1), ended.stderr
    assert last["cells"] == {"measured": 2, "out_of_memory": 1, "skipped": 1}
    assert last["expectations"] == {"met": 3, "not_met": 1, "not_judged": 0}
    root = ET.parse(tmp_path / last["junit"]).getroot()
    cases = {case.attrib["name"]: case for case in root.iter("testcase")}
    (failure,) = root.iter("failure")
    assert failure.attrib["message"].startswith("expected fits, found out of memory: ")
    assert cases["40 s, 8 tokens, sdpa"].find("failure") is failure
    assert cases["40 s, 16 tokens, sdpa"].find("skipped") is None  # it would need more: as expected


@pytest.fixture
def on_github(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    yield


@pytest.mark.usefixtures("on_github")
@pytest.mark.parametrize(
    "name", ["::add-mask::e ", "##[error]x ", "a ::set-output name=record::x\n::error::y\r::z "]
)
def test_a_card_with_a_hostile_name_adds_no_command(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """So long that the table wraps it: its begin then stands at the begin of a line."""
    whole = sample.standard()
    device = whole.device.model_copy(update={"name": name * 30, "driver": name * 30})
    finish(whole.model_copy(update={"device": device}), tmp_path)
    printed = capsys.readouterr()
    lines = re.split(r"\r\n|\r|\n", printed.out + printed.err)
    commands = [line for line in lines if line.lstrip().startswith("::") or "##[" in line]
    assert commands
    assert [line for line in commands if not COMMAND.fullmatch(line)] == []


def finish(record: Record, folder: Path) -> int:
    ending = RunResult(record, folder / "results/MOSS-Audio-4B-Instruct/rtx-4070/a.json", None)
    return run_in_ci(lambda: (0, print_result(ending, Path("results"), ResumeCommand(()), plain=True)))
