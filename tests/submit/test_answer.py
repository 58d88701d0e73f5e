"""Answers of sites, which anybody may have written."""

import json

import pytest

from bench.submit.answer import Accepted, Refused, read_answer
from tests.submit.site_server import FINDING, ID, accepted

GOOD = json.loads(accepted().body)


def test_a_good_answer_and_one_of_a_newer_bench() -> None:
    newer = {**GOOD, "queue": 7, "findings": [{**FINDING, "code": "unheard_of", "weight": 1}]}
    read = read_answer(Accepted, json.dumps(newer).encode())
    assert read is not None
    assert (read.id, read.state, read.findings[0].code) == (ID, "held", "unheard_of")


def test_an_id_has_all_digits_where_another_record_has_the_first() -> None:
    read = read_answer(Accepted, json.dumps({**GOOD, "id": ID * 4, "url": f"/records/{ID * 4}/"}).encode())
    assert read is not None
    assert read.id == ID * 4


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "../../etc"},
        {"id": 7},
        {"id": ID * 2},
        {"state": "held\x1b[2J"},
        {"url": "//evil.example/"},
        {"url": "https://evil.example/"},
        {"url": "/records/\n"},
        {"findings": None},
        {"findings": [{**FINDING, "severity": "fatal"}]},
        {"findings": [{**FINDING, "code": "\u202e"}]},
    ],
)
def test_a_field_that_is_not_as_agreed(changes: dict[str, object]) -> None:
    assert read_answer(Accepted, json.dumps({**GOOD, **changes}).encode()) is None


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"<html>", b"\xff\xfe\xff", b'{"title": "a", "title": "b"}', b"[" * 100_000]
)
def test_what_is_no_answer(content: bytes) -> None:
    assert read_answer(Refused, content) is None


def test_texts_cannot_reach_the_terminal_as_codes() -> None:
    wrong = {**FINDING, "sentence": "\x1b[2Jfine\n", "path": "\u202e$", "remedy": "x" * 10_000}
    read = read_answer(Refused, json.dumps({"title": "a\r\nb", "findings": [wrong]}).encode())
    assert read is not None
    (finding,) = read.findings
    assert read.title == "a b"
    for text in (finding.sentence, finding.path, finding.remedy):
        assert text.isprintable()
        assert len(text) <= 600
