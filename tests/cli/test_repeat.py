"""The command that a report shows, run as it is shown: it makes the cells of the record."""

import json
import re
import shlex
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import pytest
import soundfile

import bench.predict.planner
import bench.run.fetch
import bench.run.frontier
import bench.run.run_spec
from bench.audio.clips import read_audio
from bench.errors import UsageError
from bench.judge.limit import Line
from bench.predict.planner import PlanRequest, plan_request
from bench.records.cell import CellResult, Skipped
from bench.records.enums import Profile
from bench.records.record import Record
from bench.report.repeat import CLIP, command
from bench.run.frontier import frontier_plan
from bench.run.run_spec import Choose, Plan, RunOptions, make_plan
from bench.store.record_files import read_record
from bench.suite.cells import Cell
from bench.suite.overrides import suite_info
from bench.suite.suite import find_suite
from tests.cli.conftest import Say
from tests.run.processes import write_suite
from tests.run.small_model import configuration
from tests.samples import records as sample

RESULTS: Final = Path(__file__).parents[2] / "results"
RECORDS: Final = {path.stem: path for path in sorted(RESULTS.rglob("*.json"))}
PLANNED: Final = {name: path for name, path in RECORDS.items() if "-plan-" in name}
RAN: Final = {name: path for name, path in RECORDS.items() if name not in PLANNED}


def words(record: Record) -> list[str]:
    """The command of a report without `bench`."""
    program, *rest = shlex.split(command(record)[0])
    assert program == "bench"
    return rest


def ids(record: Record) -> set[str]:
    return {cell.cell_id for cell in record.cells}


def is_shipped(record: Record) -> bool:
    """Whether its prediction is in the shipped table, so that it takes no time."""
    system = None if record.derivation is None else record.derivation.system
    profiles = {cell.requested.profile for cell in record.cells}
    return system is not None and system.os == "linux" and profiles == {Profile.FAITHFUL}


def printed_ids(text: str) -> set[str]:
    """The ids that `bench run --dry-run` prints."""
    return set(re.findall(r"^([0-9a-f]{16})  ", text, flags=re.MULTILINE))


def planned_ids(text: str) -> set[str]:
    """The ids of the JSON of `bench plan`."""
    return {cell["cell_id"] for cell in json.loads(text)["cells"]}


def put_suite(folder: Path, name: str) -> str:
    """A suite of that name, as a file of its own."""
    text = write_suite(folder, clips="[4]", tokens="[8]").read_text(encoding="utf-8")
    path = folder / "files" / f"{name}.toml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text.replace('"mine"', f'"{name}"'), encoding="utf-8")
    return str(path)


def put_files(folder: Path) -> None:
    """Put each file where the placeholders of the commands are."""
    there = folder / Path(CLIP).parent
    there.mkdir(parents=True)
    for name in ("mine", "quick"):
        shutil.copy(put_suite(folder, name), there)
    if (folder / "small").is_dir():
        shutil.copytree(folder / "small", there / "small")
    if (folder / "noise.wav").is_file():
        shutil.copy(folder / "noise.wav", folder / CLIP)


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    """Paths of files that a record does not contain, by the word that stands for them below."""
    soundfile.write(tmp_path / "noise.wav", np.linspace(-0.5, 0.5, 16_000, dtype=np.float32), 16_000)
    return {
        "MINE": put_suite(tmp_path, "mine"),
        "QUICK": put_suite(tmp_path, "quick"),
        "SMALL": str(configuration(tmp_path)),
        "NOISE": str(tmp_path / "noise.wav"),
    }


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench.run.fetch, "check", lambda _origin, _note: None)


# --- released records -------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PLANNED.values(), ids=str)
def test_a_released_prediction_is_repeated(path: Path, say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    record = read_record(path)
    if path.parent.name == "rtx-4070" and is_shipped(record):
        said = say(*words(record), "--format", "json")
        assert said.code == 0, said.err
        assert planned_ids(said.out) == ids(record)
        return
    asked: list[PlanRequest] = []

    def stop(options: RunOptions) -> PlanRequest:
        asked.append(plan_request(options))
        raise UsageError("the cells are enough")

    monkeypatch.setattr(bench.predict.planner, "plan_request", stop)
    said = say(*words(record), "--format", "json")
    assert "the cells are enough" in said.err
    assert {cell.cell_id for cell in asked[0].cells} == ids(record)
    assert asked[0].suite.sha256 == record.suite.sha256


@pytest.mark.parametrize("path", RAN.values(), ids=str)
def test_a_released_run_is_repeated(path: Path, say: Say) -> None:
    record = read_record(path)
    said = say(*words(record), "--dry-run")
    assert said.code == 0, said.err
    assert printed_ids(said.out) == ids(record)


# --- every option -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        "--suite quick --profile lean --clip-seconds 60,120 --desktop-uses 700MiB",
        "--suite standard --os windows --torch 2.13 --max-tokens 128",
        "--suite standard --model MOSS-Audio-8B-Instruct --headless --attention sdpa --catalog",
        "--suite quick --weights random",
        "--suite QUICK --model SMALL --max-tokens 9",
    ],
)
def test_a_prediction_is_repeated_with_every_option(
    options: str, files: dict[str, str], say: Say, tmp_path: Path
) -> None:
    given = [files.get(word, word) for word in options.split()]
    said = say("plan", "--gpu", "rtx-4070", *given, "--out", "out")
    assert said.code == 0, said.err
    record = read_record(next((tmp_path / "out").rglob("*-plan-*.json")))
    put_files(tmp_path)
    again = say(*words(record), "--format", "json")
    assert again.code == 0, again.err
    repeated = Record.model_validate_json(again.out)
    assert [cell.model_dump() for cell in repeated.cells] == [cell.model_dump() for cell in record.cells]
    assert repeated.suite == record.suite
    assert repeated.derivation == record.derivation


