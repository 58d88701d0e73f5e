"""Untrusted text."""

import codecs
import json
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.errors import UsageError
from bench.text import clean, decode, error_line, printable, printable_json

MARKED = {
    "UTF-8": (codecs.BOM_UTF8, "utf-8"),
    "UTF-16 LE": (codecs.BOM_UTF16_LE, "utf-16-le"),
    "UTF-16 BE": (codecs.BOM_UTF16_BE, "utf-16-be"),
    "UTF-32 LE": (codecs.BOM_UTF32_LE, "utf-32-le"),
    "UTF-32 BE": (codecs.BOM_UTF32_BE, "utf-32-be"),
    "plain": (b"", "utf-8"),
}
TEXT = 'title = "Jürgen 测试 🎧"\r\n'


@pytest.mark.parametrize(("mark", "encoding"), MARKED.values(), ids=MARKED)
def test_text_is_read_in_whatever_encoding_an_editor_or_powershell_saved_it(
    mark: bytes, encoding: str
) -> None:
    assert decode(mark + TEXT.encode(encoding)) == TEXT
    assert decode(mark) == ""


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (TEXT.encode("cp1252", "replace"), "is not UTF-8 text (byte 10)"),
        (TEXT.encode("utf-16-le"), "seems to be UTF-16-LE text without a byte order mark"),
        (TEXT.encode("utf-16-be"), "seems to be UTF-16-BE text without a byte order mark"),
        (codecs.BOM_UTF16_LE + b"a\0b", "is not UTF-16-LE text (byte 4)"),
        (codecs.BOM_UTF8 + b"a\xff", "is not UTF-8 text (byte 4)"),
    ],
)
def test_any_other_encoding_is_named_with_the_way_to_save_the_file(content: bytes, line: str) -> None:
    with pytest.raises(UsageError) as caught:
        decode(content)
    assert str(caught.value) == f"{line}. Save it as UTF-8 (in PowerShell: Set-Content -Encoding utf8)"


def test_a_last_line_that_was_torn_costs_no_line_before_it() -> None:
    assert decode("ab\ncü".encode()[:-1], whole=False) == "ab\nc"
    with pytest.raises(UsageError):
        decode(b"a\xff\nb", whole=False)


@given(st.binary(max_size=80))
def test_bytes_are_text_or_one_line(content: bytes) -> None:
    try:
        assert isinstance(decode(content), str)
    except UsageError as error:
        assert str(error).isprintable()


def test_no_character_that_rewrites_a_line_gets_through() -> None:
    """Every character there is, one by one: what is left is printable or stands for what was taken out."""
    for character in map(chr, range(sys.maxunicode + 1)):
        left = clean(f"a{character}b")
        assert not any(unicodedata.category(one) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for one in left)


def test_lines_and_tabs_stay_and_what_rewrites_a_terminal_goes() -> None:
    hostile = "a\tb\n\x1b[2J\x9b31m\r\u202e\u2028\ud800\x7fé 你好"
    assert printable(hostile) == "a\tb\n" + "\ufffd[2J\ufffd31m" + 5 * "\ufffd" + "é 你好"


@given(st.text())
def test_json_with_escapes_is_the_same_document(text: str) -> None:
    escaped = printable_json(json.dumps({"a": [text]}, ensure_ascii=False, indent=2))
    assert json.loads(escaped) == {"a": [text]}
    assert {unicodedata.category(letter) for letter in escaped.replace("\n", "")}.isdisjoint(
        {"Cc", "Cf", "Cs", "Zl", "Zp"}
    )


def test_a_long_error_keeps_its_beginning_and_its_remedy() -> None:
    line = error_line(f"no suite '{'x' * 50_000}\x1b'. Did you mean smoke?")
    assert line.startswith("no suite 'xxx")
    assert line.endswith("\ufffd'. Did you mean smoke?")
    assert len(line) < 1010
