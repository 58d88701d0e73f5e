"""Which earlier records a search may start from."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bench.hardware.environment import environment
from bench.hardware.machine_key import machine_key
from bench.packages import version_of
from bench.records.card import DeviceMemory, Emulation, Sampled
from bench.records.cell import CellResult, Failed, Requested, Skipped, Timeout
from bench.records.reasons import CardLost, NoNewWorker, TimeLimitPassed, WorkerKilled, WorkerStep
from bench.run.prior_results import PriorResults, prior_results
from bench.run.run_spec import Plan, RunOptions, make_plan, refuse_to_choose
from bench.store.journal import Header, Journal, PlannedCell, Progress, seal_journal
from bench.store.record_files import write_record
from bench.wording import outcomes
from tests.samples import predictions as derived
from tests.samples import records as sample

PLAYED = Emulation(
    total_bytes=12_878_610_432,
    reserve_bytes=400_000_000,
    context_bytes=400_000_000,
    limit_bytes=12_078_610_432,
    enforced_by="allocation tracker",
)


@pytest.fixture(scope="module")
def plan() -> Plan:
    return make_plan(RunOptions(suite="smoke", device="cpu"), refuse_to_choose)


@pytest.fixture(scope="module")
def here(plan: Plan) -> Header:
    """The header of a run of this plan on this machine."""
    return Header(
        record_id="a1b2c3d4e5f6",
        created_at=datetime(2026, 11, 20, tzinfo=UTC),
        provenance=sample.smoke().provenance,
        suite=plan.suite_info,
        model=sample.smoke().model.model_copy(update={"name": "tiny", "repo": None}),
        device=plan.device.info(),
        environment=environment(
            torch=version_of("torch") or "", transformers=version_of("transformers") or ""
        ),
        machine_key=machine_key(plan.device.uuid),
        plan=(),
    )


def asked(plan: Plan, clip_s: float = 10) -> Requested:
    return plan.cells[0].requested.model_copy(update={"clip_seconds": clip_s})


def left(header: Header, out: Path, *cells: CellResult, name: str = "a", sealed: bool = True) -> Path:
    """The record, or the journal, of a run with these outcomes."""
    path = out / "tiny" / header.device.slug / f"{name}.journal.jsonl"
    planned = tuple(PlannedCell(cell_id=cell.cell_id, requested=cell.requested) for cell in cells)
    journal = Journal.create(path, Progress(header.model_copy(update={"plan": planned}), cells))
    journal.close()
    return seal_journal(path)[1] if sealed else path


def found(plan: Plan, out: Path) -> PriorResults:
    return prior_results(plan, out, [asked(plan)])


def test_records_and_left_over_journals_count_at_any_clip_length(
    plan: Plan, here: Header, tmp_path: Path
) -> None:
    cells = [sample.measured(asked(plan, clip_s)) for clip_s in (10, 60, 300)]
    record = left(here, tmp_path, cells[0], cells[1])
    journal = left(here, tmp_path, cells[2], name="b", sealed=False)
    with journal.open("ab") as file:
        file.write(b'{"cell_id": "cut short')
    assert found(plan, tmp_path) == PriorResults({cell.cell_id: cell for cell in cells}, (record, journal))


def test_the_newest_outcome_of_a_cell_counts(plan: Plan, here: Header, tmp_path: Path) -> None:
    newer = here.model_copy(update={"created_at": datetime(2026, 11, 21, tzinfo=UTC)})
    left(newer, tmp_path, sample.measured(asked(plan)), name="a")
    left(here, tmp_path, sample.out_of_memory(asked(plan)), name="b")
    (result,) = found(plan, tmp_path).results.values()
    assert result.outcome.status == "measured"


def test_the_journal_of_a_run_that_is_being_resumed_counts_in_place_of_its_record(
    plan: Plan, here: Header, tmp_path: Path
) -> None:
    left(here, tmp_path, sample.out_of_memory(asked(plan)))
    journal = left(here, tmp_path, sample.measured(asked(plan)), sealed=False)
    assert found(plan, tmp_path).sources == (journal,)


def beside(contended: bool | None, result: CellResult) -> CellResult:
    """The same outcome, with what the driver told of other programs."""
    memory = DeviceMemory(
        source=None,
        sampler=Sampled(period_s=0.02, samples=0, largest_gap_s=None),
        baseline_bytes=None,
        device_peak_bytes=None,
        process_peak_bytes=None,
        context_bytes=None,
        context_source=None,
        residue_bytes=None,
        back_at_baseline=None,
        waited_s=None,
        contended=contended,
    )
    return result.model_copy(update={"device_memory": memory})


@pytest.mark.parametrize(
    ("contended", "known_s"), [(True, [10, 30]), (False, [10, 30, 60, 90]), (None, [10, 30, 60, 90])]
)
def test_what_ran_out_of_memory_beside_another_program_is_not_known(
    contended: bool | None, known_s: list[float], plan: Plan, here: Header, tmp_path: Path
) -> None:
    """Nor is what was not tried because of it; what fitted beside it fits all the more without."""
    pruned = Skipped(reason="60 s with 8 tokens did not fit already", cause="pruned")
    left(
        here,
        tmp_path,
        sample.measured(asked(plan, 10)),
        beside(contended, sample.measured(asked(plan, 30))),
        beside(contended, sample.out_of_memory(asked(plan, 60))),
        sample.not_measured(asked(plan, 90), pruned),
    )
    results = found(plan, tmp_path).results.values()
    assert [result.requested.clip_seconds for result in results] == known_s


def test_other_cells_are_not_even_mentioned(plan: Plan, here: Header, tmp_path: Path) -> None:
    other = asked(plan).model_copy(update={"seed": 7})
    old = here.environment.model_copy(update={"torch": "2.9.1"})
    left(here.model_copy(update={"environment": old}), tmp_path, sample.measured(other))
    assert found(plan, tmp_path) == PriorResults({})


def _environment(header: Header, **changes: Any) -> dict[str, Any]:
    return {"environment": header.environment.model_copy(update=changes)}


@pytest.mark.parametrize(
    ("difference", "change"),
    [
        ("torch", lambda header: _environment(header, torch="2.9.1")),
        ("transformers", lambda header: _environment(header, transformers="4.57.1")),
        ("bench", lambda header: _environment(header, bench_version="0.0.1")),
        ("the packages", lambda header: _environment(header, packages={"flash-attn": "2.8.3"})),
        (
            "the environment variables",
            lambda header: _environment(header, variables={"PYTORCH_ALLOC_CONF": "backend:cudaMallocAsync"}),
        ),
        ("the emulated card", lambda header: {"emulation": PLAYED}),
        ("the graphics card", lambda header: {"machine_key": "0" * 32}),
        (
            "the device",
            lambda header: {"device": header.device.model_copy(update={"memory_total_bytes": 8_000_000_000})},
        ),
        ("the driver", lambda header: {"device": header.device.model_copy(update={"driver": "580.95.05"})}),
        ("the model", lambda header: {"model": header.model.model_copy(update={"repo": "other/tiny"})}),
    ],
)
def test_a_record_that_was_made_under_other_conditions_is_left_out_and_says_which(
    difference: str, change: Any, plan: Plan, here: Header, tmp_path: Path
) -> None:
    left(here.model_copy(update=change(here)), tmp_path, sample.measured(asked(plan)))
    assert found(plan, tmp_path) == PriorResults({}, left_out=(difference,))


def test_a_played_card_starts_from_records_of_that_card_alone(
    plan: Plan, here: Header, tmp_path: Path
) -> None:
    left(here, tmp_path, sample.measured(asked(plan, 10)), name="a")
    left(here.model_copy(update={"emulation": PLAYED}), tmp_path, sample.measured(asked(plan, 60)), name="b")
    played = found(replace(plan, emulation=PLAYED), tmp_path)
    assert [result.requested.clip_seconds for result in played.results.values()] == [60]
    assert played.left_out == ("the emulated card",)


def test_what_cannot_be_read_is_named_and_the_rest_counts(plan: Plan, here: Header, tmp_path: Path) -> None:
    good = left(here, tmp_path, sample.measured(asked(plan)))
    bad = good.with_name("b.json")
    bad.write_text("{}", encoding="utf-8")
    good.with_name("a.check.json").write_text("{}", encoding="utf-8")
    seen = found(plan, tmp_path)
    assert (seen.sources, seen.unreadable) == ((good,), (bad,))


def test_a_record_counts_whatever_it_is_called(plan: Plan, here: Header, tmp_path: Path) -> None:
    path = left(here, tmp_path, sample.measured(asked(plan)), name="spotcheck")
    assert found(plan, tmp_path).sources == (path,)


def test_a_prediction_is_not_known_and_not_complained_of(plan: Plan, tmp_path: Path) -> None:
    folder = tmp_path / plan.origin.name / plan.device.slug
    folder.mkdir(parents=True)
    write_record(derived.derived_record(), folder / "plan.json")
    assert found(plan, tmp_path) == PriorResults({})


def test_nothing_is_known_in_an_empty_folder(plan: Plan, tmp_path: Path) -> None:
    assert found(plan, tmp_path / "nowhere") == PriorResults({})


STEP = WorkerStep(name="repeat", number=1, total=1)


@pytest.mark.parametrize(
    ("outcome", "is_known"),
    [
        (outcomes.timeout(TimeLimitPassed(limit_s=86_400, during=STEP)), True),
        (outcomes.timeout(TimeLimitPassed(limit_s=1, during=STEP)), False),
        (outcomes.timeout(TimeLimitPassed(limit_s=86_400, during=WorkerStep(name="load"))), False),
        (outcomes.failed(WorkerKilled(signal="SIGKILL", during=STEP)), True),
        (outcomes.failed(WorkerKilled(signal="SIGKILL", during=WorkerStep(name="load"))), False),
        (outcomes.failed(CardLost(error="GPU is lost")), False),
        (outcomes.failed(NoNewWorker(error="no GPU was found")), False),
        (Failed(reason="of schema 1.0"), False),
    ],
)
def test_a_failure_is_known_where_the_same_would_happen_again(
    outcome: Failed | Timeout, is_known: bool, plan: Plan, here: Header, tmp_path: Path
) -> None:
    left(here, tmp_path, sample.not_measured(asked(plan), outcome), sample.measured(asked(plan, 5)))
    assert len(found(plan, tmp_path).results) == 1 + is_known
    retried = prior_results(plan, tmp_path, [asked(plan)], retry_failed=True)
    assert [result.outcome.status for result in retried.results.values()] == ["measured"]
