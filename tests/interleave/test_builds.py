"""Builds of bench that are installed elsewhere, and one run of each in a process of its own."""

import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from bench.errors import MachineError, RecordError, UsageError
from bench.interleave.builds import Build, build_at, run_together
from bench.interleave.turns import EventQueue, listen
from tests.run.stand_in import calls
from tests.run.stand_in import environment as stand_in
from tests.samples.comparisons import cell, record, written

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the stand-in is a script with a first line")


def build(folder: Path, result: Path | None, name: str = "base", **given: object) -> Build:
    return build_at(name, stand_in(folder, result, **given))  # type: ignore[arg-type]


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A record that a build leaves."""
    return written(record(cell()), tmp_path / "made.json")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


def test_a_build_is_named_by_its_environment_or_by_its_python(made: Path, tmp_path: Path) -> None:
    folder = stand_in(tmp_path / "a", made)
    assert build_at("base", folder).python == build_at("base", folder / "bin" / "python").python
    with pytest.raises(UsageError, match="no Python there"):
        build_at("base", tmp_path / "nowhere")


def test_a_run_gets_its_options_and_a_folder_of_its_own(made: Path, out: Path, tmp_path: Path) -> None:
    one = build(tmp_path / "a", made)
    found = run_together([one], ["--suite", "quick"], out, {}, EventQueue())
    assert found["base"].read_bytes() == made.read_bytes()
    assert calls(tmp_path) == [
        ("a", ["-m", "bench", "run", "--suite", "quick", "--out", str(out / "base")]),
    ]


def test_paths_to_other_modules_do_not_reach_a_build(
    out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\nenv > "$(dirname "$0")/environment"\nexit 3\n')
    python.chmod(0o755)
    for name in ("PYTHONPATH", "VIRTUAL_ENV"):
        monkeypatch.setenv(name, "/elsewhere")
    with pytest.raises(MachineError):
        run_together([build_at("base", python)], [], out, {}, EventQueue())
    seen = dict(line.partition("=")[::2] for line in (tmp_path / "environment").read_text().splitlines())
    assert seen["PYTHONSAFEPATH"] == "1"
    assert not {"PYTHONPATH", "VIRTUAL_ENV"} & set(seen)


@pytest.mark.parametrize(("code", "kind"), [(2, UsageError), (3, MachineError), (70, MachineError)])
def test_a_run_without_a_record_is_refused_with_its_last_line(
    code: int, kind: type[Exception], out: Path, tmp_path: Path
) -> None:
    broken = build(tmp_path / "a", None, code=code, says="working\nbench: no such suite\n\n")
    with pytest.raises(kind, match=f"bench run ended with {code}: no such suite"):
        run_together([broken], [], out, {}, EventQueue())


def test_cells_that_failed_have_a_record_all_the_same(made: Path, out: Path, tmp_path: Path) -> None:
    assert run_together([build(tmp_path / "a", made, code=4)], [], out, {}, EventQueue())


def test_a_run_that_ends_well_and_leaves_no_record_is_refused(out: Path, tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="contains no records"):
        run_together([build(tmp_path / "a", None)], [], out, {}, EventQueue())


@pytest.fixture
def addresses(tmp_path: Path) -> Iterator[tuple[EventQueue, dict[str, Path]]]:
    """Where two builds would ask for their turns. The folder is short: so is the path of a socket."""
    events = EventQueue()
    with TemporaryDirectory() as folder:
        yield events, {name: listen(name, Path(folder), events) for name in ("base", "new")}


def test_a_build_that_takes_no_turns_is_refused(
    made: Path, out: Path, tmp_path: Path, addresses: tuple[EventQueue, dict[str, Path]]
) -> None:
    both = [build(tmp_path / name, made, name) for name in ("base", "new")]
    with pytest.raises(UsageError, match="this build cannot alternate by generation"):
        run_together(both, [], out, addresses[1], addresses[0])


def test_where_one_of_two_that_are_up_fails_the_other_is_ended(
    out: Path, tmp_path: Path, addresses: tuple[EventQueue, dict[str, Path]]
) -> None:
    slow = build(tmp_path / "slow", None, takes_s=300)
    broken = build(tmp_path / "broken", None, "new", code=3, says="bench: no such card")
    with pytest.raises(MachineError, match="bench run ended with 3: no such card"):
        run_together([slow, broken], [], out, addresses[1], addresses[0])
