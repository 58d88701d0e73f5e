"""`bench frontier` as a person meets it: real processes, on a card that is played on the CPU."""

import signal
import subprocess
from pathlib import Path

import pytest

from bench.judge.verdict import judge
from bench.records.cell import CellResult
from bench.records.reasons import TimeLimitPassed, WorkerStep
from bench.records.record import Record
from bench.store.journal import Header, Journal, Progress, read_progress
from bench.store.record_files import read_record
from bench.suite.cells import cell_id
from bench.wording import outcomes
from tests.cli.conftest import Say
from tests.engines.stand_in import NAME, PACED
from tests.run.processes import NEEDS_SIGNALS, bench, only, started, wait_for_line, worker_of, write_suite
from tests.samples import records as sample

# Reserve and context take 568 MiB of it; what is left holds the tiny model and some 15 s of sound.
CARD = "589MiB"
STEP_S = 5.0

RunSummary = subprocess.CompletedProcess[str]


def search(folder: Path, home: Path, *options: str) -> RunSummary:
    """`bench frontier` with the suite in `folder`, on that card."""
    ended = bench("frontier", "--suite", "mine.toml", "--emulate-vram", CARD, *options, home=home, cwd=folder)
    assert ended.returncode == 0, ended.stderr
    return ended


def sweep(folder: Path, home: Path) -> Record:
    """The record of `bench run` over the grid with 8 tokens, on that card."""
    options = ("--clip-seconds", "5,10,15,20,25", "--max-tokens", "8", "--emulate-vram", CARD)
    ended = bench("run", "--suite", "mine.toml", *options, "--out", "swept", home=home, cwd=folder)
    assert ended.returncode == 0, ended.stderr
    return read_record(only(folder / "swept", "*.json"))


def rows(output: str) -> list[list[str]]:
    """The words of the table's lines."""
    return [line.split() for line in output.splitlines() if line.startswith(" SDPA")]


@pytest.mark.emulated
def test_a_search_finds_what_a_full_sweep_finds_and_a_second_one_runs_nothing(
    tmp_path: Path, home: Path
) -> None:
    write_suite(tmp_path, clips="[10, 90]", tokens="[8, 16]", repeats=3)
    ended = search(tmp_path, home)
    path = only(tmp_path / "results", "*.json")
    record = read_record(path)
    _says_what_it_is(path, record)
    _tells_how_it_goes(ended, tmp_path)
    again = search(tmp_path, home)
    assert again.stderr == f"starting from {path.relative_to(tmp_path)}\n"
    assert "nothing was run" in again.stdout
    assert only(tmp_path, "*.json*") == path
    assert [row[:6] for row in rows(again.stdout)] == [row[:6] for row in rows(ended.stdout)]

    (truth,) = judge(sweep(tmp_path, home)).frontier
    assert truth.longest_fit_s is not None
    assert truth.smallest_misfit_s == truth.longest_fit_s + STEP_S
    fits, fails = f"{truth.longest_fit_s:g}", f"{truth.smallest_misfit_s:g}"
    assert [row[:6] for row in rows(ended.stdout)] == [
        ["SDPA", tokens, fits, "s", fails, "s"] for tokens in ("8", "16")
    ]
    for point in judge(record).frontier:
        assert (point.longest_fit_s, point.smallest_misfit_s) == (
            truth.longest_fit_s,
            truth.smallest_misfit_s,
        )
    from_the_sweep = search(tmp_path, home, "--out", "swept", "--max-tokens", "8")
    assert "nothing was run" in from_the_sweep.stdout
    assert rows(from_the_sweep.stdout)[0][:6] == rows(ended.stdout)[0][:6]
    planned = search(tmp_path, home, "--out", "swept", "--dry-run").stdout.splitlines()
    assert planned[0] == f"sdpa, 8 tokens  known: {fits} s"
    assert planned[1].startswith(f"sdpa, 16 tokens  below {fails} s, beginning with {fits} s, at most ")


