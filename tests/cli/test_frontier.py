"""`bench frontier` as a person meets it: real processes, on a card that is played on the CPU."""

import signal
import subprocess
from pathlib import Path

import pytest

from bench.judge.frontier import frontier
from bench.records.schema import CellResult, Record
from bench.records.store import read_record, seal, write_record
from tests.cli.conftest import Say
from tests.run.processes import bench, only, started, wait_for_line, worker_of, write_suite

# Reserve and context take 862 MiB of it; what is left holds the tiny model and some 15 s of sound.
CARD = "883MiB"
STEP_S = 5.0

Ended = subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a suite whose clips begin at 10 s."""
    folder = tmp_path_factory.mktemp("frontier")
    write_suite(folder, clips="[10, 90]", tokens="[8, 16]", repeats=3)
    return folder


@pytest.fixture(scope="module")
def swept(folder: Path, home: Path) -> Record:
    """A full sweep of the grid on that card."""
    options = (
        "--clip-seconds",
        "5,10,15,20,25",
        "--max-tokens",
        "8",
        "--emulate-vram",
        CARD,
        "--repeats",
        "1",
    )
    ended = bench("run", "--suite", "mine.toml", *options, "--out", "swept", home=home, cwd=folder)
    assert ended.returncode == 0, ended.stderr
    return read_record(only(folder / "swept", "*.json"))


@pytest.fixture(scope="module")
def searched(folder: Path, home: Path) -> Ended:
    """A search on that card that knows nothing."""
    return search(folder, home)


def search(folder: Path, home: Path, *options: str) -> Ended:
    return bench("frontier", "--suite", "mine.toml", "--emulate-vram", CARD, *options, home=home, cwd=folder)


def shapes(record: Record) -> list[tuple[float, int, str]]:
    asked = [(cell.requested, cell.outcome.status) for cell in record.cells]
    return [(requested.clip_seconds, requested.max_tokens, status) for requested, status in asked]


def rows(output: str) -> list[list[str]]:
    """The cells of the table's lines."""
    return [line.split() for line in output.splitlines() if line.startswith(" SDPA")]


def test_it_finds_what_a_full_sweep_finds(folder: Path, swept: Record, searched: Ended) -> None:
    assert searched.returncode == 0, searched.stderr
    (truth,) = frontier(swept.cells)
    assert truth.longest_fit_s is not None
    assert truth.smallest_misfit_s == truth.longest_fit_s + STEP_S
    record = read_record(only(folder / "results", "*.json"))
    for point in frontier(record.cells):
        assert point.longest_fit_s == truth.longest_fit_s
        assert point.smallest_misfit_s == truth.smallest_misfit_s
    fits, fails = f"{truth.longest_fit_s:g}", f"{truth.smallest_misfit_s:g}"
    assert [row[:6] for row in rows(searched.stdout)] == [
        ["SDPA", tokens, fits, "s", fails, "s"] for tokens in ("8", "16")
    ]


def test_its_record_says_what_it_is(folder: Path, searched: Ended) -> None:
    path = only(folder / "results", "*.json")
    record = read_record(path)
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
    assert "with 8 tokens did not fit already" in last.model_dump()["outcome"]["reason"]


def test_what_it_prints_while_it_goes_on_and_at_its_end(folder: Path, searched: Ended) -> None:
    first, *_, last = [line for line in searched.stderr.splitlines() if "loading" not in line]
    assert first.startswith("probe 1: 10 s, 8 tokens, sdpa: ")
    assert "probe 2, above 10 s: 20 s, 8 tokens, sdpa: out of memory: " in searched.stderr
    assert "probe 3, between 10 s and 20 s: 15 s, 8 tokens, sdpa: " in searched.stderr
    assert "skipped: " in last
    assert "(needed)" in searched.stdout
    record, report = searched.stdout.splitlines()[-2:]
    assert (folder / record.split()[1]).is_file()
    page = (folder / report.split()[1]).read_text(encoding="utf-8")
    assert "bench frontier --suite mine --device cpu --emulate-vram" in page
    assert "--repeats" not in page


