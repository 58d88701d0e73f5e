"""Which account a file confirms."""

import re
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.errors import UsageError
from bench.identity import accounts as module
from bench.identity.accounts import Account, account_of

RAW = "https://raw.githubusercontent.com"
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
    assert len(TABLE) == 9


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
        f"{RAW}/Wiki/mallory/refs/heads/main/key.txt",
        f"{RAW}/ada/notes/HEAD",
        f"{RAW}/ada/../mallory/notes/HEAD/key.txt",
        f"{RAW}/-ada/notes/HEAD/key.txt",
        "https://gitlab.com/group/team/notes/-/raw/HEAD/key.txt",
        f"https://gitlab.com/ada/notes/-/raw/{'a' * 40}/key.txt",
        "https://gitlab.com/ada/notes/-/blob/main/key.txt",
        "https://docs.gitlab.com/ada/notes/-/raw/main/key.txt",
        "https://notes-ba1fd3.gitlab.io/key.txt",
        "https://ada.gitlab.io/.well-known/moss-audio-bench/key.txt",
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


@pytest.mark.parametrize(
    ("url", "holder"),
    [
        (f"{RAW}/Ada/notes/HEAD/key.txt", "github.com/ada"),
        (f"{RAW}/ada/other/HEAD/key-2.txt", "github.com/ada"),
        ("https://ada.github.io/key.txt", "github.com/ada"),
        ("https://ada.codeberg.page/key.txt", "codeberg.org/ada"),
        ("https://ada.example/.well-known/moss-audio-bench/key.txt", "ada.example"),
        ("https://ada.example/key-1.txt", "ada.example"),
        ("https://b.a.ada.example/key-2.txt", "ada.example"),
        ("https://notgithub.io/key.txt", "notgithub.io"),
    ],
)
def test_paths_and_subdomains_of_one_person_are_one_holder(url: str, holder: str) -> None:
    assert account_of(url).holder == holder


@given(st.sampled_from(GOOD), st.sampled_from(GOOD))
def test_no_account_has_two_holders(one: str, other: str) -> None:
    first, second = account_of(one), account_of(other)
    assert first.name != second.name or first.holder == second.holder
