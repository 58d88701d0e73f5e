"""`bench report`."""

import json
from pathlib import Path

import pytest

from bench.store.record_files import write_record
from tests.cli.conftest import Say
from tests.run.processes import cache_in
from tests.samples import cards
from tests.samples import predictions as derived
from tests.samples import records as sample
from tests.samples.merged import watched
from tests.samples.reruns import rerun

CARD = Path("reports", "MOSS-Audio-4B-Instruct", "rtx-4070")


@pytest.fixture
def records(tmp_path: Path) -> Path:
    """A folder with three good records of two groups, and a check document between them."""
    folder = tmp_path / "kept"
    write_record(sample.standard(), folder / "a.json")
    write_record(rerun(sample.standard(), 1), folder / "deeper" / "b.json")
    write_record(sample.smoke(), folder / "deeper" / "c.json")
    (folder / "a.check.json").write_text("{}")
    return folder


def names(out: str) -> set[str]:
    return {Path(line).name for line in out.splitlines()}


def test_a_real_record_in_every_format(say: Say, finished_run: tuple[Path, str, str], tmp_path: Path) -> None:
    (record,) = (finished_run[0] / "results").rglob("*.json")
    said = say("report", str(record))
    assert (said.code, said.err) == (0, "")
    paths = [Path(line) for line in said.out.splitlines()]
    assert [path.name.partition(".")[2] for path in paths] == ["html", "check.json", "md", "csv"]
    assert all(path.parts[:2] == ("reports", "tiny") for path in paths)
    assert all((tmp_path / path).stat().st_size > 500 for path in paths)


def test_a_folder_with_one_record_has_that_record_in_full(
    say: Say, finished_run: tuple[Path, str, str], tmp_path: Path
) -> None:
    said = say("report", str(finished_run[0] / "results"))
    assert (said.code, said.err) == (0, "")
    assert [Path(line).name for line in said.out.splitlines()] == [
        "check.html",
        "check.json",
        "check.md",
        "check.csv",
        "index.html",
    ]
    page = (tmp_path / said.out.splitlines()[0]).read_text(encoding="utf-8")
    assert "Raw numbers" in page


def test_several_records_of_a_card_become_one_report(say: Say, records: Path, tmp_path: Path) -> None:
    said = say("report", "kept")
    assert (said.code, said.err) == (0, "")
    assert {Path(line).parent for line in said.out.splitlines() if "rtx" in line} == {CARD}
    check = json.loads((tmp_path / CARD / "check.json").read_text(encoding="utf-8"))
    assert [record["path"] for record in check["records"]] == [
        "../../../kept/a.json",
        "../../../kept/deeper/b.json",
    ]
    page = (tmp_path / CARD / "check.html").read_text(encoding="utf-8")
    assert '<a href="../../../kept/a.json">' in page
    assert "2 records" in page


def test_a_merged_page_draws_memory_over_time_from_its_runs(say: Say, tmp_path: Path) -> None:
    for nth in (1, 2):
        write_record(watched(nth, 20), tmp_path / "kept" / f"{nth}.json")
    page, _ = say("report", "kept", "--format", "html").out.splitlines()
    assert 'id="plot-trace"' in (tmp_path / page).read_text(encoding="utf-8")


def test_a_plan_that_lies_beside_a_run_stands_on_its_page(say: Say, tmp_path: Path) -> None:
    write_record(cards.rtx_4070(), tmp_path / "kept" / "20261120T000000Z-standard-a.json")
    write_record(derived.derived_record(), tmp_path / "kept" / "20261119T000000Z-standard-plan-b.json")
    (tmp_path / "kept" / "20261121T000000Z-standard-plan-c.json").write_text("{")
    (page,) = say("report", "kept/20261120T000000Z-standard-a.json", "--format", "html").out.splitlines()
    assert "Predicted by" in (tmp_path / page).read_text(encoding="utf-8")


def test_a_record_and_its_copy_are_one_record(say: Say, tmp_path: Path) -> None:
    write_record(sample.standard(), tmp_path / "kept" / "a.json")
    write_record(sample.standard(), tmp_path / "copy.json")
    alone = say("report", "kept", "--out", "alone", "--format", "html,md")
    both = say("report", "kept", "copy.json", "kept/a.json", "--out", "both", "--format", "html,md")
    assert both.out.replace("both", "alone") == alone.out
    for line in both.out.splitlines():
        text = (tmp_path / line).read_text(encoding="utf-8")
        assert "2 records" not in text
        assert "Merged from" not in text


def test_each_record_too(say: Say, records: Path) -> None:
    said = say("report", "kept", "--each", "--format", "md")
    assert names(said.out) == {"check.md", "a.md", "b.md", "c.md"}


