"""Runs that go on, and runs that are alive: real processes that share a folder."""

import json
import signal
from pathlib import Path

import psutil
import pytest

from bench.store.naming import journal_of, lock_of
from bench.store.record_files import read_record, write_record
from tests.cli.conftest import Say
from tests.engines.stand_in import PACED
from tests.run.processes import (
    NEEDS_SIGNALS,
    bench,
    only,
    started,
    wait_for_line,
    worker_of,
    write_suite,
)
from tests.samples import records as sample


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    return write_suite(tmp_path, tokens="[8, 100, 101]", engine=PACED)


@NEEDS_SIGNALS
def test_a_living_run_has_its_journal_for_itself(
    suite: Path, stand_ins: dict[str, str], say: Say, tmp_path: Path, home: Path
) -> None:
    """Until it is killed: then of two that resume it at once one does."""
    run = ("run", "--suite", str(suite))
    with started(*run, home=home, cwd=tmp_path, env=stand_ins) as process:
        wait_for_line(process, r"\[1/3\].*first token")
        psutil.Process(process.pid).suspend()  # it lives as long as this test wants
        journal = only(tmp_path / "results", "*.journal.jsonl")
        before = journal.read_bytes()
        refusal = (
            f"bench: {journal.relative_to(tmp_path)}: process {process.pid} is still writing this journal. "
            "Wait until that run ends, or stop it; then try again\n"
        )
        resume = ("run", "--resume", str(journal.relative_to(tmp_path)), "--suite", str(suite))
        for command in (resume, (*resume, "--dry-run"), ("report", resume[2]), ("report", "results")):
            refused = say(*command)
            assert (refused.code, refused.out, refused.err) == (2, "", refusal)

        other = bench(*run, "--max-tokens", "8", home=home, cwd=tmp_path, env=stand_ins)
        assert other.returncode == 0, other.stderr
        assert [line[:6] for line in other.stderr.splitlines()] == ["[1/1] "] * 2, "no hint at the living run"
        assert say("report", "results").code == 0
        assert journal.read_bytes() == before
        process.send_signal(signal.SIGKILL)
        process.wait()

    assert only(tmp_path / "results", "*.journal.pid").read_text() == f"{process.pid}\n", (
        "and does not matter"
    )
    (tmp_path / "results").joinpath(only(tmp_path / "results", "*.json")).unlink()
    with (
        started(*run, "--resume", str(journal), home=home, cwd=tmp_path, env=stand_ins) as one,
        started(*run, "--resume", str(journal), home=home, cwd=tmp_path, env=stand_ins) as two,
    ):
        ends = [(each.communicate(timeout=120), each.returncode) for each in (one, two)]
    worked = ["[3/3] " in errors for (_, errors), _ in ends]
    assert sorted(worked) == [False, True], ends
    for ((output, errors), code), did in zip(ends, worked, strict=True):
        late = "is finished" in output
        assert code == (0 if did or late else 2), errors
        assert did or late or "is still writing this journal" in errors
    record = read_record(only(tmp_path / "results", "*.json"))
    assert [cell.outcome.status for cell in record.cells] == ["measured"] * 3
    assert [path.suffix for path in only(tmp_path / "results", "*.json").parent.iterdir()] == [".json"]


@pytest.mark.emulated
def test_failed_cells_run_again_when_asked_and_every_attempt_is_kept(
    stand_ins: dict[str, str], say: Say, tmp_path: Path, home: Path
) -> None:
    """Its worker is killed in the first and in the second attempt."""
    suite = write_suite(tmp_path, tokens="[8, 100]", engine=PACED)
    words = ["run", "--suite", str(suite)]
    for step in (r"\[1/2\].*first token", r"\[2/2\].*loading the model"):
        with started(*words, home=home, cwd=tmp_path, env=stand_ins) as process:
            wait_for_line(process, step)
            worker_of(process).kill()
            output, _ = process.communicate(timeout=60)
        assert process.returncode == 4
        *_, line, command = output.splitlines()
        assert line == "1 cell failed or timed out; run again with"
        words = command.split()[1:]
        assert words[3] == "--retry-failed"

    path = only(tmp_path / "results", "*.json").relative_to(tmp_path)
    said = say("run", "--resume", str(path), "--suite", str(suite))
    assert (said.code, said.err) == (4, "")
    assert said.out == (
        f"{path} is finished: every cell has an outcome, but 1 failed or timed out; run again with\n"
        f"  bench run --resume {path} --retry-failed --suite {suite}\n"
    )
    in_ci = say("run", "--resume", str(path), "--ci")
    assert in_ci.code == json.loads(in_ci.out.splitlines()[-1])["exit_code"] == 4

    first = read_record(path)
    ended = bench(*words, home=home, cwd=tmp_path, env=stand_ins)
    assert ended.returncode == 0, ended.stderr
    assert "[1/2]" not in ended.stderr
    assert "1 of 2 cells failed at first" in ended.stdout
    record = read_record(path)
    assert record.cells[0] == first.cells[0]
    cell = record.cells[1]
    assert (cell.outcome.status, len(cell.repeats)) == ("measured", 1)
    assert [attempt.outcome.status for attempt in cell.earlier_attempts] == ["failed", "failed"]
    assert cell.earlier_attempts[1].outcome == first.cells[1].outcome
    assert say("run", "--resume", str(path), "--retry-failed").code == 0, "nothing is left"


def test_a_finished_record_needs_no_lock(say: Say, tmp_path: Path) -> None:
    """A folder at the lock's name: no process, root included, can make the lock, as in a read-only folder."""
    record = tmp_path / "run.json"
    write_record(sample.smoke(), record)
    lock_of(journal_of(record)).mkdir()
    said = say("run", "--resume", "run.json")
    assert (said.code, said.err) == (0, "")
    assert said.out == "run.json is finished: every cell has an outcome, and nothing is left to run\n"
