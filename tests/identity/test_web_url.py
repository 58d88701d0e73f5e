"""The one grammar of URLs."""

import re
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.errors import UsageError
from bench.identity.web_url import MAX_URL, WebUrl, parse_url


@pytest.mark.parametrize(
    ("url", "parts", "text"),
    [
        ("https://ada.example", ("https", "ada.example", 443, "/", ""), "https://ada.example/"),
        (
            "HTTPS://Ada.Example:443/A?b=c",
            ("https", "ada.example", 443, "/A", "?b=c"),
            "https://ada.example/A?b=c",
        ),
        ("http://xn--bcher-kva.example:8080/%2F", ("http", "xn--bcher-kva.example", 8080, "/%2F", ""), None),
    ],
)
def test_a_url_has_parts_and_one_spelling(url: str, parts: tuple[str, str, int, str, str], text: str) -> None:
    assert parse_url(url) == WebUrl(*parts)
    assert str(parse_url(url)) == (text or url)
    assert parse_url(str(parse_url(url))) == parse_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://ada@evil.example/",
        "https://ada:secret@evil.example/",
        "https://github.com\\@evil.example/",
        "https://evil.example\\.github.com/",
        "https://evil.example#.github.com/",
        "https://evil.example/#github.com",
        "https:/evil.example/",
        "https:evil.example/",
        "https:///evil.example/",
        "https://evil..example/",
        "https://.evil.example/",
        "https://evil.example./",
        "https://-evil.example/",
        "https://evil-.example/",
        "https://evil_.example/",
        "https://%65vil.example/",
        "https://evil.example:/",
        "https://evil.example:0443/",
        "https://evil.example:443x/",
        "https://evil.example:65536/",
        "https://[::1]/",
        "https://bücher.example/",
        "https://gıthub.com/",
        "httpſ://evil.example/",
        "https://github。com/",
        "https://evil.example/ü",
        "https://evil.example/%",
        "https://evil.example/%zz",
        "https://evil.example/a b",
        "https://evil.example/a\r\nHost: other",
        "https://evil.example/\n",
        " https://evil.example/",
        "https://evil.example\t/",
        f"https://{'a' * 64}.example/",
        f"https://{'a.' * 130}example/",
        "https://evil.example/" + "x" * MAX_URL,
        "ftp://evil.example/",
        "javascript:alert(1)",
        "",
    ],
)
def test_everything_else_is_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_url(url)
    assert "secret" not in str(caught.value)
    assert "xn--" in str(caught.value)


SIGNS = [
    "@",
    ":",
    "\\",
    "/",
    "//",
    ".",
    "..",
    "?",
    "#",
    "%2f",
    "%",
    "[",
    "]",
    ":443",
    "-",
    "_",
    ";",
    " ",
    "\n",
    "\t",
    "\0",
]
WORDS = ["https://", "http://", "ada", "ü", "。", "ａ", "ı", "ſ", "K", "xn--", "github.com", "127.0.0.1"]
PIECES = st.sampled_from(SIGNS) | st.sampled_from(WORDS)


@given(st.sampled_from(["", "https://"]), st.lists(PIECES).map("".join))
def test_other_readers_see_the_same_host_in_what_is_accepted(begin: str, end: str) -> None:
    url = begin + end
    try:
        found = parse_url(url)
    except UsageError:
        return
    other = urlsplit(url)
    assert (other.scheme, other.hostname, other.username) == (found.scheme, found.host, None)
    assert (other.port or found.port) == found.port
    assert re.fullmatch(r"[a-z0-9.-]+", found.host)
    assert str(found).isascii() and str(found).isprintable() and " " not in str(found)
