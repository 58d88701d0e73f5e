"""`bench site serve`: what is refused before it serves. tests/receiver/test_end_to_end.py serves."""

from pathlib import Path

import pytest

from tests.cli.conftest import Say


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.7", "::", "bad host\x1b[2J"])
def test_a_server_for_others_needs_the_address_of_the_site(say: Say, tmp_path: Path, host: str) -> None:
    said = say("site", "serve", "--folder", "served", "--host", host)
    assert said.code == 2
    assert said.line().endswith("others need the address of the site. Add --origin https://HOST")
    assert not (tmp_path / "served").exists()


@pytest.mark.parametrize(
    ("origin", "words"),
    [
        ("http://results.example.org", "is not encrypted"),
        ("results", "is no address of a site"),
        (f"https://results.example.org/{'a' * 200}", "has more than 200 characters"),
    ],
)
def test_an_origin_that_nobody_could_send_to(say: Say, origin: str, words: str) -> None:
    said = say("site", "serve", "--folder", "served", "--origin", origin)
    assert said.code == 2
    assert words in said.line()


def test_a_short_token_of_moderators_is_refused_and_not_repeated(
    say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BENCH_MODERATION_TOKEN", "guess-me")
    said = say("site", "serve", "--folder", "served")
    assert said.code == 2
    assert said.line().startswith("bench: BENCH_MODERATION_TOKEN: a token has 32 to 200 letters")
    assert "guess-me" not in said.err
    assert not (tmp_path / "served").exists()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("nowhere", "'nowhere' is no list of addresses. Such as 127.0.0.1"),
        ("127.0.0.1,", "is no list of addresses"),
        ("*", "is no list of addresses"),
        ("10.0.0.1/8", "is no list of addresses"),
        ("127.0.0.1,0.0.0.0/0", "everybody could state any address. Name the proxy alone"),
        ("::/0", "everybody could state any address"),
    ],
)
def test_a_proxy_that_is_none_or_everybody(say: Say, text: str, words: str) -> None:
    said = say("site", "serve", "--folder", "served", "--trust-proxy", text)
    assert said.code == 2
    assert words in said.line()


def test_the_token_of_moderators_can_be_in_a_file(
    say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is read before anything is made; that of another form is refused, and not repeated."""
    (tmp_path / "token").write_text("too-short\n", encoding="utf-8")
    for value, words in (
        ("@token", "a token has 32 to 200 letters"),
        ("@missing", "BENCH_MODERATION_TOKEN: missing cannot be read: "),
    ):
        monkeypatch.setenv("BENCH_MODERATION_TOKEN", value)
        said = say("site", "serve", "--folder", "served")
        assert said.code == 2
        assert words in said.line()
        assert "too-short" not in said.line()
    assert not (tmp_path / "served").exists()
