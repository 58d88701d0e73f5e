"""Proxies that do not lead to a site: one line each, without the password in their address."""

import pytest

from bench.errors import SiteError
from bench.submit.destination import site_of
from bench.submit.send import Patience, send
from tests.hub_server import proxy

SITE = site_of("https://results.invalid")


def fault(monkeypatch: pytest.MonkeyPatch, address: str) -> str:
    for name in ("ALL_PROXY", "NO_PROXY", "all_proxy", "no_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTPS_PROXY", address)
    with pytest.raises(SiteError) as failed:
        send(b"{}", SITE, lambda _: None, Patience(tries=2, first_pause_s=0.0))
    return str(failed.value)


@pytest.mark.parametrize("status", [403, 502])
def test_a_proxy_that_does_not_connect(monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    with proxy(status) as address:
        said = fault(monkeypatch, address)
    assert said == (
        f"the proxy in HTTPS_PROXY does not connect to results.invalid (HTTP {status}). "
        "Ask its administrator to allow results.invalid, or use --offline"
    )


def test_a_proxy_that_wants_a_password(monkeypatch: pytest.MonkeyPatch) -> None:
    with proxy(407) as address:
        said = fault(monkeypatch, address)
    assert said.startswith("The proxy wants a name and a password (HTTP 407). Write them into HTTPS_PROXY: ")


@pytest.mark.parametrize(
    ("address", "line"),
    [
        (
            "http://ada:secret@proxy.invalid:3128",
            "the name results.invalid or that of the proxy is not known",
        ),
        ("ftp://ada:secret@proxy.invalid", "The proxy in HTTPS_PROXY has an address of an unknown kind"),
        ("http://ada:secret@[proxy", "The proxy in HTTPS_PROXY has no valid address"),
    ],
)
def test_a_proxy_that_is_not_there_or_none(monkeypatch: pytest.MonkeyPatch, address: str, line: str) -> None:
    said = fault(monkeypatch, address)
    assert line in said
    assert "HTTPS_PROXY" in said
    assert "secret" not in said
