"""`bench run` from outside: what it prints, what it leaves, and how it is finished."""

import json
import os
import platform
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from bench import shipped
from bench.audio import clips
from bench.hardware.device import the_cpu
from bench.store.journal import read_progress
from bench.store.lock import JournalLock
from bench.store.naming import lock_of, owner_of
from bench.store.record_files import read_record
from tests.cli.conftest import Say, journal_of
from tests.cli.test_prompts import Terminal
from tests.engines.stand_in import NAME, PACED, READING
from tests.hub_server import serve, sha256
from tests.run.processes import NEEDS_SHELL, NEEDS_SIGNALS, bench, environment, only, started, write_suite

Run = tuple[Path, str, str]
SPEECH = shipped.data("speech", "alice.flac")


def _record(run: Run) -> Path:
    return only(run[0] / "results", "*.json")


def test_a_smoke_run_says_so_and_names_what_it_wrote(finished_run: Run) -> None:
    folder, output, _ = finished_run
    record = read_record(_record(finished_run))
    assert (record.provenance, record.model.weight_mode) == ("smoke", "tiny")
    assert "smoke run, tiny model, random weights" in output
    named = dict(re.findall(r"^(record|report)  (.+)$", output, re.MULTILINE))
    assert (folder / named["record"]).is_file()
    assert "<html" in (folder / named["report"]).read_text(encoding="utf-8")


def test_a_pipe_gets_plain_lines(finished_run: Run) -> None:
    _, output, errors = finished_run
    assert "\x1b" not in output + errors
    assert "\r" not in output + errors
    assert re.search(
        r"^\[1/8\] 1 s, 8 tokens, sdpa: [\d.,]+ tok/s, first token .*, resident peak", errors, re.M
    )
    assert "[8/8] 2 s, 16 tokens, flash_attention_2: unsupported: FlashAttention 2 needs" in errors
    kernels = "attention kernels of the language model: sdpa runs torch's fused kernel for the CPU\n"
    assert errors.index(kernels) < errors.index("[1/8]")


def test_a_dry_run_names_the_cells_of_the_real_one_and_writes_nothing(
    say: Say, finished_run: Run, tmp_path: Path
) -> None:
    said = say("run", "--suite", str(finished_run[0] / "mine.toml"), "--device", "cpu", "--dry-run")
    assert (said.code, said.err) == (0, "")
    *cells, unsupported, total = said.out.splitlines()
    assert [line.split()[0] for line in cells] == [
        cell.cell_id for cell in read_record(_record(finished_run)).cells
    ]
    assert re.match(r"8 cells of mine on .* with tiny weights: about [\d.]+ s", total)
    assert "about" in cells[0]
    assert cells[-1].endswith("flash_attention_2  unsupported")
    assert unsupported == "4 cells unsupported: FlashAttention 2 needs an NVIDIA GPU; this is a CPU"
    assert not list(tmp_path.rglob("*"))


def test_a_finished_record_has_nothing_left_to_run(say: Say, finished_run: Run) -> None:
    before = _record(finished_run).read_bytes()
    said = say("run", "--resume", str(_record(finished_run)))
    assert (said.code, said.err) == (0, "")
    assert "is finished: every cell has an outcome" in said.out
    assert _record(finished_run).read_bytes() == before


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"schema_version": "1.1"', '"schema_version": "2.0"', "schema version '2.0' is not '1.0' or"),
        ('"tiny"', '"huge"', "content_hash does not match. The file was changed"),
        ("{", "[{", "not valid JSON"),
    ],
)
def test_records_that_cannot_be_used(
    say: Say, finished_run: Run, tmp_path: Path, old: str, new: str, told: str
) -> None:
    text = _record(finished_run).read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "other.json").write_text(text.replace(old, new), encoding="utf-8")
    for command in (["run", "--resume", "other.json"], ["report", "other.json"]):
        said = say(*command)
        assert said.code == 2
        assert "other.json: " in said.line()
        assert told in said.line()


