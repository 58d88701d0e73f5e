"""Addresses of sites and datasets: which are taken, and where bundles go then."""

import pytest

from bench.errors import UsageError
from bench.submit.destination import Dataset, destination_of, site_of


@pytest.mark.parametrize(
    ("text", "url", "is_own"),
    [
        ("https://results.example.org", "https://results.example.org", False),
        ("HTTPS://Results.Example.ORG/", "https://results.example.org", False),
        ("https://example.org:8443/moss/Audio/", "https://example.org:8443/moss/Audio", False),
        ("http://localhost:8000", "http://localhost:8000", True),
        ("http://127.0.0.1:8000/", "http://127.0.0.1:8000", True),
        ("http://[::1]:8000", "http://[::1]:8000", True),
        ("https://[2001:db8::1]", "https://[2001:db8::1]", False),
    ],
)
def test_an_address_of_a_site(text: str, url: str, is_own: bool) -> None:
    site = site_of(text)
    assert (site.url, site.is_own) == (url, is_own)
    assert site.submissions == f"{url}/api/submissions"


@pytest.mark.parametrize(
    "text",
    [
        "ftp://example.org",
        "example.org",
        "https://",
        "https://ada:secret@example.org",
        "https://example.org/?a=b",
        "https://example.org/#top",
        "https://example.org:99999",
        "https://exa mple.org",
        "https://example.org/\x1b[2J",
        "https://example.org//evil",
        "hf://datasets/name",
        "hf://models/org/name",
        "hf://datasets/org/name/file.json",
        "https://éxample.org",
    ],
)
def test_anything_else_is_refused_in_one_printable_line(text: str) -> None:
    with pytest.raises(UsageError, match="is nothing that takes bundles") as refused:
        destination_of(text)
    assert str(refused.value).isprintable()


@pytest.mark.parametrize(
    "host", ["example.org", "192.168.1.7", "localhost.example.org", "127.0.0.1.example.org"]
)
def test_http_is_for_this_computer_alone(host: str) -> None:
    with pytest.raises(UsageError, match=f"http://{host}:80 is not encrypted.*Use https://{host}"):
        site_of(f"http://{host}:80")


def test_what_is_no_address_of_a_site() -> None:
    with pytest.raises(UsageError, match=r"'ftp://x' is no address of a site. Write https://HOST"):
        site_of("ftp://x")


def test_an_address_of_a_dataset() -> None:
    assert destination_of("hf://datasets/Some-Org/moss.results/") == Dataset("Some-Org/moss.results")
    assert Dataset("a/b").address == "hf://datasets/a/b"