def _says_what_it_is(path: Path, record: Record) -> None:
    assert "-mine-frontier-" in path.name
    assert record.frontier_step_s == STEP_S
    assert record.provenance == "emulated"
    assert record.emulation is not None
    assert record.suite.overrides == ("repeats", "max_repeats")
    assert record.suite.definition["measure"]["repeats"] == 1  # type: ignore[index,call-overload]
    measured = [cell for cell in record.cells if cell.outcome.status == "measured"]
    assert {len(cell.repeats) for cell in measured} == {1}
    # The same clip with more tokens needs more: it was not tried, and the record says so.
    last = record.cells[-1]
    assert (last.requested.max_tokens, last.outcome.status) == (16, "skipped")
    assert "with 8 tokens, did not fit" in last.model_dump()["outcome"]["reason"]


def _tells_how_it_goes(ended: RunSummary, folder: Path) -> None:
    assert "probe 1: 10 s, 8 tokens, sdpa: " in ended.stderr
    assert "probe 2, above 10 s: 20 s, 8 tokens, sdpa: out of memory: " in ended.stderr
    assert "probe 3, between 10 s and 20 s: 15 s, 8 tokens, sdpa: " in ended.stderr
    assert "skipped: " in ended.stderr.splitlines()[-1]
    assert "(needed)" in ended.stdout
    record, report = ended.stdout.splitlines()[-2:]
    assert (folder / record.split()[1]).is_file()
    page = (folder / report.split()[1]).read_text(encoding="utf-8")
    assert "bench frontier --suite path/to/mine.toml --device cpu --emulate-vram" in page
    assert "--repeats" not in page
    assert "chosen to find the limit, to 5 s" in page


@pytest.mark.emulated
@NEEDS_SIGNALS
def test_an_interrupted_search_leaves_a_record_that_the_next_one_starts_from(
    tmp_path: Path, home: Path
) -> None:
    write_suite(tmp_path, clips="[10, 90]", tokens="[40]", repeats=1)
    command = ("frontier", "--suite", "mine.toml", "--emulate-vram", CARD)
    with started(*command, home=home, cwd=tmp_path) as process:
        wait_for_line(process, "probe 1: 10 s, 40 tokens, sdpa: .*tok/s")
        worker = worker_of(process)
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=30)
    assert process.returncode == 130
    assert not worker.is_running()
    assert "the same command goes on from this record" in output
    assert rows(output)[0][:6] == ["SDPA", "40", "10", "s", "or", "more"]
    path = only(tmp_path / "results", "*.json")
    asked = read_record(path).cells[0].requested
    assert (asked.clip_seconds, asked.max_tokens) == (10, 40)
    planned = search(tmp_path, home, "--dry-run")
    assert planned.stderr == f"starting from {path.relative_to(tmp_path)}\n"
    assert planned.stdout.startswith("sdpa, 40 tokens  above 10 s, beginning with 20 s, at most ")


def test_the_journal_of_a_killed_search_becomes_a_record(say: Say, tmp_path: Path) -> None:
    unlike = {"cells", "schema_version", "content_hash", "derivation"}
    fields = sample.smoke().model_dump(mode="json", exclude=unlike)
    header = Header.model_validate({**fields, "plan": (), "frontier_step_s": STEP_S})
    done = sample.smoke().cells[:2]
    Journal.create(tmp_path / "a.journal.jsonl", Progress(header, done)).close()
    for _ in ("sealed now", "sealed before"):
        said = say("run", "--resume", "a.journal.jsonl")
        assert (said.code, said.err) == (0, "")
        assert "give its `bench frontier` command again" in said.out
        assert read_record(tmp_path / "a.json").cells == done
    assert not (tmp_path / "a.journal.jsonl").exists()


def test_without_a_card_flash_attention_is_said_to_be_unsupported(say: Say) -> None:
    said = say("frontier", "--suite", "smoke", "--dry-run")
    assert said.code == 0
    assert "flash_attention_2, 16 tokens  unsupported: FlashAttention 2 needs an NVIDIA GPU" in said.out
    assert said.out.splitlines()[-1].startswith("4 limits on ")


