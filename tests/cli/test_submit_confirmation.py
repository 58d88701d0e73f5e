"""`bench submit --confirm`: the file that an account publishes for a key."""

from pathlib import Path

import pytest

from bench.identity.confirmation import read_confirmation
from bench.identity.keys import find_key
from tests.cli.conftest import Say

URL = "https://raw.githubusercontent.com/ada/notes/HEAD/key.txt"
SITE = "https://results.example.org"


def test_the_file_is_written_and_what_to_do_with_it_is_said(say: Say, tmp_path: Path) -> None:
    said = say("submit", "--confirm", URL, "--to", f"{SITE}/")
    assert (said.code, said.err) == (0, "")
    key = find_key()
    assert key is not None
    found = read_confirmation((tmp_path / "key.txt").read_bytes(), "x")
    assert (found.key_id, found.account.url, found.site) == (key.key_id, URL, SITE)
    assert said.out.splitlines() == [
        f"key       {key.key_id[:16]}",
        f"account   github.com/ada, for {SITE}",
        "file      key.txt",
        f"next      publish it at {URL}, and leave it there",
        f"then      ask those who run the site: bench site confirm {URL}",
    ]
    again = say("submit", "--confirm", URL, "--to", SITE)
    assert again.code == 0, "the same file again"


def test_another_file_of_this_name_is_left_alone(say: Say, tmp_path: Path) -> None:
    (tmp_path / "key.txt").write_text("mine", encoding="utf-8")
    said = say("submit", "--confirm", URL, "--to", SITE)
    assert said.code == 2
    assert said.line() == "bench: key.txt: is there already. Name another folder with --out"
    assert (tmp_path / "key.txt").read_text(encoding="utf-8") == "mine"
    assert say("submit", "--confirm", URL, "--to", SITE, "--out", "notes").code == 0
    assert (tmp_path / "notes" / "key.txt").is_file()


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ([URL], "--confirm needs the site for which the key is confirmed"),
        ([URL, "--to", "git"], "'git' is no address of a site"),
        ([URL, "--to", "hf://datasets/a/b"], "is no address of a site"),
        (["https://github.com/ada/notes/blob/main/key.txt", "--to", SITE], "Give a URL like https://raw."),
        (["https://192.0.2.1/key.txt", "--to", SITE], "this URL has no host name"),
        ([URL, "--to", SITE, "--key-info"], "--confirm and --key-info exclude each other"),
    ],
)
def test_what_cannot_be_confirmed_makes_no_key(say: Say, tmp_path: Path, words: list[str], line: str) -> None:
    said = say("submit", "--confirm", *words)
    assert said.code == 2
    assert line in said.line()
    assert not (tmp_path / "home").exists()
    assert list(tmp_path.iterdir()) == []
