"""A bundle sent to a real server on this computer, and everything that can go wrong on the way."""

import gzip
import hashlib
import time
from dataclasses import replace
from pathlib import Path

import pytest

from bench.errors import SiteError
from bench.submit.answer import Accepted, Refused
from bench.submit.destination import Site, site_of
from bench.submit.send import Patience, send
from tests.certificate import self_signed
from tests.submit.site_server import (
    FINDING,
    ID,
    Answer,
    Cut,
    Silence,
    accepted,
    busy,
    document,
    serve,
    tunnel,
)

BUNDLE = b'{"payload": "..."}' * 1000
AT_ONCE = Patience(tries=3, first_pause_s=0.0)
ONCE = replace(AT_ONCE, tries=1)
HTML = Answer(200, b"<!doctype html><title>Log in</title>", (("Content-Type", "text/html"),))


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def silent(_: str) -> None:
    """Show no progress."""


def fault(site: Site, patience: Patience = AT_ONCE) -> str:
    """The one line of an error."""
    with pytest.raises(SiteError) as failed:
        send(BUNDLE, site, silent, patience)
    assert str(failed.value).isprintable()
    assert failed.value.hint
    return str(failed.value)


@pytest.mark.parametrize("status", [200, 201])
def test_it_is_sent_once_as_json_under_its_own_hash(status: int) -> None:
    with serve(accepted(status)) as site:
        answer = send(BUNDLE, site_of(f"{site.url}/moss/"), silent)
    assert isinstance(answer, Accepted)
    assert (answer.id, answer.state) == (ID, "held")
    (received,) = site.received
    assert received.path == "/moss/api/submissions"
    assert received.body == BUNDLE
    assert received.headers["Content-Type"] == "application/json"
    assert received.headers["Idempotency-Key"] == hashlib.sha256(BUNDLE).hexdigest()


@pytest.mark.parametrize(
    "before",
    [
        busy(429),
        busy(429, "0"),
        busy(429, "soon"),
        busy(503, "0"),
        busy(500),
        Answer(502, b"<html>Bad Gateway</html>"),
        Cut(),
        Answer(201, b'{"id"', length=1000),
    ],
    ids=["429", "429-seconds", "429-word", "503", "500", "502-page", "cut", "cut-in-the-body"],
)
def test_what_can_pass_is_tried_again_with_the_same_key(before: Answer | Cut) -> None:
    lines: list[str] = []
    with serve(before, before, accepted()) as site:
        answer = send(BUNDLE, site_of(site.url), lines.append, AT_ONCE)
    assert isinstance(answer, Accepted)
    assert len(site.received) == 3
    assert len({each.headers["Idempotency-Key"] for each in site.received}) == 1
    assert {each.body for each in site.received} == {BUNDLE}
    assert [line.partition(" (try ")[2] for line in lines[::2]] == ["1 of 3)", "2 of 3)", "3 of 3)"]


def test_after_the_last_try_the_next_step_is_named() -> None:
    with serve(busy(503)) as site:
        said = fault(site_of(site.url))
    assert len(site.received) == 3
    assert said == (
        f"{site.url} has a fault, or is busy (HTTP 503). Run the same command again: it sends the same bundle"
    )


def test_a_long_pause_that_the_site_asks_for_is_not_waited_for() -> None:
    with serve(busy(429, "3600")) as site:
        said = fault(site_of(site.url))
    assert len(site.received) == 1
    assert "limits how often it is asked (HTTP 429). Wait 3600 s. Run the same command again" in said


def test_the_pause_that_the_site_asks_for_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr(time, "sleep", waited.append)
    with serve(busy(503, "7"), accepted()) as site:
        send(BUNDLE, site_of(site.url), silent, AT_ONCE)
    assert waited == [7]


def test_pauses_double_up_to_a_limit_and_are_not_all_alike() -> None:
    patience = Patience(first_pause_s=1, longest_pause_s=8)
    for tried, whole in ((1, 1), (2, 2), (3, 4), (4, 8), (20, 8)):
        pauses = {patience.pause_s(tried) for _ in range(20)}
        assert len(pauses) > 1
        assert all(whole / 2 <= pause <= whole for pause in pauses)


def test_a_server_that_never_answers() -> None:
    with serve(Silence()) as site:
        said = fault(site_of(site.url), replace(ONCE, silence_s=0.2))
    assert said.startswith(f"{site.url} does not answer in time. Run the same command again")


def test_an_answer_that_comes_too_slowly() -> None:
    with serve(accepted()) as site:
        said = fault(site_of(site.url), replace(ONCE, answer_s=-1.0))
    assert said.startswith(f"{site.url} does not answer in time. ")


def test_a_server_that_is_not_there() -> None:
    with serve(accepted()) as site:
        pass
    assert fault(site_of(site.url)).startswith(f"{site.url} refuses the connection. ")


