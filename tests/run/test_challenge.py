"""Challenges in the plan of a run, and real runs that answer them with a stand-in or the tiny model."""

import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bench.audio import clips
from bench.engines.interface import EngineSetup, ModelSource
from bench.engines.registry import find_engine
from bench.errors import ClipError, UsageError
from bench.measure.tracker import EmulatedMemoryError
from bench.records.enums import WeightMode
from bench.records.reasons import RunInterrupted
from bench.records.record import Challenge, ChallengeRequest, Record
from bench.run.challenge import check_of, planned_challenge, require_clock, require_same_model
from bench.run.measurement import CellRunner
from bench.run.protocol import Job
from bench.run.run_spec import Plan, RunOptions, make_plan, refuse_to_choose
from bench.store.record_files import read_record
from bench.suite.cells import cell_id
from bench.suite.challenge import ANSWER_TOKENS, CHALLENGE_S
from bench.suite.suite import find_suite
from bench.validate.files import judge
from bench.weights.tiny import write_tiny_checkpoint
from bench.wording import outcomes
from tests.engines.stand_in import PACED
from tests.identity.challenges import new_challenge
from tests.run.processes import NEEDS_SIGNALS, bench, only, started, wait_for_line, worker_of, write_suite
from tests.samples.challenged import broken_signature, challenged, issued
from tests.site.results import sealed
from tests.submit.site_server import Answer, serve
from tests.validate.edits import document_of
from tests.validate.good import good, ordinary
from tests.validate.recipes import Recipe


def plan() -> Plan:
    return make_plan(RunOptions(suite="smoke", device="cpu"), refuse_to_choose, is_dry=True)


def challenge_of(record: Record) -> Challenge:
    assert record.challenge is not None
    return record.challenge


# --- plans ------------------------------------------------------------------------------------------------


def test_the_cell_of_a_challenge_is_that_of_its_excerpt() -> None:
    found = planned_challenge(ChallengeRequest(issued=issued(ordinary())), plan())
    asked = found.cell.requested
    assert found.cell.cell_id == cell_id(asked)
    assert (asked.model, asked.weight_mode, asked.clip_seconds) == ("tiny", "tiny", CHALLENGE_S)
    heard = clips.sha256_of(clips.excerpt(found.excerpt_starts, 32_000))
    assert asked.clip_source_sha256 == heard


