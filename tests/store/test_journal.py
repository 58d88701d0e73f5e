import json
import os
import resource
import shutil
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.errors import RecordError
from bench.records.cell import CellResult, Failed, Skipped
from bench.records.enums import WeightMode
from bench.records.reasons import TimeBudgetUsed
from bench.store.canonical import content_hash
from bench.store.journal import (
    Header,
    Journal,
    NotARunError,
    PlannedCell,
    Progress,
    read_progress,
    resuming,
    seal_journal,
    seal_progress,
)
from bench.store.naming import journal_of, record_of
from bench.store.record_files import read_record, write_record
from tests.records.strategies import CELLS
from tests.samples import predictions as derived
from tests.samples import records as sample
from tests.samples.challenged import challenged
from tests.validate.good import good
from tests.validate.recipes import Recipe

CELLS_DONE = sample.smoke().cells


def header(cells: tuple[CellResult, ...] = CELLS_DONE) -> Header:
    unlike = {"cells", "schema_version", "content_hash", "derivation"}
    fields = sample.smoke().model_dump(mode="json", exclude=unlike)
    plan = tuple(PlannedCell(cell_id=cell.cell_id, requested=cell.requested) for cell in cells)
    return Header.model_validate({**fields, "plan": plan})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.journal.jsonl"


def written(path: Path, cells: tuple[CellResult, ...]) -> bytes:
    journal = Journal.create(path, Progress(header(), ()))
    for cell in cells:
        journal.append(cell)
    journal.close()
    return path.read_bytes()


def test_a_record_of_schema_1_0_that_is_resumed_is_written_as_1_1(path: Path) -> None:
    old = sample.smoke().model_dump(mode="json") | {"schema_version": "1.0"}
    old["content_hash"] = content_hash(old)
    record_of(path).write_text(json.dumps(old))
    Journal.create(path, read_progress(path)).close()
    record, target = seal_journal(path)
    assert read_record(target) == record == sample.smoke()


