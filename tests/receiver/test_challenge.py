"""Which account a file confirms, and what it must say."""

import re
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.errors import UsageError
from bench.receiver import challenge as module
from bench.receiver.challenge import Account, Challenge, account_of, challenge_text, confirms

RAW = "https://raw.githubusercontent.com"
ASKED = Challenge(
    site="https://bench.example",
    key_id="a1" * 32,
    account=account_of(f"{RAW}/ada/notes/HEAD/key.txt"),
    nonce="0f" * 16,
)
TABLE = re.findall(r"^\| `(https://\S+)` \| (.+) \|$", module.__doc__ or "", re.MULTILINE)
"""The examples of the docstring."""


@pytest.mark.parametrize(("url", "account"), TABLE)
def test_the_table_of_the_docstring_is_true(url: str, account: str) -> None:
    if account.startswith("refused"):
        with pytest.raises(UsageError):
            account_of(url)
    else:
        assert account_of(url) == Account(account.strip("`"), url)


def test_the_docstring_has_a_table() -> None:
    assert len(TABLE) == 8


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://Ada.Example:443/.well-known/moss-audio-bench/k", "ada.example"),
        ("https://xn--gthub-n4a.com/.well-known/moss-audio-bench/k", "xn--gthub-n4a.com"),
        ("https://github.com.evil.example/ada", "github.com.evil.example/ada"),
        ("https://notgithub.com/ada", "notgithub.com/ada"),
        ("https://evil.example/.well-known/other/k", "evil.example/.well-known/other/k"),
        (
            "https://evil.example/a/.well-known/moss-audio-bench/k",
            "evil.example/a/.well-known/moss-audio-bench/k",
        ),
        ("https://ada.github.io/.well-known/moss-audio-bench/k", "ada.github.io"),
        ("https://paste.example/raw/github.com/ada", "paste.example/raw/github.com/ada"),
    ],
)
def test_an_account_begins_with_the_host_of_its_file(url: str, name: str) -> None:
    assert account_of(url).name == name


@pytest.mark.parametrize(
    "url",
    [
        "http://ada.example/key.txt",
        "https://ada.example:8443/key.txt",
        "https://ada.example/key.txt?a=b",
        "https://ada.example",
        "https://ada.example/",
        "https://ada.example/keys/",
        "https://ada.example//key.txt",
        "https://ada.example/a/../key.txt",
        "https://ada.example/./key.txt",
        "https://ada.example/a/..",
        "https://ada.example/%2e%2e/key.txt",
        "https://ada.example/a%2fkey.txt",
        "https://ada.example/..;/key.txt",
        "https://localhost/key.txt",
        "https://93.184.215.14/key.txt",
        "https://0x5db8d70e/key.txt",
        "https://1.0x7f/key.txt",
        "https://ada@evil.example/key.txt",
        "https://github.com/.well-known/moss-audio-bench/k",
        "https://www.github.com/ada/notes/HEAD/key.txt",
        "https://gist.github.com/ada/0123",
        "https://gist.githubusercontent.com/ada/0123/raw/key.txt",
        f"{RAW}/.well-known/moss-audio-bench/key.txt",
        f"{RAW}/ada/notes/refs/pull/1/head/key.txt",
        f"{RAW}/ada/notes/{'a' * 40}/key.txt",
        f"{RAW}/ada/notes/refs/heads/{'a' * 40}/key.txt",
        f"{RAW}/ada/notes/main/key.txt",
        f"{RAW}/ada/notes/HEAD",
        f"{RAW}/ada/../mallory/notes/HEAD/key.txt",
        f"{RAW}/-ada/notes/HEAD/key.txt",
        "https://gitlab.com/group/team/notes/-/raw/HEAD/key.txt",
        f"https://gitlab.com/ada/notes/-/raw/{'a' * 40}/key.txt",
        "https://gitlab.com/ada/notes/-/blob/main/key.txt",
        "https://docs.gitlab.com/ada/notes/-/raw/main/key.txt",
        f"https://codeberg.org/ada/notes/raw/commit/{'a' * 40}/key.txt",
        "https://codeberg.org/ada/notes/src/branch/main/key.txt",
    ],
)
def test_urls_that_strangers_could_have_written_confirm_nothing(url: str) -> None:
    with pytest.raises(UsageError):
        account_of(url)