def test_the_answer_of_a_record_can_be_checked() -> None:
    record = challenged(ordinary())
    found = check_of(record, "theirs.json")
    assert found.issued == challenge_of(record).issued
    assert found.checks is not None
    assert (found.checks.content_hash, found.checks.token_ids) == (
        record.content_hash,
        challenge_of(record).token_ids,
    )


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (ordinary(), "x.json: the record has no challenge"),
        (
            challenged(ordinary(), outcome=outcomes.skipped(RunInterrupted())),
            r"x.json: its challenge has no answer \(skipped\)",
        ),
    ],
)
def test_a_record_without_an_answer_cannot_be_checked(record: Record, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        check_of(record, "x.json")


def test_a_challenge_that_nobody_signed_is_not_answered() -> None:
    document = document_of(challenged(ordinary()))
    forged = sealed(document, {"challenge.issued.signature": broken_signature()})
    with pytest.raises(UsageError, match=r"x\.json: the signature of its challenge does not hold"):
        check_of(forged, "x.json")


def test_only_the_same_model_can_check_an_answer() -> None:
    tiny = good(Recipe(card=None, weights=WeightMode.TINY, suite="smoke"))
    require_same_model(tiny, plan())
    with pytest.raises(UsageError, match=r"Instruct \(hub weights\), and this run has tiny \(tiny weights\)"):
        require_same_model(ordinary(), plan())
    require_same_model(good(Recipe(weights=WeightMode.LOCAL)), plan())


def test_a_clock_that_is_behind_is_found_before_the_run() -> None:
    asked = ChallengeRequest(issued=issued(ordinary()))
    at = asked.issued.issued_at
    require_clock(asked, at - timedelta(minutes=5))
    with pytest.raises(UsageError, match="the clock of this computer is 1 h 0 min behind that of the site"):
        require_clock(asked, at - timedelta(hours=1))


# --- the worker -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> ModelSource:
    directory = tmp_path_factory.mktemp("models") / "tiny"
    write_tiny_checkpoint(directory)
    return ModelSource(name="tiny", weight_mode=WeightMode.TINY, directory=directory)


def test_an_answer_is_the_same_every_time_and_nothing_is_timed(source: ModelSource) -> None:
    opened = find_engine("native").open(EngineSetup(source=source, device="cpu", dtype="float32"))
    found = planned_challenge(ChallengeRequest(issued=issued(ordinary())), plan())
    measure, asked = find_suite("smoke").measure, found.cell.requested
    job = Job(requested=asked, measure=measure, nonce=found.issued.nonce)
    runner = CellRunner(opened, None, lambda _: None)
    first, again = runner.run(job), runner.run(job)
    assert first.token_ids == again.token_ids
    assert len(first.token_ids or ()) == ANSWER_TOKENS
    assert first.effective.clip_sha256 == asked.clip_source_sha256
    assert (first.repeats, first.cold, first.memory, first.spans) == ((), None, None, ())
    with pytest.raises(ClipError, match="not that of the challenge"):
        runner.run(job.model_copy(update={"nonce": "f" * 32}))


def test_an_answer_can_run_out_of_memory_like_every_cell(source: ModelSource) -> None:
    limited = EngineSetup(source=source, device="cpu", dtype="float32", memory_limit_bytes=8 * 10**6)
    opened = find_engine("native").open(limited)
    found = planned_challenge(ChallengeRequest(issued=issued(ordinary())), plan())
    job = Job(requested=found.cell.requested, measure=find_suite("smoke").measure, nonce=found.issued.nonce)
    runner = CellRunner(opened, None, lambda _: None)
    with pytest.raises(EmulatedMemoryError) as full:
        runner.run(job)
    outcome = opened.exhausted(full.value, runner.phase)
    assert outcome is not None
    assert outcome.status == "out_of_memory"


# --- runs -------------------------------------------------------------------------------------------------


@NEEDS_SIGNALS
def test_an_interrupted_run_keeps_its_nonce_and_answers_it_when_it_is_resumed(
    stand_ins: dict[str, str], tmp_path: Path, home: Path
) -> None:
    suite = write_suite(tmp_path, tokens="[8, 100]", engine=PACED)
    with serve(Answer(200, new_challenge())) as site:
        words = ("run", "--suite", str(suite), "--challenge", site.url)
        with started(*words, home=home, cwd=tmp_path, env=stand_ins) as process:
            wait_for_line(process, r"\[1/2\].*first token")
            process.send_signal(signal.SIGINT)
            output, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    path = only(tmp_path / "results", "*.json")
    first = challenge_of(read_record(path))
    assert (first.cell.outcome.status, first.token_ids) == ("skipped", None)
    assert "not answered: the run was interrupted" in output

    ended = bench("run", "--resume", str(path), "--suite", str(suite), home=home, cwd=tmp_path, env=stand_ins)
    assert ended.returncode == 0, ended.stderr
    assert "[3/3] 10 s, 32 tokens, sdpa: the challenge is answered" in ended.stderr
    second = challenge_of(read_record(path))
    assert (second.issued, second.cell.cell_id) == (first.issued, first.cell.cell_id)
    assert len(second.token_ids or ()) == ANSWER_TOKENS
    assert [each.path for each in site.received] == ["/api/challenge"], "once"


@NEEDS_SIGNALS
def test_a_challenge_whose_worker_is_killed_is_answered_when_it_is_retried(
    stand_ins: dict[str, str], tmp_path: Path, home: Path
) -> None:
    suite = write_suite(tmp_path, tokens="[8]", engine=PACED)
    with serve(Answer(200, new_challenge())) as site:
        words = ("run", "--suite", str(suite), "--challenge", site.url)
        with started(*words, home=home, cwd=tmp_path, env=stand_ins) as process:
            wait_for_line(process, r"\[2/2\] 10 s.*loading the model")
            worker_of(process).kill()
            output, _ = process.communicate(timeout=60)
    assert process.returncode == 4
    *_, line, command = output.splitlines()
    assert line == "1 cell failed or timed out; run again with"
    path = only(tmp_path / "results", "*.json")
    first = challenge_of(read_record(path))
    assert (first.cell.outcome.status, first.token_ids) == ("failed", None)

    ended = bench(*command.split()[1:], home=home, cwd=tmp_path, env=stand_ins)
    assert ended.returncode == 0, ended.stderr
    second = challenge_of(read_record(path))
    assert second.issued == first.issued
    assert second.cell.outcome.status == "measured"
    assert [attempt.outcome for attempt in second.cell.earlier_attempts] == [first.cell.outcome]


def test_a_tiny_model_answers_a_site_and_another_run_checks_it(tmp_path: Path, home: Path) -> None:
    suite = write_suite(tmp_path, tokens="[4]")
    run = ("run", "--suite", str(suite))
    with serve(Answer(200, new_challenge())) as site:
        ended = bench(*run, "--challenge", site.url, home=home, cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert "answered with 32 token ids by tiny model, random weights, which says nothing" in ended.stdout
    path = only(tmp_path / "results", "*.json")
    record = read_record(path)
    assert [each.code for each in judge(path, datetime.now(UTC)).findings] == ["suite_own"]
    assert len(record.cells) == 1, "the challenge is no cell of the suite"
    report = only(tmp_path / "reports", "*.html").read_text(encoding="utf-8")
    assert challenge_of(record).issued.nonce[:8] in report

    checked = bench(*run, "--challenge", str(path), "--out", "check", home=home, cwd=tmp_path)
    assert checked.returncode == 0, checked.stderr
    digits = record.content_hash.removeprefix("sha256:")[:16]
    assert f"check of record {digits}: all 32 token ids agree" in checked.stdout
    other = challenge_of(read_record(only(tmp_path / "check", "*.json")))
    assert other.issued == challenge_of(record).issued
    assert other.token_ids == challenge_of(record).token_ids
