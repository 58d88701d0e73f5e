"""Untrusted text."""

import codecs
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.errors import UsageError
from bench.text import clean, decode

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
        (TEXT.encode("cp1252", "replace"), "is no UTF-8 text (byte 10)"),
        (TEXT.encode("utf-16-le"), "seems to be UTF-16-LE text without a byte order mark"),
        (TEXT.encode("utf-16-be"), "seems to be UTF-16-BE text without a byte order mark"),
        (codecs.BOM_UTF16_LE + b"a\0b", "is no UTF-16-LE text (byte 4)"),
        (codecs.BOM_UTF8 + b"a\xff", "is no UTF-8 text (byte 4)"),
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
