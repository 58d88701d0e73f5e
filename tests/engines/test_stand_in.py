"""A whole suite with an engine that shares nothing with torch, from `bench run` to the pages."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import jsonschema
import pytest

from bench import shipped
from bench.records.cell import Measured
from bench.records.record import SCHEMA_VERSION, Record
from bench.store.record_files import read_record
from tests.engines.stand_in import GREETING, NAME, announce
from tests.run.processes import bench, only, write_suite

ROOT = Path(__file__).parents[2]
CLIP = shipped.data("speech", "alice.flac")
Run = Callable[..., "CompletedProcess[str]"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where everything happens; `once` and `again` hold the results of two runs."""
    return tmp_path_factory.mktemp("stand-in")


@pytest.fixture(scope="module")
def run(folder: Path) -> Run:
    """`bench` in an environment in which the engine is installed, and torch cannot be imported."""
    announce(folder / "installed", NAME)
    (folder / "installed" / "torch.py").write_text("raise ImportError('no torch here')", encoding="utf-8")
    path = os.pathsep.join(map(str, (folder / "installed", ROOT)))

    def call(*arguments: str) -> "CompletedProcess[str]":
        return bench(*arguments, home=folder, cwd=folder, env={"PYTHONPATH": path})

    return call


@pytest.fixture(scope="module")
def records(run: Run, folder: Path) -> list[Path]:
    suite = write_suite(folder, clips="[1, 5]", tokens="[4, 8]", repeats=3)
    for out in ("once", "again"):
        model = ("--model", "MOSS-Audio-4B-Instruct", "--weights", "random", "--device", "cpu")
        ended = run("run", "--suite", str(suite), "--engine", NAME, *model, "--out", out)
        assert ended.returncode == 0, ended.stderr
    return [only(folder / out, "*-mine-*.json") for out in ("once", "again")]


@pytest.fixture(scope="module")
def record(records: list[Path]) -> Record:
    return read_record(records[0])


def test_every_cell_is_measured_by_the_engine_that_was_asked_for(record: Record) -> None:
    """Neither process could import torch."""
    assert [cell.outcome for cell in record.cells] == [Measured()] * 4
    assert {cell.requested.engine for cell in record.cells} == {NAME}
    assert "engine" in record.suite.overrides
    assert (record.environment.torch, record.environment.transformers) == (None, None)
    assert (record.model.parameters, record.model.weights_bytes) == (None, None)


def test_what_it_cannot_know_is_null_and_the_rest_is_there(record: Record) -> None:
    for cell in record.cells:
        assert (cell.memory, cell.memory_trace, cell.work) == (None, None, None)
        assert cell.effective is not None
        known = cell.effective.model_dump(exclude_none=True)
        assert set(known) == {"device", "sampling", "clip_sha256", "clip_samples"}
        assert cell.summary is not None
        figures = cell.summary.model_dump(exclude_none=True)
        wanted = {"time_to_first_token_s", "latency_s", "real_time_factor", "generated_tokens", "labels"}
        assert wanted <= set(figures) <= wanted | {"load_s"}
        assert {repeat.encode_s for repeat in cell.repeats} == {None}
        assert {repeat.token_times_s for repeat in cell.repeats} == {None}


def test_the_record_is_valid(records: list[Path]) -> None:
    schema = json.loads((shipped.schemas() / f"record-{SCHEMA_VERSION}.json").read_text(encoding="utf-8"))
    for path in records:
        jsonschema.Draft202012Validator(schema).validate(json.loads(path.read_text(encoding="utf-8")))


def test_every_format_of_the_report_can_be_made_of_one_and_of_both(
    run: Run, folder: Path, records: list[Path]
) -> None:
    for arguments, out in (([str(records[0])], "one"), (["once", "again"], "both")):
        ended = run("report", *arguments, "--format", "html,json,md,csv", "--out", out)
        assert ended.returncode == 0, ended.stderr
        for ending in ("html", "json", "md", "csv"):
            assert any((folder / out).rglob(f"*.{ending}")), (out, ending)
        page = only(folder / out, "[!i]*.html").read_text(encoding="utf-8")
        assert "n/a" in page
        assert "None" not in page.partition("<script")[0]


def test_the_check_document_has_times_and_no_memory(run: Run, folder: Path, records: list[Path]) -> None:
    assert run("report", str(records[0]), "--format", "json", "--out", "check").returncode == 0
    check = json.loads(only(folder / "check", "*.json").read_text(encoding="utf-8"))
    assert check["model"]["parameters"] is None
    assert check["vram"]["weights_bytes"] is None
    assert [row["status"] for row in check["rows"]] == ["measured"] * 4
    for row in check["rows"]:
        assert row["latency_s"]["value"] > 0
        assert (row["encode_s"], row["decode_tokens_per_s"], row["peak"]) == (None, None, None)


def test_two_runs_are_compared_by_what_both_know(run: Run, records: list[Path]) -> None:
    ended = run("compare", *map(str, records), "--format", "json")
    assert ended.returncode == 0, ended.stderr
    (against,) = json.loads(ended.stdout)["against"]
    assert against["reasons"] == []
    assert [cell["result"] for cell in against["cells"]] == ["compared"] * 4
    figures = set(against["overall"])
    assert {"time_to_first_token_s", "latency_s"} <= figures
    assert not {"encode_s", "decode_tokens_per_s", "allocated_peak_bytes"} & figures


def test_one_question_is_answered_as_text(run: Run) -> None:
    ended = run("infer", str(CLIP), "--engine", NAME, "--model", "tiny", "--device", "cpu")
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout == f"{GREETING}\n"


def test_a_card_is_not_emulated_by_an_engine_that_keeps_no_limit(run: Run) -> None:
    ended = run("run", "--suite", "smoke", "--engine", NAME, "--device", "cpu", "--emulate-vram", "4GiB")
    assert ended.returncode == 2
    assert f"the engine {NAME} has no memory limit" in ended.stderr


def test_an_unknown_engine_is_a_usage_error_that_lists_the_names(run: Run) -> None:
    ended = run("run", "--engine", "nothing", "--device", "cpu", "--dry-run")
    assert ended.returncode == 2
    assert "no engine 'nothing'" in ended.stderr
    assert f"native, {NAME}" in ended.stderr
