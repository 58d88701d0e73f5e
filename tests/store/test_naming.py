"""The names of files, and what a file is taken for."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from bench.store import naming

AT = datetime(2026, 6, 7, 20, 15, tzinfo=UTC)
ID = "1f2e3d4c5b6a"


def test_names_of_records_begin_with_the_time_and_say_what_they_are_of() -> None:
    assert naming.record_name(AT, "quick", "", ID) == f"20260607T201500Z-quick-{ID}.json"
    assert naming.record_name(AT, "quick", "plan", ID) == f"20260607T201500Z-quick-plan-{ID}.json"


def test_a_bundle_is_named_after_its_record_and_its_key() -> None:
    name = naming.bundle_name(f"20260607T201500Z-quick-{ID}", "0a1b2c3d" + "4" * 56)
    assert name == f"20260607T201500Z-quick-{ID}-0a1b2c3d.bundle.json"
    assert naming.is_bundle(Path("a") / name)
    assert not naming.is_bundle(Path("a/x.json"))


@pytest.mark.parametrize(
    ("site", "name"),
    [
        ("https://example.org", "x-0a1b2c3d.example.org.receipt.json"),
        ("http://127.0.0.1:8000/moss", "x-0a1b2c3d.127.0.0.1-8000-moss.receipt.json"),
        ("https://[::1]", "x-0a1b2c3d.1.receipt.json"),
    ],
)
def test_a_receipt_is_named_after_the_bundle_and_the_site(site: str, name: str) -> None:
    assert naming.receipt_of(Path("a/x-0a1b2c3d.bundle.json"), site) == Path("a") / name
    assert len(naming.receipt_of(Path("x.bundle.json"), site + "a" * 300).name) < 255


def test_a_record_and_its_journal_lie_in_one_folder() -> None:
    record, journal = Path("a/x.json"), Path("a/x.journal.jsonl")
    assert naming.journal_of(record) == naming.journal_of(journal) == journal
    assert naming.record_of(journal) == naming.record_of(record) == record


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("20260607T201500Z-quick-1f2e3d4c5b6a.json", True),
        ("spotcheck.json", True),
        ("check.json.json", True),
        ("check.json", False),
        ("x.check.json", False),
        ("0a1b2c3d.emulated-12282MiB.check.json", False),
        ("x-0a1b2c3d.bundle.json", True),
        ("x-0a1b2c3d.example.org.receipt.json", False),
        ("x.journal.jsonl", False),
        ("x.html", False),
    ],
)
def test_every_json_but_a_check_document_and_a_receipt_may_be_a_record(
    name: str, expected: bool, tmp_path: Path
) -> None:
    (tmp_path / name).touch()
    assert naming.may_be_record(tmp_path / name) is expected
    assert list(naming.records_in(tmp_path)) == list(naming.records_below(tmp_path))
    assert bool(list(naming.records_in(tmp_path))) is expected


@pytest.mark.parametrize("stem", ["x", "check", naming.check_stem(12_878_610_432, "0a1b2c3d4e5f")])
def test_no_report_has_the_name_of_a_record(stem: str) -> None:
    assert naming.is_check(naming.report_name(stem, "json"))
    assert naming.report_name(stem, "html") == f"{stem}.html"


def test_only_journals_of_the_suite_itself_count_as_left_by_it(tmp_path: Path) -> None:
    records = [
        naming.record_name(AT, "quick", "", ID),
        naming.record_name(AT, "quick-2", "", ID),
        naming.record_name(AT, "quick", "frontier", ID),
    ]
    journals = [naming.journal_of(tmp_path / name) for name in records]
    for journal in journals:
        journal.touch()
    assert naming.journals_of_suite(tmp_path, "quick") == (journals[0],)


def test_the_newest_plan_comes_first_and_a_check_document_of_a_plan_is_none(tmp_path: Path) -> None:
    for name in ("1-quick-plan-a.json", "2-quick-plan-b.json", "3-quick-plan-b.check.json", "4-quick-c.json"):
        (tmp_path / name).touch()
    assert [path.name[0] for path in naming.plans_in(tmp_path)] == ["2", "1"]


def test_a_pair_counts_when_both_records_are_there(tmp_path: Path) -> None:
    for side, number in (("base", 1), ("new", 1), ("base", 2)):
        path = naming.pair_record(tmp_path, side, number)
        path.parent.mkdir(exist_ok=True)
        path.touch()
    assert naming.pair_numbers(tmp_path) == (1,)


def test_decisions_of_a_site_are_no_records(tmp_path: Path) -> None:
    decisions, others = ("published/a", "withdrawn/b", "keys/e"), ("M/withdrawn/c", "withdrawn/M/d")
    for name in (f"{each}.json" for each in (*decisions, *others)):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert {path.name for path in naming.records_below(tmp_path)} == {"c.json", "d.json"}
    assert [path.name for path in naming.decisions_in(tmp_path, "withdrawn")] == ["b.json"]
    assert list(naming.decisions_in(tmp_path / "M", "published")) == []
    assert list(naming.key_files_in(tmp_path)) == [naming.key_file(tmp_path, "e")]