def test_a_second_search_starts_from_the_first_and_runs_nothing(
    folder: Path, home: Path, searched: Ended
) -> None:
    before = sorted(folder.rglob("results/**/*.json"))
    again = search(folder, home)
    assert again.returncode == 0, again.stderr
    assert sorted(folder.rglob("results/**/*.json")) == before
    assert not list(folder.rglob("*.journal.jsonl"))
    (path,) = before
    assert again.stderr == f"starting from {path.relative_to(folder)}\n"
    assert "nothing was run" in again.stdout
    found, known = rows(searched.stdout), rows(again.stdout)
    assert [row[:6] for row in found] == [row[:6] for row in known]


def test_the_limit_of_a_run_counts_as_it_is(folder: Path, home: Path, swept: Record) -> None:
    ended = search(folder, home, "--out", "swept", "--max-tokens", "8")
    assert ended.returncode == 0, ended.stderr
    assert "nothing was run" in ended.stdout
    (point,) = frontier(swept.cells)
    assert rows(ended.stdout)[0][2] == f"{point.longest_fit_s:g}"


def partly(record: Record, out: Path, *clips: float) -> None:
    """The same run, had its suite had these clips only."""
    cells: tuple[CellResult, ...] = tuple(
        cell for cell in record.cells if cell.requested.clip_seconds in clips
    )
    fields = record.model_copy(update={"cells": cells}).model_dump(mode="json")
    path = out / record.model.name / record.device.slug / "20260101T000000Z-mine-a1b2c3d4e5f6.json"
    write_record(seal(fields), path)


def test_a_search_starts_from_the_cells_of_a_run(
    folder: Path, tmp_path: Path, home: Path, swept: Record
) -> None:
    (truth,) = frontier(swept.cells)
    assert truth.smallest_misfit_s is not None
    partly(swept, tmp_path, 5, truth.smallest_misfit_s)
    options = ("--out", str(tmp_path), "--max-tokens", "8")
    planned = search(folder, home, *options, "--dry-run")
    between = f"sdpa, 8 tokens  between 5 s and {truth.smallest_misfit_s:g} s"
    assert planned.stdout.startswith(f"{between}, beginning with 10 s, at most 2 probes\n")
    ended = search(folder, home, *options)
    assert ended.returncode == 0, ended.stderr
    new = read_record(only(tmp_path, "*-frontier-*.json"))
    assert shapes(new) == [(10, 8, "measured"), (15, 8, "measured")]
    assert rows(ended.stdout)[0][2] == f"{truth.longest_fit_s:g}"


def test_an_interrupted_search_leaves_a_record_that_the_next_one_starts_from(
    folder: Path, tmp_path: Path, home: Path
) -> None:
    options = ("--suite", str(folder / "mine.toml"), "--emulate-vram", CARD)
    with started("frontier", *options, home=home, cwd=tmp_path) as process:
        wait_for_line(process, "probe 1: 10 s.*tok/s")
        worker = worker_of(process)
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=30)
    assert process.returncode == 130
    assert not worker.is_running()
    assert "the same command goes on" in output
    assert "10 s or more" in output
    record = read_record(only(tmp_path / "results", "*.json"))
    assert shapes(record)[0] == (10, 8, "measured")
    planned = bench("frontier", *options, "--dry-run", home=home, cwd=tmp_path)
    assert "sdpa, 8 tokens  above 10 s, beginning with 20 s" in planned.stdout


def test_the_journal_of_a_killed_search_becomes_a_record(
    folder: Path, tmp_path: Path, home: Path, searched: Ended
) -> None:
    from tests.cli.conftest import journal_of

    whole = only(folder / "results", "*.json")
    journal = journal_of(whole, tmp_path, done=2)
    sealed = bench("run", "--resume", str(journal), home=home, cwd=tmp_path)
    assert sealed.returncode == 0, sealed.stderr
    assert "give its `bench frontier` command again" in sealed.stdout
    assert not journal.exists()
    assert bench("run", "--resume", str(whole), home=home, cwd=tmp_path).returncode == 0


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
