"""Untrusted text."""

import sys
import unicodedata

from bench.text import clean


def test_no_character_that_rewrites_a_line_gets_through() -> None:
    """Every character there is, one by one: what is left is printable or stands for what was taken out."""
    for character in map(chr, range(sys.maxunicode + 1)):
        left = clean(f"a{character}b")
        assert not any(unicodedata.category(one) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for one in left)