RUNS = [
    "--suite smoke",
    "--suite smoke --profile lean --clip-seconds 0.3,1.25 --max-tokens 3,5 --repeats 7",
    "--suite quick --weights hub --attention sdpa",
    "--suite quick --weights hub --model someone/MOSS-Audio-4B-Instruct --revision abc",
    "--suite quick --weights random --model MOSS-Audio-8B-Thinking",
    "--suite quick --weights random --emulate-vram 12282MiB",
    "--suite MINE",
    "--suite QUICK --attention eager --max-tokens 11",
    "--suite MINE --model SMALL",
    "--suite smoke --audio NOISE",
]


@pytest.mark.parametrize("options", RUNS)
def test_a_run_is_repeated_with_every_option(
    options: str, files: dict[str, str], say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plans: list[Plan] = []

    def noted(options: RunOptions, choose: Choose, *, is_dry: bool) -> Plan:
        plans.append(make_plan(options, choose, is_dry=is_dry))
        return plans[-1]

    monkeypatch.setattr(bench.run.run_spec, "make_plan", noted)
    given = [files.get(word, word) for word in options.split()]
    said = say("run", "--device", "cpu", *given, "--dry-run")
    assert said.code == 0, said.err
    record = recorded(plans[0], plans[0].cells)
    assert ids(record) == printed_ids(said.out)
    put_files(tmp_path)
    again = say(*words(record), "--dry-run")
    assert again.code == 0, again.err
    assert printed_ids(again.out) == ids(record)
    assert plans[1].suite_info == record.suite
    assert plans[1].emulation == record.emulation


@pytest.mark.parametrize("options", [each for each in RUNS if "--clip-seconds" not in each])
def test_a_search_is_repeated_with_every_option(
    options: str, files: dict[str, str], say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    searches: list[tuple[Plan, tuple[Line, ...]]] = []

    def noted(options: RunOptions, choose: Choose, *, is_dry: bool) -> tuple[Plan, tuple[Line, ...]]:
        searches.append(frontier_plan(options, choose, is_dry=is_dry))
        return searches[-1]

    monkeypatch.setattr(bench.run.frontier, "frontier_plan", noted)
    given = [files.get(word, word) for word in options.split()]
    said = say("frontier", "--device", "cpu", *given, "--dry-run")
    assert said.code == 0, said.err
    plan, lines = searches[0]
    record = recorded(plan, [line.cell(length_s) for line in lines for length_s in (5.0, 85.0)])
    put_files(tmp_path)
    again = say(*words(record), "--dry-run")
    assert again.code == 0, again.err
    repeated, found = searches[1]
    assert ids(record) == {line.cell(length_s).cell_id for line in found for length_s in (5.0, 85.0)}
    assert repeated.suite_info == record.suite


def recorded(plan: Plan, cells: Sequence[Cell]) -> Record:
    """The record of a run of this plan that was interrupted before its first cell."""
    stopped = Skipped(reason="the run ended before this cell", cause="interrupted")
    results = [CellResult(cell_id=cell.cell_id, requested=cell.requested, outcome=stopped) for cell in cells]
    made = sample.record(results, weight_mode=plan.origin.weight_mode)
    model = {"name": plan.origin.name, "repo": plan.origin.repo, "revision": plan.origin.revision}
    changed = {
        "suite": plan.suite_info,
        "model": made.model.model_copy(update=model),
        "device": plan.device.info(),
        "emulation": plan.emulation,
        "frontier_step_s": plan.frontier_step_s,
    }
    return made.model_copy(update=changed)


# --- notes ------------------------------------------------------------------------------------------------


def test_the_hash_of_an_own_suite_is_the_one_that_bench_prints(say: Say, tmp_path: Path) -> None:
    path = put_suite(tmp_path, "quick")
    suite = find_suite(path)
    made = sample.record([])
    own = made.model_copy(update={"suite": suite_info(suite, base=suite)})
    (note,) = command(own)[1]
    assert note == (
        "The suite was a file, not the shipped suite quick: put its path in place of path/to/quick.toml. "
        f"`bench suites path/to/quick.toml` prints its hash, {suite.sha256}."
    )
    assert suite.sha256 in say("suites", path).out


def test_the_note_on_a_clip_has_the_hash_of_its_samples(files: dict[str, str]) -> None:
    sha256 = read_audio(Path(files["NOISE"])).sha256
    wanted = sample.requested().model_copy(update={"clip_source_sha256": sha256})
    shown, notes = command(sample.record([sample.measured(wanted)]))
    assert shown.endswith("--audio path/to/clip.wav")
    assert f"(mono, 16 kHz, 32-bit float) have SHA-256 {sha256}" in notes[0]
