"""Untrusted text made safe to show anywhere; each format still escapes for its own syntax."""

import unicodedata
from typing import Final

MAX_NAME: Final = 120
MAX_SENTENCE: Final = 600
_REPLACEMENT: Final = "\ufffd"
# Control, format (bidirectional overrides among them) and surrogate characters can rewrite a terminal or swap
# the order of letters on a page; U+2028 and U+2029 end lines where nobody expects it.
_UNSAFE: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def clean(text: str, limit: int = MAX_SENTENCE) -> str:
    """One line without control characters, at most `limit` characters long.

    >>> clean("RTX\\n4070\\x1b[31m")
    'RTX 4070\ufffd[31m'
    """
    cut = text if len(text) <= limit else text[: limit - 1] + "…"
    # Nothing that is unsafe is printable, and nearly every text is.
    return " ".join((cut if cut.isprintable() else "".join(map(_safe, cut))).split())


def name(text: str | None) -> str | None:
    """`clean`, at the length of a name; None stays None."""
    return None if text is None else clean(text, MAX_NAME)


def _safe(character: str) -> str:
    if character.isspace():
        return " "
    return _REPLACEMENT if unicodedata.category(character) in _UNSAFE else character
