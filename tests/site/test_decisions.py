"""Files that publish or withdraw a record."""

import json
from pathlib import Path

import pytest

from bench.errors import RecordError
from bench.site.decisions import Decisions, read_decisions
from tests.site.results import decide

ID = "0123456789abcdef"


def test_no_decisions(tmp_path: Path) -> None:
    found = read_decisions(tmp_path)
    assert (found.published, found.withdrawn) == ({}, {})


def test_reasons_by_id(tmp_path: Path) -> None:
    decide(tmp_path, "published", ID, "A person looked: the card is overclocked")
    decide(tmp_path, "withdrawn", "f" * 64, "Asked for by its\x1b[2J sender")
    found = read_decisions(tmp_path)
    assert found.published == {ID: "A person looked: the card is overclocked"}
    assert found.withdrawn == {"f" * 64: "Asked for by its\ufffd[2J sender"}


@pytest.mark.parametrize("name", ["note", "0123", "0123456789ABCDEF"])
def test_a_name_that_is_no_id(tmp_path: Path, name: str) -> None:
    decide(tmp_path, "withdrawn", name, "why")
    with pytest.raises(RecordError, match=r"is not named after an entry"):
        read_decisions(tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"reason": ""}',
        '{"reason": " "}',
        '{"reason": 7}',
        '{"reason": "a", "reason": "b"}',
        '{"reason": "a", "state": "published"}',
        json.dumps({"reason": "x" * 501}),
        "[" * 5_000,
        " " * 2**17,
    ],
)
def test_what_is_no_decision_stops_the_build(tmp_path: Path, content: str) -> None:
    path = tmp_path / "withdrawn" / f"{ID}.json"
    path.parent.mkdir()
    path.write_text(content)
    with pytest.raises(RecordError, match=str(path)):
        read_decisions(tmp_path)


def test_decisions_by_entry() -> None:
    whole = f"{ID}{'0' * 48}"
    decisions = Decisions({whole: "looked at"}, {ID: "asked for"})
    assert decisions.by_entry({ID: whole}) == Decisions({ID: "looked at"}, {ID: "asked for"})
    with pytest.raises(RecordError, match=f"published/{whole}.json"):
        decisions.by_entry({ID: "f" * 64})
