"""A challenge over HTTP, with every fault of a site in one line."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bench.errors import BenchError, RecordError, SiteError
from bench.identity.challenge import MAX_BYTES, issue_challenge
from bench.identity.keys import SigningKey
from bench.submit.challenge import challenge_of
from bench.submit.destination import site_of
from bench.submit.send import Patience
from tests.identity.signers import signer
from tests.submit.site_server import Answer, Cut, Silence, busy, document, serve

PATIENCE = Patience(tries=1)
AGAIN = "Run the same command again, or leave --challenge out"
ISSUED = issue_challenge("https://a.example", datetime(2026, 12, 1, tzinfo=UTC), SigningKey(signer(), Path()))


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def fault(answer: Answer | Cut | Silence, kind: type[BenchError], patience: Patience = PATIENCE) -> str:
    with serve(answer) as site, pytest.raises(kind) as failed:
        challenge_of(site_of(site.url), patience)
    assert str(failed.value).isprintable()
    return str(failed.value).removeprefix(site.url)


def test_a_site_below_a_path_is_asked_once() -> None:
    with serve(Answer(200, ISSUED)) as site:
        assert challenge_of(site_of(f"{site.url}/moss/")).site == "https://a.example"
    assert [each.path for each in site.received] == ["/moss/api/challenge"]


def test_a_site_that_issues_none() -> None:
    for status in (404, 405):
        said = fault(document(status, title="No"), SiteError)
        assert said == " issues no challenges. Leave --challenge out, or name another site"


def test_a_site_that_is_none_of_bench() -> None:
    assert fault(document(204), SiteError).startswith(" answers as no site of bench does (HTTP 204)")
    assert fault(document(200, payload="x"), RecordError).startswith(": answers with no challenge")
    redirect = Answer(302, b"", (("Location", "https://evil.example"),))
    assert "(HTTP 302)" in fault(redirect, SiteError)


def test_a_site_that_is_busy() -> None:
    said = fault(busy(429, "7"), SiteError)
    assert said == f" limits how often it is asked (HTTP 429). Wait 7 s. {AGAIN}"


def test_a_signature_that_does_not_hold() -> None:
    broken = ISSUED.replace(b'"sig":"', b'"sig":"AAAA')[:-7] + b'"}]}'
    assert fault(Answer(200, broken), RecordError)


def test_an_answer_that_is_too_long_breaks_off_or_never_comes() -> None:
    assert f"larger than {MAX_BYTES:,} bytes" in fault(Answer(200, b"x" * 100_000), SiteError)
    assert fault(Answer(200, ISSUED, length=9999), SiteError) == f" broke the connection. {AGAIN}"
    assert fault(Cut(), SiteError) == f" broke the connection. {AGAIN}"
    said = fault(Silence(), SiteError, replace(PATIENCE, silence_s=0.05))
    assert said == f" does not answer in time. {AGAIN}"


def test_nobody_listens() -> None:
    with serve(Answer()) as site:
        url = site.url
    with pytest.raises(SiteError, match="refuses the connection"):
        challenge_of(site_of(url), PATIENCE)