def test_a_refusal_has_its_findings() -> None:
    with serve(document(422, title="It has errors", findings=[FINDING])) as site:
        answer = send(BUNDLE, site_of(site.url), silent)
    assert isinstance(answer, Refused)
    assert answer.title == "It has errors"
    assert [finding.code for finding in answer.findings] == ["outlier_of_card"]


def test_a_bundle_that_is_too_large_for_the_site_is_refused() -> None:
    with serve(document(413, title="More than 4 MiB")) as site:
        answer = send(BUNDLE, site_of(site.url), silent)
    assert answer == Refused(title="More than 4 MiB")


def test_a_refusal_counts_although_the_site_did_not_read_the_whole_bundle() -> None:
    with serve(replace(document(413, title="More than 4 MiB"), is_early=True)) as site:
        answer = send(b"x" * 20_000_000, site_of(site.url), silent, AT_ONCE)
    assert answer == Refused(title="More than 4 MiB")


@pytest.mark.parametrize("status", [400, 403, 409, 415])
def test_another_refusal_is_no_judgement_of_the_record(status: int) -> None:
    with serve(document(status, title="\x1b[2JNo")) as site:
        said = fault(site_of(site.url))
    assert f"does not take the bundle (HTTP {status}): \ufffd[2JNo. " in said
    assert len(site.received) == 1


@pytest.mark.parametrize(
    "answer",
    [
        HTML,
        replace(HTML, status=404),
        Answer(201, b"{"),
        Answer(201, b"\xff\xfe\xfa"),
        Answer(201, b'{"id": "x"}'),
        Answer(201, b""),
        Answer(422, b"[" * 100_000),
        Answer(304),
    ],
    ids=lambda answer: f"{answer.status}-{answer.body[:5]!r}",
)
def test_a_server_that_is_no_site_of_bench(answer: Answer) -> None:
    with serve(answer) as site:
        said = fault(site_of(site.url))
    assert said == (
        f"{site.url} answers as no site of bench does (HTTP {answer.status}). "
        "Check the address; a network may want you to log in first"
    )
    assert len(site.received) == 1


def test_an_endless_answer_is_not_read_to_its_end() -> None:
    with serve(Answer(201, b" " * 10_000_000)) as site:
        said = fault(site_of(site.url))
    assert f"the answer of {site.url} is larger than 4 MiB" in said


def test_a_compressed_answer_is_not_unpacked() -> None:
    packed = gzip.compress(b" " * 10_000_000)
    with serve(Answer(201, packed, (("Content-Encoding", "gzip"),))) as site:
        said = fault(site_of(site.url))
    assert "answers as no site of bench does (HTTP 201)" in said


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_no_redirect_is_followed(status: int) -> None:
    with serve(accepted()) as other, serve(Answer(status, headers=(("Location", other.url),))) as site:
        said = fault(site_of(site.url))
    assert f"redirects to '{other.url}' (HTTP {status}), which is not followed" in said
    assert other.received == []


def test_a_name_that_is_not_known() -> None:
    said = fault(site_of("https://results.invalid"))
    assert said == "the name results.invalid is not known here. Check the address, the connection"


def test_a_certificate_that_nobody_knows_and_one_that_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = self_signed(tmp_path)
    with serve(accepted(), certificate=certificate) as site:
        said = fault(site_of(site.url))
        assert said.startswith("the certificate of localhost is not trusted. Check the address; ")
        assert site.received == []
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
        assert isinstance(send(BUNDLE, site_of(site.url), silent), Accepted)


def test_an_encrypted_connection_that_breaks_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = self_signed(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    with serve(Cut(), accepted(), certificate=certificate) as site:
        assert isinstance(send(BUNDLE, site_of(site.url), silent, AT_ONCE), Accepted)
    assert len(site.received) == 2


def test_a_server_without_tls() -> None:
    with serve(accepted()) as site:
        said = fault(site_of(f"https://127.0.0.1:{site.port}"))
    assert said.startswith("the connection to 127.0.0.1 could not be encrypted. Check the address")


def test_a_file_of_certificates_that_has_none_or_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "absent.pem"))
    said = fault(site_of("https://results.invalid"))
    assert said.startswith("SSL_CERT_FILE names a certificate file that does not exist. ")
    (tmp_path / "absent.pem").write_text("no certificate at all")
    said = fault(site_of("https://results.invalid"))
    assert said.startswith("SSL_CERT_FILE names a file without certificates. ")


def test_the_proxy_of_the_environment_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate = self_signed(tmp_path, "results.invalid")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    with serve(accepted(), certificate=certificate) as site, tunnel(site.port) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy)
        answer = send(BUNDLE, site_of("https://results.invalid"), silent)
    assert isinstance(answer, Accepted)


def test_a_site_on_this_computer_is_asked_without_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://proxy.invalid:3128")
    with serve(accepted()) as site:
        assert isinstance(send(BUNDLE, site_of(site.url), silent), Accepted)
