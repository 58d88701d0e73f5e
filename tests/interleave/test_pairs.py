"""Pairs of runs: their order, and what is kept of them."""

import os
from pathlib import Path

import pytest

from bench.errors import MachineError, RecordError
from bench.interleave.builds import Build, build_at
from bench.interleave.pairs import alternate, kept_pairs
from bench.records.record import Record
from tests.run.stand_in import calls
from tests.run.stand_in import environment as stand_in
from tests.samples.comparisons import cell, record, written

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the stand-in is a script with a first line")


class Lines:
    """What a listener hears."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.ended: list[str] = []

    def run_begins(self, build: Build, number: int, total: int) -> None:
        self.begun.append(f"{build.name} {number}/{total}")

    def run_ends(self, build: Build, number: int, total: int, record: Record) -> None:
        self.ended.append(f"{build.name} {number}/{total} {record.record_id[-1]}")


@pytest.fixture
def builds(tmp_path: Path) -> tuple[Build, Build]:
    """Two builds, of which the second leaves another record."""
    old = written(record(cell()), tmp_path / "old.json")
    new = written(record(cell(slow=1.25), number=1), tmp_path / "new.json")
    return build_at("base", stand_in(tmp_path / "a", old)), build_at("new", stand_in(tmp_path / "b", new))


def test_every_second_pair_runs_the_other_way_round(builds: tuple[Build, Build], tmp_path: Path) -> None:
    lines = Lines()
    pairs = list(alternate(builds, [], tmp_path / "kept", 3, lines))
    assert [name for name, _ in calls(tmp_path)] == ["a", "b", "b", "a", "a", "b"]
    assert lines.begun == ["base 1/3", "new 1/3", "new 2/3", "base 2/3", "base 3/3", "new 3/3"]
    assert lines.ended[:2] == ["base 1/3 0", "new 1/3 1"]
    assert [(pair.base.record_id[-1], pair.new.record_id[-1]) for pair in pairs] == [("0", "1")] * 3
    assert kept_pairs(tmp_path / "kept") == pairs
    assert sorted(path.name for path in (tmp_path / "kept").iterdir()) == ["base", "new"]


def test_pairs_that_are_kept_are_not_run_again(builds: tuple[Build, Build], tmp_path: Path) -> None:
    for rounds, runs in ((1, 2), (3, 6), (3, 6)):
        list(alternate(builds, [], tmp_path / "kept", rounds, Lines()))
        assert len(calls(tmp_path)) == runs
    assert [name for name, _ in calls(tmp_path)] == ["a", "b", "b", "a", "a", "b"]


def test_half_a_pair_is_not_kept(builds: tuple[Build, Build], tmp_path: Path) -> None:
    broken = build_at("new", stand_in(tmp_path / "broken", None, code=3, says="bench: no such card"))
    with pytest.raises(MachineError):
        list(alternate((builds[0], broken), [], tmp_path / "kept", 3, Lines()))
    assert kept_pairs(tmp_path / "kept") == []
    assert list((tmp_path / "kept").iterdir()) == []


def test_a_kept_pair_that_cannot_be_read_is_an_error(builds: tuple[Build, Build], tmp_path: Path) -> None:
    list(alternate(builds, [], tmp_path / "kept", 1, Lines()))
    (tmp_path / "kept" / "new" / "0001.json").write_text("{}")
    with pytest.raises(RecordError, match=r"0001\.json"):
        kept_pairs(tmp_path / "kept")