def test_the_document_of_one_record_leads_to_it(say: Say, records: Path, tmp_path: Path) -> None:
    one = next(records.rglob("*.json")).relative_to(tmp_path)
    for argument in (one, Path("kept", "..", one)):
        said = say("report", str(argument), "--format", "json")
        written = tmp_path / said.out.strip()
        (record,) = json.loads(written.read_text(encoding="utf-8"))["records"]
        assert (written.parent / record["path"]).resolve() == tmp_path / one


def test_the_document_of_one_record_tells_nothing_of_folders_elsewhere(
    say: Say, records: Path, tmp_path: Path
) -> None:
    one = next(records.rglob("*.json"))
    said = say("report", str(one), "--format", "json", "--out", str(tmp_path / ".." / "elsewhere"))
    (record,) = json.loads(Path(said.out.strip()).read_text(encoding="utf-8"))["records"]
    assert record["path"] is None


def test_a_subset_of_the_formats_elsewhere(say: Say, records: Path, tmp_path: Path) -> None:
    said = say("report", "kept/a.json", "kept/deeper/b.json", "--format", "md, csv", "--out", "there")
    assert said.code == 0
    written = sorted(path.name for path in (tmp_path / "there").rglob("*.*") if path.is_file())
    assert written == ["check.csv", "check.md"]
    assert len(said.out.splitlines()) == 2


def test_broken_records_are_named_and_the_good_ones_reported(say: Say, records: Path) -> None:
    (records / "bad.json").write_text('{"schema_version": "0.9"}')
    (records / "worse.json").write_text("{")
    for _ in range(2):  # also from the index
        said = say("report", "kept", "--format", "md")
        assert said.code == 2
        assert len(said.out.splitlines()) == 2
        bad, worse = said.err.splitlines()
        assert f"{Path('kept/bad.json')}: schema version '0.9' is not '1.0' or '1.1'" in bad
        assert f"{Path('kept/worse.json')}: " in worse
    (records / "bad.json").unlink()
    write_record(rerun(sample.standard(), 2), records / "worse.json")
    assert say("report", "kept", "--format", "md").code == 0


def test_what_is_not_there_is_said_before_anything_is_written(
    say: Say, records: Path, tmp_path: Path
) -> None:
    said = say("report", "kept", "nothing.json")
    assert said.code == 2
    assert "nothing.json: no such file" in said.line()
    assert not (tmp_path / "reports").exists()
    (tmp_path / "empty").mkdir()
    assert "contains no records" in say("report", "empty").line()
    assert "Missing argument" in say("report").line()


def test_an_unknown_format(say: Say, records: Path) -> None:
    said = say("report", "kept", "--format", "html,pdf")
    assert said.code == 2
    assert "--format: 'pdf' is not a format. Choose from html,json,md,csv" in said.line()


def test_a_file_in_the_way(say: Say, records: Path, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    said = say("report", "kept", "--out", "taken")
    assert said.code == 3
    assert "cannot be written" in said.line()


def test_the_index_lies_in_the_cache_or_where_it_is_wanted_or_nowhere(
    say: Say, records: Path, tmp_path: Path
) -> None:
    assert say("report", "kept", "--format", "md", "--no-index").code == 0
    assert not (tmp_path / "home").exists()
    assert say("report", "kept", "--format", "md", "--index", "mine.sqlite").code == 0
    assert (tmp_path / "mine.sqlite").is_file()
    assert not (tmp_path / "home").exists()
    assert say("report", "kept", "--format", "md").code == 0
    assert (cache_in(tmp_path / "home") / "records.sqlite").is_file()
    assert "exclude each other" in say("report", "kept", "--index", "x", "--no-index").line()


def test_a_record_is_never_taken_for_an_index(say: Say, records: Path) -> None:
    before = (records / "a.json").read_bytes()
    said = say("report", "kept", "--index", "kept/a.json")
    assert said.code == 2
    assert f"{Path('kept/a.json')} is not an index of bench" in said.line()
    assert (records / "a.json").read_bytes() == before


def test_a_damaged_index_is_made_again_with_one_line(say: Say, records: Path, tmp_path: Path) -> None:
    first = say("report", "kept", "--format", "json")
    check = (tmp_path / CARD / "check.json").read_bytes()
    index = cache_in(tmp_path / "home") / "records.sqlite"
    content = bytearray(index.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    index.write_bytes(content)
    (tmp_path / CARD / "check.json").unlink()
    said = say("report", "kept", "--format", "json")
    assert (said.code, said.out) == (0, first.out)
    assert len(said.err.splitlines()) == 1
    assert "the index is made again" in said.err
    assert (tmp_path / CARD / "check.json").read_bytes() == check