def test_what_a_record_does_not_hold_has_to_be_given_again(
    say: Say, finished_run: Run, tmp_path: Path
) -> None:
    journal = journal_of(_record(finished_run), tmp_path)
    said = say("run", "--resume", str(journal))
    assert said.code == 2
    assert "its suite was a file of your own. Give --suite FILE again to resume it" in said.line()
    journal.write_text(journal.read_text().replace(shipped.SPEECH_SHA256, "0" * 64))
    said = say("run", "--resume", str(journal), "--suite", str(finished_run[0] / "mine.toml"))
    assert said.code == 2
    assert "its clip was a file of your own. Give --audio FILE again to resume it" in said.line()


def test_resume_refuses_what_changed_and_says_which(say: Say, finished_run: Run, tmp_path: Path) -> None:
    journal = journal_of(_record(finished_run), tmp_path)
    header = json.loads(journal.read_text(encoding="utf-8"))
    header["environment"] |= {"torch": "2.9.1", "bench_version": "0.0.1"}
    header["suite"] |= {"sha256": "0" * 64}
    header["device"] |= {"name": "NVIDIA GeForce RTX 4070"}
    journal.write_text(json.dumps(header) + "\n", encoding="utf-8")
    said = say("run", "--suite", str(finished_run[0] / "mine.toml"), "--resume", str(journal))
    assert said.code == 2
    for named in ("torch (2.9.1 -> ", "bench (0.0.1 -> ", "the suite", "the device"):
        assert named in said.line()
    assert "transformers" not in said.err


def test_an_unfinished_run_is_pointed_to(say: Say, finished_run: Run, tmp_path: Path) -> None:
    """One line before the new run starts, which fails here for want of weights: no worker is needed."""
    (tmp_path / "my-model").mkdir()
    (tmp_path / "my-model" / "config.json").write_text('{"model_type": "moss_audio"}')
    folder = tmp_path / "results" / "my-model" / the_cpu().slug
    folder.mkdir(parents=True)
    journal = journal_of(_record(finished_run), folder)
    (folder / journal.name.replace("-mine-", "-not-mine-")).touch()
    shipped = journal.read_text(encoding="utf-8").replace('"origin": "own"', '"origin": "shipped"')
    (folder / "29990101T000000Z-mine-1f2e3d4c5b6a.journal.jsonl").write_text(shipped, encoding="utf-8")
    lock_of(journal).touch()
    owner_of(journal).write_text("1\n")  # a run that was killed leaves both; the number is another's by now
    suite = str(finished_run[0] / "mine.toml")
    said = say("run", "--suite", suite, "--device", "cpu", "--model", "my-model", "--no-prune")
    hint, remedy, error = said.err.splitlines()
    assert remedy == "to remove what it left: --discard-unfinished"
    assert hint == (
        "an earlier run was cut short; to finish it instead: bench run --resume "
        f"{journal.relative_to(tmp_path)} --suite {suite} --device cpu "
        f"--model {tmp_path / 'my-model'} --no-prune"
    )
    assert "no safetensors weights" in error
    journal.unlink()
    assert "cut short" not in say("run", "--suite", suite, "--device", "cpu", "--model", "my-model").err


