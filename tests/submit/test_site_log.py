"""The log of a site: read as it comes, up to a size, with every fault of a network in one line."""

from dataclasses import replace

import pytest

from bench.errors import SiteError
from bench.submit.destination import Site, site_of
from bench.submit.send import Patience
from bench.submit.site_log import MAX_LINE_BYTES, checkpoint_of, log_of
from tests.hub_server import proxy
from tests.submit.site_server import Answer, Cut, Silence, busy, document, serve

PATIENCE = Patience(tries=1)


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def fault(site: Site, patience: Patience = PATIENCE) -> str:
    with pytest.raises(SiteError) as failed:
        list(log_of(site, patience))
    assert str(failed.value).isprintable()
    return str(failed.value)


@pytest.mark.parametrize(
    ("body", "lines"),
    [
        (b"", []),
        (b"one\n", [b"one"]),
        (b"one\ntwo", [b"one", b"two"]),
        (b"\n\n", [b"", b""]),
        (b"x" * MAX_LINE_BYTES + b"\n" + b"y\n" * 50_000, [b"x" * MAX_LINE_BYTES, *[b"y"] * 50_000]),
    ],
)
def test_the_lines_of_a_log(body: bytes, lines: list[bytes]) -> None:
    with serve(Answer(200, body)) as site:
        assert list(log_of(site_of(f"{site.url}/moss/"))) == lines
    assert [each.path for each in site.received] == ["/moss/api/log"]


def test_a_checkpoint_is_small() -> None:
    with serve(Answer(200, b"1234")) as site:
        assert checkpoint_of(site_of(site.url), 4) == b"1234"
        with pytest.raises(SiteError, match="the checkpoint is larger than 3 bytes"):
            checkpoint_of(site_of(site.url), 3)
    assert site.received[0].path == "/api/log/checkpoint"


def test_a_line_that_no_log_has_is_not_kept() -> None:
    with serve(Answer(200, b"x" * 10_000_000)) as site:
        assert "that no log has" in fault(site_of(site.url))


@pytest.mark.parametrize("status", [204, 302, 404])
def test_what_is_no_site_of_bench(status: int) -> None:
    with serve(document(status, title="No")) as site:
        assert f"answers as no site of bench does (HTTP {status})" in fault(site_of(site.url))


def test_a_site_that_limits_how_often_it_is_asked() -> None:
    with serve(busy(429, "7")) as site:
        said = fault(site_of(site.url))
    assert said == f"{site.url} limits how often it is asked (HTTP 429). Wait 7 s. Run the same command again"


def test_a_connection_that_breaks_off() -> None:
    with serve(Answer(200, b"one\ntw", length=100)) as site:
        assert fault(site_of(site.url)) == f"{site.url} broke the connection. Run the same command again"
    with serve(Cut()) as site:
        assert "broke the connection" in fault(site_of(site.url))


def test_a_site_that_never_answers() -> None:
    with serve(Silence()) as site:
        said = fault(site_of(site.url), replace(PATIENCE, silence_s=0.2))
    assert said == f"{site.url} does not answer in time. Run the same command again"


def test_a_proxy_that_does_not_connect(monkeypatch: pytest.MonkeyPatch) -> None:
    with proxy(403) as address:
        monkeypatch.setenv("HTTPS_PROXY", address)
        said = fault(site_of("https://results.invalid"))
    assert said.endswith("allow results.invalid, or download the log elsewhere and verify the file")