def test_a_refusal_says_which_url_to_give() -> None:
    with pytest.raises(UsageError) as caught:
        account_of("https://github.com/ada/notes/blob/main/key.txt")
    assert str(caught.value) == (
        "this is not a file on the main branch of a public repository of github.com. "
        "Give a URL like https://raw.githubusercontent.com/OWNER/REPOSITORY/HEAD/FILE"
    )


SIGNS = [
    "/",
    "//",
    ".",
    "..",
    "\\",
    "@",
    ":",
    ":443",
    "?",
    "#",
    "%2f",
    "%2e",
    "%40",
    ";",
    " ",
    "\n",
    "ı",
    "ſ",
    "。",
]
WORDS = [
    "ada",
    "mallory",
    "github.com",
    "raw.githubusercontent.com",
    "gitlab.com",
    "evil.example",
    "xn--",
    "HEAD",
]
PLACES = ["refs/heads/main", "-/raw/main", "raw/branch/main", ".well-known/moss-audio-bench", "k", "https://"]
PIECES = st.sampled_from(SIGNS) | st.sampled_from(WORDS) | st.sampled_from(PLACES)


GOOD = [url for url, account in TABLE if not account.startswith("refused")]
FORGES = {
    "raw.githubusercontent.com": "github.com",
    "gitlab.com": "gitlab.com",
    "codeberg.org": "codeberg.org",
}


@given(
    st.sampled_from(GOOD), st.integers(min_value=0, max_value=80), st.lists(PIECES, max_size=4).map("".join)
)
def test_the_account_is_of_the_host_and_the_owner_that_other_readers_see(
    good: str, at: int, pieces: str
) -> None:
    url = good[:at] + pieces + good[at:]
    try:
        account = account_of(url)
    except UsageError:
        return
    parts = urlsplit(url)
    host = parts.hostname or ""
    if host in FORGES:
        assert account.name == f"{FORGES[host]}/{parts.path.split('/')[1].lower()}"
    else:
        assert account.name in {host, host + parts.path}
        assert not re.fullmatch(r"(.+\.)?(github\.com|gitlab\.com|codeberg\.org)", host)
    assert account.name.isascii()
    assert account_of(account.url) == account


def test_the_text_of_a_challenge() -> None:
    assert challenge_text(ASKED) == (
        "moss-audio-bench: this file confirms a key\n"
        "site: https://bench.example\n"
        f"key: {'a1' * 32}\n"
        f"file: {RAW}/ada/notes/HEAD/key.txt\n"
        f"nonce: {'0f' * 16}\n"
    )


def test_an_editor_may_change_how_lines_end() -> None:
    text = challenge_text(ASKED).encode()
    for content in (text, text.rstrip(), text.replace(b"\n", b"\r\n"), text.replace(b"\n", b"\r\n").rstrip()):
        assert confirms(content, ASKED)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: b"",
        lambda text: text + b"\n",
        lambda text: b"\n" + text,
        lambda text: b"\xef\xbb\xbf" + text,
        lambda text: text + text,
        lambda text: b"<pre>" + text + b"</pre>",
        lambda text: text.replace(b": ", b":"),
        lambda text: text.replace(b"\n", b"\r"),
        lambda text: text.replace(b"\n", b" \n"),
        lambda text: text.upper(),
        lambda text: text.decode().encode("utf-16"),
    ],
)
def test_any_other_change_confirms_nothing(change: object) -> None:
    assert callable(change)
    assert not confirms(change(challenge_text(ASKED).encode()), ASKED)


@given(st.binary())
def test_no_other_content_confirms(content: bytes) -> None:
    assert not confirms(content, ASKED)


@pytest.mark.parametrize(
    "other",
    [
        replace(ASKED, site="https://other.example"),
        replace(ASKED, key_id="a2" * 32),
        replace(ASKED, account=account_of(f"{RAW}/ada/notes/HEAD/other.txt")),
        replace(ASKED, nonce="0e" * 16),
    ],
)
def test_the_file_of_another_challenge_confirms_nothing(other: Challenge) -> None:
    assert not confirms(challenge_text(other).encode(), ASKED)


@pytest.mark.parametrize(
    "wrong",
    [
        {"site": "bench"},
        {"site": "https://a.example/\nkey: b"},
        {"key_id": "a1\n"},
        {"nonce": "short"},
        {"nonce": ""},
    ],
)
def test_a_challenge_cannot_contain_another_line(wrong: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        replace(ASKED, **wrong)  # type: ignore[arg-type]