def test_what_was_left_is_shown_then_removed_then_the_run_begins(
    say: Say, finished_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A person is asked where results are lost; the run then fails for want of weights."""
    (tmp_path / "my-model").mkdir()
    (tmp_path / "my-model" / "config.json").write_text('{"model_type": "moss_audio"}')
    folder = tmp_path / "results" / "my-model" / the_cpu().slug
    folder.mkdir(parents=True)
    journal = journal_of(_record(finished_run), folder, done=3)
    other = folder / journal.name.replace("-mine-", "-not-mine-")
    other.touch()
    living, empty = (folder / f"20200101T00000{n}Z-mine-1f2e3d4c5b6a.journal.jsonl" for n in (1, 2))
    living.touch()
    empty.touch()
    suite = str(finished_run[0] / "mine.toml")
    run = ("run", "--suite", suite, "--device", "cpu", "--model", "my-model", "--discard-unfinished")
    with JournalLock.take(living):
        monkeypatch.setattr("sys.stdin", Terminal("n\n"))
        said = say(*run)
        assert said.code == 2
        assert said.err.splitlines()[-1] == (
            "Remove 2 journals with 3 results? [y/N]: "  # the answer's line break is the terminal's
            "bench: nothing was removed, and nothing ran. "
            "To keep the journals, leave --discard-unfinished out"
        )
        assert journal.exists()
        assert empty.exists()
        said = say(*run, "--yes")
        assert living.exists(), "a living run"
    begun = read_record(_record(finished_run)).created_at
    shown, *removed, error = said.err.splitlines()[1:]
    assert shown == (
        f"unfinished: {journal.relative_to(tmp_path)}: 3 of 8 cells done, begun {begun:%Y-%m-%d %H:%M} UTC"
    )
    assert removed == [f"removed {path.relative_to(tmp_path)}" for path in (empty, journal)]
    assert "no safetensors weights" in error
    assert sorted(folder.iterdir()) == [living, other]


@NEEDS_SHELL
def test_a_disk_that_fills_up_at_the_last_moment_names_the_command_that_seals(
    say: Say, finished_run: Run, tmp_path: Path, home: Path
) -> None:
    """All cells are in the journal, and the record does not fit."""
    journal = journal_of(_record(finished_run), tmp_path, done=8).relative_to(tmp_path)
    ended = subprocess.run(
        ["bash", "-c", f"ulimit -f 8; exec {sys.executable} -m bench run --resume {journal} --out results"],
        env=environment(home),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (3, "")
    command = f"bench run --resume {journal} --out results"
    assert ended.stderr.endswith(f".json: cannot be written (File too large). Free space, then: {command}\n")
    assert [path.name for path in tmp_path.iterdir()] == [journal.name]
    assert say(*command.split()[1:]).code == 0
    assert read_record(tmp_path / _record(finished_run).name) == read_record(_record(finished_run))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--retry-failed", "--retry-failed needs --resume. Add --resume RECORD"),
        (
            "--resume x.json --discard-unfinished",
            "--discard-unfinished and --resume exclude each other. Leave one",
        ),
    ],
)
def test_options_that_need_or_exclude_resume(options: str, message: str, say: Say) -> None:
    said = say("run", *options.split())
    assert said.code == 2
    assert message in said.line()


def test_ones_own_weights_and_clip_and_no_word_of_where_they_lie(
    checkpoint: Path, home: Path, tmp_path: Path
) -> None:
    """A failed cell has the end of its traceback in the record; that is where names would slip in."""
    private = tmp_path / "home-of-quirinius"
    model = private / "models" / "my-model"
    model.parent.mkdir(parents=True)
    checkpoint.rename(model)
    clip = private / "dictation.flac"
    clip.write_bytes(SPEECH.read_bytes())
    suite = write_suite(private, tokens="[8]")
    own = {"HOME": str(private), "USER": "quirinius", "LOGNAME": "quirinius"}
    cpu = ("--device", "cpu")
    arguments = ("run", "--suite", str(suite), *cpu, "--model", str(model), "--audio", str(clip))

    (model / "tokenizer.json").write_text('{"model": {"type": "quirinius"}}')
    ended = bench(*arguments, home=home, cwd=private, env=own)
    assert ended.returncode == 4, ended.stderr
    record = read_record(only(private / "results", "*.json"))
    assert (record.provenance, record.model.weight_mode) == ("measured", "local")
    assert record.model.name == "my-model"
    assert {file.name: file.sha256 for file in record.model.files}["model.safetensors"] == sha256(
        (model / "model.safetensors").read_bytes()
    )
    (cell,) = record.cells
    assert cell.requested.clip_source_sha256 == clips.read_audio(clip).sha256
    assert cell.outcome.status == "failed"
    assert any("tokenizer" in line for line in cell.outcome.error_tail)
    text = only(private / "results", "*.json").read_text(encoding="utf-8")
    for word in ("quirinius", "dictation", str(tmp_path), str(Path.home()), platform.node()):
        assert word not in text


def test_a_download_asks_first_and_is_in_the_record(
    checkpoint: Path, stand_ins: dict[str, str], home: Path, tmp_path: Path
) -> None:
    suite = write_suite(tmp_path, tokens="[8]", engine=READING)
    files = {path.name: path.read_bytes() for path in checkpoint.iterdir()}
    arguments = ("run", "--suite", str(suite), "--device", "cpu", "--model", "some-owner/moss-tiny")
    with serve() as hub:
        commit = hub.repos["some-owner/moss-tiny"].commit(files)
        hub_only = {"HF_ENDPOINT": hub.endpoint, "HF_HOME": str(tmp_path / "hf"), "HF_HUB_OFFLINE": "0"}
        own = stand_ins | hub_only
        dry = bench(*arguments, "--dry-run", home=home, cwd=tmp_path, env=own)
        assert (dry.returncode, dry.stderr.count("\n")) == (0, 1)
        assert re.match(r"a run downloads 0\.01 GB \(0\.01 GiB\) of some-owner/moss-tiny to ", dry.stderr)
        gone = (*arguments[:-1], "some-owner/moss-tinny", "--dry-run")
        refused = bench(*gone, home=home, cwd=tmp_path, env=own)
        assert (refused.returncode, refused.stdout) == (3, "")
        assert "There is no repository some-owner/moss-tinny" in refused.stderr
        unasked = bench(*arguments, home=home, cwd=tmp_path, env=own)
        assert unasked.returncode == 2
        (line,) = unasked.stderr.splitlines()
        assert re.match(
            r"bench: some-owner/moss-tiny has to be downloaded \(0\.01 GB \(0\.01 GiB\) to ", line
        )
        assert "Add --yes" in line
        assert not hub.contents()

        loaded = bench(*arguments, "--yes", home=home, cwd=tmp_path, env=own)
    assert loaded.returncode == 0, loaded.stderr
    model = read_record(only(tmp_path / "results", "*.json")).model
    assert (model.weight_mode, model.repo, model.revision) == ("hub", "some-owner/moss-tiny", commit)
    assert {file.name: file.sha256 for file in model.files} == {
        name: sha256(content) for name, content in files.items()
    }


def test_without_a_network_there_are_other_ways(home: Path, tmp_path: Path) -> None:
    ended = bench("run", "--suite", "quick", "--device", "cpu", "--yes", home=home, cwd=tmp_path)
    assert (ended.returncode, ended.stdout) == (3, "")
    (line,) = ended.stderr.splitlines()
    assert "The Hub cannot be reached" in line
    assert "--model DIR" in line
    assert "--weights random" in line

    dry = bench("run", "--suite", "quick", "--device", "cpu", "--dry-run", home=home, cwd=tmp_path)
    (note,) = dry.stderr.splitlines()
    assert (dry.returncode, note) == (0, line.replace("bench:", "a run needs the Hub:"))


@pytest.mark.skipif(sys.platform != "linux", reason="file names are Unicode")
def test_any_file_name_is_good_in_any_locale(stand_ins: dict[str, str], home: Path, tmp_path: Path) -> None:
    """Suite, clip and results have a name that is no UTF-8; the record is named by it again."""
    folder = tmp_path / os.fsdecode(b"J\xfcrgen")
    folder.mkdir()
    suite = write_suite(folder, tokens="[8]", engine=NAME)
    clip = folder / os.fsdecode(b"J\xfcrgen.flac")
    clip.write_bytes(SPEECH.read_bytes())
    locale = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "latin-1"}

    def ended(*arguments: str | Path) -> tuple[int, str]:
        command: list[str | bytes] = [sys.executable, "-m", "bench", *map(os.fsencode, arguments)]
        where = environment(home) | stand_ins | locale
        run = subprocess.run(command, env=where, cwd=tmp_path, capture_output=True, check=False)
        return run.returncode, run.stderr.decode("latin-1")

    code, errors = ended("run", "--suite", suite, "--audio", clip, "--out", folder)
    assert code == 0, errors
    assert ended("run", "--resume", only(folder, "*-mine-*.json")) == (0, "")


@NEEDS_SHELL
def test_a_disk_that_fills_up_keeps_what_is_done(
    stand_ins: dict[str, str], home: Path, tmp_path: Path
) -> None:
    suite = write_suite(tmp_path, engine=NAME)
    ended = subprocess.run(
        ["bash", "-c", f"ulimit -f 12; exec {sys.executable} -m bench run --suite {suite}"],
        env=environment(home) | stand_ins,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 3, ended.stderr
    journal = only(tmp_path / "results", "*.journal.jsonl")
    (line,) = [line for line in ended.stderr.splitlines() if not line.startswith("[")]
    assert line.endswith(
        "cannot be written (File too large). Free space, then: "
        f"bench run --resume {journal.relative_to(tmp_path)} --suite {suite}"
    )
    done = read_progress(journal).done
    assert 1 <= len(done) < 4
    assert {cell.outcome.status for cell in done} == {"measured"}


@NEEDS_SIGNALS
def test_a_signal_before_the_first_cell_leaves_nothing(home: Path, tmp_path: Path) -> None:
    suite = write_suite(tmp_path)
    with started("run", "--suite", str(suite), home=home, cwd=tmp_path) as process:
        parent = psutil.Process(process.pid)
        while not (workers := parent.children()):
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=30)
    assert (process.returncode, output) == (130, "")
    assert errors == "bench: stopped before the first cell; run the same command again\n"
    assert not workers[0].is_running()
    assert not list((tmp_path / "results").rglob("*.json*"))


def test_nobody_reads_and_record_and_report_are_written_all_the_same(
    stand_ins: dict[str, str], home: Path, tmp_path: Path
) -> None:
    """As in `bench run | head -1`, with the reader gone from the start."""
    suite = write_suite(tmp_path, tokens="[8]", engine=NAME)
    reader, writer = os.pipe()
    os.close(reader)
    ended = subprocess.run(
        [sys.executable, "-m", "bench", "run", "--suite", str(suite)],
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(home) | stand_ins,
        cwd=tmp_path,
        check=False,
    )
    os.close(writer)
    assert ended.returncode == 0
    assert all(line.startswith("[1/1] ") for line in ended.stderr.splitlines())
    assert only(tmp_path / "results", "*.json").stem == only(tmp_path / "reports", "*.html").stem


def test_the_record_is_plain_json(finished_run: Run) -> None:
    document = json.loads(
        _record(finished_run).read_text(encoding="utf-8"), parse_constant=lambda text: 1 / 0
    )
    assert document["schema_version"] == "1.1"


@pytest.mark.emulated
def test_a_time_budget_skips_what_is_left_and_a_resumed_run_runs_it(
    stand_ins: dict[str, str], home: Path, tmp_path: Path
) -> None:
    write_suite(tmp_path, tokens="[100, 150, 200, 250]", engine=PACED)
    options = ("--suite", "mine.toml", "--device", "cpu")
    ended = bench("run", *options, "--time-budget", "0.01s", home=home, cwd=tmp_path, env=stand_ins)
    assert ended.returncode == 0, ended.stderr
    assert "the time budget of 10.0 ms is used; 4 cells left: no cell had ended at twice" in ended.stdout
    assert "give a longer one; finish the run with" in ended.stdout
    path = only(tmp_path / "results", "*.json")
    outcomes = [cell.outcome.model_dump(mode="json") for cell in read_record(path).cells]
    assert {outcome["reason_code"]["code"] for outcome in outcomes} == {"time_budget_used"}
    command = ended.stdout.splitlines()[-1].split()
    assert command[:3] == ["bench", "run", "--resume"]
    assert command[-2:] == ["--time-budget", "0.01s"]
    resumed = bench(*command[1:-1], "10m", home=home, cwd=tmp_path, env=stand_ins)
    assert resumed.returncode == 0, resumed.stderr
    assert "time budget" not in resumed.stdout
    assert {cell.outcome.status for cell in read_record(path).cells} == {"measured"}


@pytest.mark.parametrize("text", ["90", "soon", "-1s"])
def test_a_time_budget_needs_a_unit(say: Say, text: str) -> None:
    said = say("run", "--time-budget", text)
    assert said.code == 2
    assert "--time-budget: " in said.line()
    assert "write 90s, 10m or 1h" in said.line()
