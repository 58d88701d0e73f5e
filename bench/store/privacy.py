"""Text that must not be published: secrets, paths, and what identifies a person, a computer or a card.

`scrub` replaces such text when a record is written. This finds it in any text, such as a note or a record
that somebody edited, and only where the text is unmistakable.
"""

import re
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from bench.store.scrub import private_words

_SHORT: Final = 100
_HEX: Final = "[0-9A-Fa-f]"
_NAME: Final = r"[\w.@+-]+"
_PATTERNS: Final = MappingProxyType(
    {
        # A digit or a capital, or many letters: hf_transfer is a package.
        "an access token": (
            r"\b(?:hf|sk|gh[opsur]|github_pat|glpat)[_-](?=[a-z_-]*[0-9A-Z]|[a-z]{20})[A-Za-z0-9_-]{8,}"
            r"|\bBearer\s+[A-Za-z0-9._~+/=-]{8,}|\bAKIA[0-9A-Z]{16}\b|\bxox[abprs]-[A-Za-z0-9-]{8,}"
            r"|-----BEGIN [A-Z ]*PRIVATE KEY|://[^\s/@<>:]+:[^\s/@<>]+@"
        ),
        "an e-mail address": r"\b[\w.+-]+@[\w-]+(?:\.[\w-]+)*\.[A-Za-z]{2,}\b",
        "the id of a card or a computer": (
            rf"\b{_HEX}{{8}}(?:-{_HEX}{{4}}){{3}}-{_HEX}{{12}}\b|\b(?:{_HEX}{{2}}:){{5}}{_HEX}{{2}}\b"
        ),
        "a serial number": (
            r"\b(?i:serial(?:[ _-]?(?:number|no\.?))?)\W{0,4}(?=[A-Z-]*\d)[A-Z0-9-]{6,}"
            r"|(?<![\w.-])\d{13}(?![\w.-])"  # of a card: as the driver reports it
        ),
        "a path": (
            rf"\bfile://|(?<![\w/.<>~-])/(?!/)(?:(?i:home|users|root)/+|(?:{_NAME}/+)+){_NAME}"
            rf"|(?<![\w<>])~\w*/{_NAME}|(?<![\w/\\])[A-Za-z]:[\\/]+{_NAME}|\\\\+{_NAME}\\+{_NAME}"
        ),
    }
)
"""Each kind, and how it is recognised."""
_ANY: Final = re.compile("|".join(f"(?:{pattern})" for pattern in _PATTERNS.values()))


def revealed(text: str) -> str | None:
    """Return the kind of private text that a text contains, such as `a path`; None for none."""
    return _revealed_of_short(text) if len(text) <= _SHORT else _revealed(text)


@lru_cache(maxsize=4096)
def _revealed_of_short(text: str) -> str | None:
    """The same, remembered: records have most of their keys and texts in common."""
    return _revealed(text)


def _revealed(text: str) -> str | None:
    if _ANY.search(text) is None:  # nearly every text
        return None
    return next((kind for kind, pattern in _PATTERNS.items() if re.search(pattern, text)), None)


def names_revealed(text: str) -> str | None:
    """Return which name of this user or this computer a text contains; None for none."""
    for name, stands_for in private_words():
        if re.search(rf"(?<![A-Za-z0-9]){re.escape(name)}(?![A-Za-z0-9])", text, re.IGNORECASE):
            return "the name of this computer" if stands_for == "<host>" else "your user name"
    return None
