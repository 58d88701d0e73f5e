"""Untrusted text: decoded from the bytes of a file, and made safe to show anywhere.

Each format still escapes for its own syntax.
"""

import codecs
from typing import Final

from bench.errors import UsageError

MAX_NAME: Final = 120
MAX_SENTENCE: Final = 600
_LONGEST_ERROR: Final = 1000
_HEAD: Final = 600
SAVE_AS_UTF8: Final = "Save it as UTF-8 (in PowerShell: Set-Content -Encoding utf8)"
# The longer mark first: that of UTF-16 LE is the beginning of that of UTF-32 LE.
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_LOOKED_AT_BYTES: Final = 8
_REPLACEMENT: Final = "\ufffd"
# Control, format (bidirectional overrides among them) and surrogate characters can rewrite a terminal or swap
# the order of letters on a page; U+2028 and U+2029 end lines where nobody expects it.
_UNSAFE: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def decode(content: bytes, *, whole: bool = True) -> str:
    """Decode a text file: UTF-8, or UTF-16 or UTF-32 with a byte order mark, as PowerShell and Notepad write.

    `whole`: False for a file whose writer can have been killed; a last line that is no text is cut short.

    Raises:
        UsageError: another encoding; the message goes after the name of the file.
    """
    mark, encoding = next((known for known in _MARKS if content.startswith(known[0])), (b"", "utf-8"))
    if not mark and (guess := _unmarked(content)) is not None:
        raise UsageError(f"seems to be {guess} text without a byte order mark", hint=SAVE_AS_UTF8)
    body = content[len(mark) :] if mark else content
    try:
        return body.decode(encoding)
    except UnicodeDecodeError as error:
        if not whole and b"\n" not in body[error.start :]:
            return body[: error.start].decode(encoding)
        raise UsageError(
            f"is not {encoding.upper()} text (byte {len(mark) + error.start})", hint=SAVE_AS_UTF8
        ) from error


def _unmarked(content: bytes) -> str | None:
    """Return the encoding that the zero bytes of an ASCII beginning betray; None without such a pattern."""
    even, odd = content[:_LOOKED_AT_BYTES:2], content[1:_LOOKED_AT_BYTES:2]
    if odd and all(even) and not any(odd):
        return "UTF-16-LE"
    if odd and all(odd) and not any(even):
        return "UTF-16-BE"
    return None


def clean(text: str, limit: int = MAX_SENTENCE) -> str:
    """One line without control characters, at most `limit` characters long.

    >>> clean("RTX\\n4070\\x1b[31m")
    'RTX 4070\ufffd[31m'
    """
    cut = text if len(text) <= limit else text[: limit - 1] + "…"
    # Nothing that is unsafe is printable, and nearly every text is.
    return " ".join((cut if cut.isprintable() else "".join(map(_safe, cut))).split())


def printable(text: str) -> str:
    """The text with its lines and tabs; other characters that can rewrite a terminal are replaced.

    >>> printable("a\\x1b[2J\\n\\u202eb")
    'a�[2J\\n�b'
    """
    return text if text.isprintable() else "".join(map(_shown, text))


def printable_json(text: str) -> str:
    """The same JSON with escapes for characters that can rewrite a terminal; outside of texts there are none.

    >>> printable_json('{"a": "\\u202e"}')
    '{"a": "\\\\u202e"}'
    """
    return text if text.isascii() and "\x7f" not in text else "".join(map(_escaped, text))


def error_line(text: str) -> str:
    """`clean`, with the middle left out where it is long: a name in it may be, and the remedy is at the end.

    >>> len(error_line("x" * 100_000))
    1003
    """
    cut = text if len(text) <= _LONGEST_ERROR else f"{text[:_HEAD]} … {text[_HEAD - _LONGEST_ERROR :]}"
    return clean(cut, len(cut))


def name(text: str | None) -> str | None:
    """`clean`, at the length of a name; None stays None."""
    return None if text is None else clean(text, MAX_NAME)


def _shown(character: str) -> str:
    return character if character in "\n\t" or not _is_unsafe(character) else _REPLACEMENT


def _escaped(character: str) -> str:
    import json

    return json.dumps(character)[1:-1] if character != "\n" and _is_unsafe(character) else character


def _is_unsafe(character: str) -> bool:
    import unicodedata  # few texts contain such a character

    return not character.isprintable() and unicodedata.category(character) in _UNSAFE


def _safe(character: str) -> str:
    if character.isspace():
        return " "
    return _REPLACEMENT if _is_unsafe(character) else character
