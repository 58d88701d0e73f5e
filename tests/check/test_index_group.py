"""Cells of a group: merged again where their records have changed, and only there."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bench.check.index import Index, use_index
from bench.check.summarise import read_summary
from bench.records.check import Check
from bench.store.record_files import write_record
from tests.samples import records as sample
from tests.samples.reruns import MACHINES, merged, rerun

RUNS = tuple(
    rerun(sample.standard(), nth, machine=MACHINES[nth % 2], faster=1 + nth / 10) for nth in range(4)
)


def check_of(index_file: Path, folder: Path, *chosen: int) -> Check:
    """Return the document of some of the records."""
    paths = [folder / f"{nth}.json" for nth in range(len(RUNS))]

    def work(index: Index) -> Check:
        index.update(paths, read_summary)
        index.choose([paths[nth] for nth in chosen])
        (key,) = index.groups()
        return index.check(key, lambda _: None)

    return use_index(index_file, pytest.fail, work)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for nth, record in enumerate(RUNS):
        write_record(record, tmp_path / f"{nth}.json")
    return tmp_path


def test_records_that_come_and_go_leave_nothing_behind(folder: Path) -> None:
    index_file = folder / "index.sqlite"
    for chosen in ((0, 1), (0, 1, 2), (1, 2), (0, 1), (3,), (0, 1, 2, 3)):
        assert check_of(index_file, folder, *chosen) == merged(*(RUNS[nth] for nth in chosen))


def test_a_cell_of_the_same_records_is_merged_once(folder: Path) -> None:
    index_file = folder / "index.sqlite"
    first = check_of(index_file, folder, 0, 1)
    with closing(sqlite3.connect(index_file)) as database, database:
        database.execute("""UPDATE merged SET body = replace(body, '"records":2', '"records":7')""")
    assert {row.records for row in check_of(index_file, folder, 0, 1).rows} == {7}
    assert check_of(index_file, folder, 0, 1, 2) == merged(*RUNS[:3])
    assert check_of(index_file, folder, 0, 1) == first
