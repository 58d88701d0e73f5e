"""What comes in is refused with findings, held, or valid."""

from datetime import timedelta

import pytest

from bench.receiver.intake import RefusedError, judge
from bench.receiver.states import State
from tests.identity.signers import bundled
from tests.receiver.sent import NOW, bundle
from tests.site.results import RUN, run, sealed
from tests.validate.edits import document_of


def test_a_bundle_without_findings_is_valid() -> None:
    found = judge(bundle(), NOW)
    assert (found.state, found.reason) == (State.VALID, None)
    assert found.content_hash == run(1).content_hash
    assert (found.model, found.slug) == ("MOSS-Audio-4B-Instruct", RUN.card)


@pytest.mark.parametrize(
    ("handle", "note", "reason"),
    [
        (None, "at 100 %", "a person reads the note first"),
        ("ada", "hello", "a person reads the handle and the note first"),
    ],
)
def test_words_of_a_sender_wait_for_a_person(handle: str | None, note: str | None, reason: str) -> None:
    found = judge(bundled(run(1), handle=handle, note=note), NOW)
    assert (found.state, found.reason) == (State.HELD, reason)


def test_a_suspicious_record_waits_for_a_person() -> None:
    changed = sealed(document_of(run(1)), {"model.config_sha256": "0" * 64})
    found = judge(bundled(changed), NOW)
    assert (found.state, found.reason) == (State.HELD, "a finding is suspicious")


def test_a_record_from_the_future_is_refused_with_its_finding() -> None:
    with pytest.raises(RefusedError) as caught:
        judge(bundle(), run(1).created_at - timedelta(days=3))
    assert [each.code for each in caught.value.findings] == ["date_in_future"]


def test_an_edited_record_is_refused_with_its_findings() -> None:
    changed = sealed(document_of(run(1)), {"cells[0].summary.decode_tokens_per_s.median": 99999.0})
    with pytest.raises(RefusedError, match="the record has errors") as caught:
        judge(bundled(changed), NOW)
    assert caught.value.findings


@pytest.mark.parametrize("content", [b"", b"{}", b"[" * 5000, b"\xff\xfe", b"null", b'{"payload": 1}'])
def test_what_is_no_bundle_is_refused_with_a_reason(content: bytes) -> None:
    with pytest.raises(RefusedError) as caught:
        judge(content, NOW)
    assert caught.value.title
    assert caught.value.findings == ()


def test_an_unsigned_record_is_refused_with_the_next_step() -> None:
    with pytest.raises(RefusedError, match="bench submit signs it"):
        judge(run(1).model_dump_json().encode(), NOW)