def test_a_prediction_is_no_run_that_could_go_on(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    write_record(derived.derived_record(), path)
    with pytest.raises(NotARunError, match="a prediction"):
        read_progress(path)


def test_what_is_appended_is_read_back(path: Path) -> None:
    written(path, CELLS_DONE)
    assert read_progress(path) == Progress(header(), CELLS_DONE)


@settings(max_examples=50, suppress_health_check=list(HealthCheck))
@given(st.lists(CELLS, max_size=3, unique_by=lambda cell: cell.cell_id).map(tuple))
def test_any_outcome_survives(
    tmp_path_factory: pytest.TempPathFactory, cells: tuple[CellResult, ...]
) -> None:
    path = tmp_path_factory.mktemp("journals") / "run.journal.jsonl"
    written(path, cells)
    assert read_progress(path).done == cells


def test_each_cell_is_on_disk_when_append_returns_and_adds_only_its_own_bytes(path: Path) -> None:
    journal = Journal.create(path, Progress(header(), ()))
    inode, before = path.stat().st_ino, path.read_bytes()
    for count, cell in enumerate(CELLS_DONE, start=1):
        journal.append(cell)
        after = path.read_bytes()  # the journal is still open: nothing may wait in a buffer
        assert after == before + cell.model_dump_json().encode() + b"\n"
        assert read_progress(path).done == CELLS_DONE[:count]
        before = after
    assert path.stat().st_ino == inode


def test_a_line_cut_at_any_byte_is_the_cell_in_flight_and_no_other_is_lost(path: Path) -> None:
    whole = written(path, CELLS_DONE[:2])
    start = whole.rindex(b"\n", 0, -1) + 1
    for end in range(start, len(whole)):
        path.write_bytes(whole[:end])
        assert len(read_progress(path).done) == 1, f"cut at byte {end} of {len(whole)}"
    path.write_bytes(whole)
    assert len(read_progress(path).done) == 2


@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_journal_cut_anywhere_keeps_every_whole_line(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("journals") / "run.journal.jsonl"
    whole = written(path, CELLS_DONE)
    cut = data.draw(st.integers(0, len(whole)))
    path.write_bytes(whole[:cut])
    lines = whole[:cut].count(b"\n")
    if lines == 0:
        with pytest.raises(RecordError, match="is empty"):
            read_progress(path)
    else:
        assert read_progress(path).done == CELLS_DONE[: lines - 1]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_journal_that_an_editor_saved_is_read(path: Path, encoding: str) -> None:
    path.write_bytes(written(path, CELLS_DONE).decode().replace("\n", "\r\n").encode(encoding))
    assert read_progress(path).done == CELLS_DONE


def test_a_last_line_of_garbage_costs_no_other(path: Path) -> None:
    path.write_bytes(written(path, CELLS_DONE) + b'{"cell_id": "\xff\xfe\x00')
    assert read_progress(path).done == CELLS_DONE


@pytest.mark.parametrize("line", [1, 2, 3])
@pytest.mark.parametrize("damage", [b"\x00\x00", b"{}", b'{"a": NaN}', b"", b'{"a":1,"a":2}'])
def test_damage_before_the_last_line_names_file_and_line(path: Path, line: int, damage: bytes) -> None:
    lines = written(path, CELLS_DONE).split(b"\n")
    lines[line - 1] = damage
    path.write_bytes(b"\n".join(lines))
    with pytest.raises(RecordError) as caught:
        read_progress(path)
    assert str(caught.value).startswith(f"{path}, line {line}: ")
    assert str(caught.value).isprintable()


def test_a_run_that_ended_early_seals_into_a_valid_record(path: Path) -> None:
    written(path, CELLS_DONE[:2])
    record, sealed = seal_journal(path)
    assert sealed == path.with_name("run.json")
    assert read_record(sealed) == record
    assert not path.exists()
    assert record.cells[:2] == CELLS_DONE[:2]
    for cell, planned in zip(record.cells[2:], CELLS_DONE[2:], strict=True):
        assert cell.cell_id == planned.cell_id
        assert isinstance(cell.outcome, Skipped)
        assert cell.outcome.cause == "interrupted"
        assert "--resume" in cell.outcome.reason


def test_what_ended_the_run_is_the_reason_of_the_cells_that_are_left(path: Path) -> None:
    written(path, CELLS_DONE[:2])
    record, sealed = seal_journal(path, TimeBudgetUsed(budget_s=90))
    for cell in record.cells[2:]:
        assert isinstance(cell.outcome, Skipped)
        assert cell.outcome.reason_code == TimeBudgetUsed(budget_s=90)
    assert read_progress(sealed).done == CELLS_DONE[:2]


def test_a_header_that_no_record_could_have_is_refused_before_the_first_cell(path: Path) -> None:
    device = header().device.model_copy(update={"memory_total_bytes": 2**53})
    with pytest.raises(RecordError, match="9007199254740992 exceeds"):
        Journal.create(path, Progress(header().model_copy(update={"device": device}), ()))
    assert not list(path.parent.iterdir())


def test_a_cell_that_ran_again_has_two_lines_of_which_the_later_counts_in_its_place(path: Path) -> None:
    first = CELLS_DONE[0].model_copy(update={"outcome": Failed(reason="cuDNN error")})
    written(path, (first, *CELLS_DONE[1:], CELLS_DONE[0]))
    assert read_progress(path).done == CELLS_DONE


def test_cells_come_in_the_order_of_the_plan(path: Path) -> None:
    written(path, tuple(reversed(CELLS_DONE)))
    assert seal_journal(path)[0].cells == CELLS_DONE


def test_cells_that_were_chosen_on_the_way_come_after_those_that_were_planned(path: Path) -> None:
    journal = Journal.create(path, Progress(header(CELLS_DONE[:2]), ()))
    for cell in reversed(CELLS_DONE[1:]):
        journal.append(cell)
    journal.close()
    first, *rest = seal_journal(path)[0].cells
    assert (first.cell_id, first.outcome.status) == (CELLS_DONE[0].cell_id, "skipped")
    assert rest == [CELLS_DONE[1], *reversed(CELLS_DONE[2:])]


def test_a_run_that_plans_nothing_seals_what_it_did_and_no_more(path: Path) -> None:
    plan_free = header(()).model_copy(update={"frontier_step_s": 5.0})
    journal = Journal.create(path, Progress(plan_free, ()))
    for cell in CELLS_DONE[:2]:
        journal.append(cell)
    journal.close()
    record, sealed = seal_journal(path)
    assert record.cells == CELLS_DONE[:2]
    assert record.frontier_step_s == 5.0
    assert read_progress(sealed).done == CELLS_DONE[:2]


def test_a_sealed_interrupted_run_goes_on_where_it_stopped(path: Path) -> None:
    written(path, CELLS_DONE[:1])
    _, sealed = seal_journal(path)
    progress = read_progress(sealed)
    assert progress == Progress(header(), CELLS_DONE[:1])
    journal = Journal.create(journal_of(sealed), progress)
    for cell in CELLS_DONE[1:]:
        journal.append(cell)
    journal.close()
    assert seal_journal(path)[0] == sample.smoke()


def test_pruned_cells_are_done_interrupted_ones_are_not(tmp_path: Path) -> None:
    pruned, interrupted = sample.nothing_fits(), sample.interrupted()
    for name, record, done in (("p.json", pruned, len(pruned.cells)), ("i.json", interrupted, 1)):
        write_record(record, tmp_path / name)
        assert len(read_progress(tmp_path / name).done) == done


def test_a_journal_beside_its_record_is_the_later_one(path: Path) -> None:
    written(path, CELLS_DONE[:1])
    write_record(seal_progress(Progress(header(), ())), record_of(path))
    assert len(read_progress(record_of(path)).done) == 1


def test_the_name_of_a_journal_that_was_sealed_finds_the_record(path: Path) -> None:
    written(path, CELLS_DONE)
    seal_journal(path)
    assert read_progress(path).done == CELLS_DONE


def test_neither_journal_nor_record(path: Path) -> None:
    with pytest.raises(RecordError, match="cannot be read"):
        read_progress(path)


def test_starting_a_resumed_journal_never_loses_the_old_one(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between opening and writing, a journal that was truncated first would be empty."""
    before = written(path, CELLS_DONE[:2])
    seen: list[bytes] = []
    fsync = os.fsync

    def look(descriptor: int) -> None:
        seen.append(path.read_bytes())
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", look)
    Journal.create(path, read_progress(path)).close()
    assert seen[0] == before
    assert path.read_bytes() == before


FULL_DISK = textwrap.dedent("""
    import resource, signal, sys
    from pathlib import Path
    from bench.errors import StorageError
    from bench.store.journal import Journal, read_progress
    path = Path(sys.argv[1])
    progress = read_progress(path)
    journal = Journal.create(path, progress)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limit = path.stat().st_size + 100
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        journal.append(progress.done[0])
    except StorageError as error:
        print(error)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    journal.append(progress.done[0])
    journal.close()
""")


@pytest.mark.skipif(
    resource.getrlimit(resource.RLIMIT_FSIZE)[1] != resource.RLIM_INFINITY,
    reason="the limit cannot be lifted",
)
def test_a_full_disk_leaves_no_half_line_that_would_spoil_the_next(path: Path) -> None:
    before = written(path, CELLS_DONE[:1])
    command = [sys.executable, "-c", FULL_DISK, str(path)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.stderr == ""
    assert answer.stdout.startswith(f"{path}: cannot be written (File too large)")
    assert path.read_bytes() == before + CELLS_DONE[0].model_dump_json().encode() + b"\n"


@pytest.mark.parametrize("how", ["moved", "removed", "emptied"])
def test_a_journal_that_somebody_touches_during_the_run_costs_no_result(path: Path, how: str) -> None:
    path = path.parent / "out" / path.name
    journal = Journal.create(path, Progress(header(), ()))
    journal.append(CELLS_DONE[0])
    if how == "moved":
        path.parent.rename(path.parent.with_name("elsewhere"))
    elif how == "removed":
        shutil.rmtree(path.parent)
    else:
        os.truncate(path, 0)
    for cell in CELLS_DONE[1:]:
        journal.append(cell)
    record, target = journal.seal()
    assert read_record(target) == record
    assert record.cells == CELLS_DONE
    assert list(path.parent.iterdir()) == [target]


def test_the_challenge_and_its_answer_go_through_journal_and_record(path: Path) -> None:
    whole = challenged(good(Recipe(card=None, weights=WeightMode.TINY, suite="smoke")))
    write_record(whole, record_of(path))
    before = read_progress(path)
    assert (before.header.challenge is not None, before.answer is not None) == (True, True)
    journal = Journal.create(path, replace(before, answer=None))
    assert read_progress(path).answer is None
    assert before.answer is not None
    journal.append_answer(before.answer)
    journal.close()
    assert read_progress(path) == before
    assert seal_journal(path)[0] == whole


def test_a_challenge_without_an_answer_is_skipped_and_still_to_be_answered(path: Path) -> None:
    whole = challenged(good(Recipe(card=None, weights=WeightMode.TINY, suite="smoke")))
    write_record(whole, record_of(path))
    Journal.create(path, replace(read_progress(path), answer=None)).close()
    record, _ = seal_journal(path)
    assert record.challenge is not None
    assert (record.challenge.cell.outcome.status, record.challenge.token_ids) == ("skipped", None)
    with resuming(record_of(path)) as left:
        assert left.is_challenge_left
        assert not left.is_finished


def test_a_record_without_a_challenge_has_no_word_of_it(path: Path) -> None:
    """Its bytes and its hash are those of every bench before."""
    write_record(sample.smoke(), record_of(path))
    assert b"challenge" not in record_of(path).read_bytes()
