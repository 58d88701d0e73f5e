"""`bench report`."""

from pathlib import Path

import pytest

from bench.records.store import write_record
from tests import sample_records as sample
from tests.cli.conftest import Say


@pytest.fixture
def records(tmp_path: Path) -> Path:
    """A folder with two good records, one below another folder, and a check document between them."""
    folder = tmp_path / "kept"
    write_record(sample.standard(), folder / "a.json")
    write_record(sample.smoke(), folder / "deeper" / "b.json")
    (folder / "a.check.json").write_text("{}")
    return folder


def test_a_real_record_in_every_format(say: Say, finished_run: tuple[Path, str, str], tmp_path: Path) -> None:
    said = say("report", str(finished_run[0] / "results"))
    assert (said.code, said.err) == (0, "")
    paths = [Path(line) for line in said.out.splitlines()]
    assert [path.name.partition(".")[2] for path in paths] == ["html", "check.json", "md", "csv"]
    assert all(path.parts[:2] == ("reports", "tiny") for path in paths)
    assert all((tmp_path / path).stat().st_size > 500 for path in paths)


def test_a_subset_of_the_formats_elsewhere(say: Say, records: Path, tmp_path: Path) -> None:
    said = say("report", "kept/a.json", "kept/deeper/b.json", "--format", "md, csv", "--out", "there")
    assert said.code == 0
    written = sorted(path.name for path in (tmp_path / "there").rglob("*.*") if path.is_file())
    assert written == ["a.csv", "a.md", "b.csv", "b.md"]
    assert len(said.out.splitlines()) == 4


def test_a_folder_is_searched_to_its_bottom(say: Say, records: Path) -> None:
    said = say("report", "kept", "--format", "md")
    assert {Path(line).name for line in said.out.splitlines()} == {"a.md", "b.md"}


def test_broken_records_are_named_and_the_good_ones_reported(say: Say, records: Path) -> None:
    (records / "bad.json").write_text('{"schema_version": "0.9"}')
    (records / "worse.json").write_text("{")
    said = say("report", "kept", "--format", "md")
    assert said.code == 2
    assert {Path(line).name for line in said.out.splitlines()} == {"a.md", "b.md"}
    bad, worse = said.err.splitlines()
    assert bad.startswith("bench: kept/bad.json: schema version '0.9' is not '1.0'")
    assert worse.startswith("bench: kept/worse.json: ")


def test_what_is_not_there_is_said_before_anything_is_written(
    say: Say, records: Path, tmp_path: Path
) -> None:
    said = say("report", "kept", "nothing.json")
    assert said.code == 2
    assert "nothing.json: no such file" in said.line()
    assert not (tmp_path / "reports").exists()
    (tmp_path / "empty").mkdir()
    assert "holds no records" in say("report", "empty").line()
    assert "Missing argument" in say("report").line()


def test_an_unknown_format(say: Say, records: Path) -> None:
    said = say("report", "kept", "--format", "html,pdf")
    assert said.code == 2
    assert "--format: 'pdf' is no format. Choose from html,json,md,csv" in said.line()


def test_a_file_in_the_way(say: Say, records: Path, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    said = say("report", "kept", "--out", "taken")
    assert said.code == 3
    assert "cannot be written" in said.line()