def test_the_length_of_the_clip_is_what_is_looked_for(say: Say) -> None:
    said = say("frontier", "--clip-seconds", "10")
    assert said.code == 2
    assert "--clip-seconds" in said.line()


def test_a_card_that_is_not_here(say: Say) -> None:
    assert say("frontier", "--gpu", "rtx-4070").code == 3


@pytest.mark.parametrize("text", ["4", "3601", "60s", "nan", "inf", "-5", "9" * 5000])
def test_the_longest_clip_to_try_is_a_length_that_the_search_can_try(say: Say, text: str) -> None:
    said = say("frontier", "--max-clip", text)
    assert said.code == 2
    assert "is not between 5 and 3600 seconds" in said.line()


@pytest.mark.emulated
def test_a_search_ends_where_it_was_asked_to_and_remembers_what_timed_out(
    stand_ins: dict[str, str], home: Path, tmp_path: Path
) -> None:
    write_suite(tmp_path, clips="[10]", tokens="[8]", engine=NAME)

    def frontier(*options: str) -> RunSummary:
        command = ("frontier", "--suite", "mine.toml", "--device", "cpu", *options)
        return bench(*command, home=home, cwd=tmp_path, env=stand_ins)

    planned = frontier("--max-clip", "5", "--dry-run")
    assert planned.stdout.splitlines()[-1].startswith("1 limit on ")
    assert planned.stdout.splitlines()[-1].endswith(": at most 1 probe")
    first = frontier("--max-clip", "22")
    assert first.returncode == 0, first.stderr
    assert "Memory there" not in first.stdout  # nothing is known of it
    assert rows(first.stdout) == [["SDPA", "8", "20", "s", "or", "more", "none", "tried", "2"]]
    record = read_record(only(tmp_path, "*.json"))
    wanted = record.cells[0].requested.model_copy(update={"clip_seconds": 40.0})
    late = TimeLimitPassed(limit_s=60, during=WorkerStep(name="cold"))
    ended = CellResult(cell_id=cell_id(wanted), requested=wanted, outcome=outcomes.timeout(late))
    progress = read_progress(only(tmp_path, "*.json"))
    Journal.create(only(tmp_path, "*.json").with_name("b.journal.jsonl"), Progress(progress.header, (ended,)))
    second = frontier()
    assert second.returncode == 0, second.stderr
    assert "nothing was run" in second.stdout
    assert rows(second.stdout) == [
        ["SDPA", "8", "20", "s", "or", "more", "unknown", "from", "40", "s", "on", "0"]
    ]
    assert "because that probe timed out: not finished after 60 s (during cold)" in second.stdout
    assert "--retry-failed tries it again" in second.stdout
    third = frontier("--retry-failed", "--max-clip", "40")
    assert third.returncode == 0, third.stderr
    assert rows(third.stdout)[0][:8] == ["SDPA", "8", "40", "s", "or", "more", "none", "tried"]
    fourth = frontier("--retry-failed", "--max-clip", "20")
    assert fourth.returncode == 0, fourth.stderr
    assert "no clip up to 20 s is left to try: nothing was run" in fourth.stdout
    assert "every limit is known" not in fourth.stdout


def test_a_time_budget_without_a_finished_probe_leaves_no_record(
    stand_ins: dict[str, str], home: Path, tmp_path: Path
) -> None:
    write_suite(tmp_path, clips="[10]", tokens="[200]", engine=PACED)
    command = ("frontier", "--suite", "mine.toml", "--device", "cpu", "--time-budget", "0.01s")
    ended = bench(*command, home=home, cwd=tmp_path, env=stand_ins)
    assert ended.returncode == 0, ended.stderr
    assert "no probe had ended at twice the time budget: give a longer one" in ended.stdout
    used_up = "the time budget of 10.0 ms was used up"
    assert f"probe 1: 10 s, 200 tokens, sdpa: not run: {used_up}\n" in ended.stderr
    assert not list(tmp_path.rglob("*.json*"))
