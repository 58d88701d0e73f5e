"""Text that must not be published: secrets, paths, and what identifies a person, a computer or a card.

`scrub` replaces such text when a record is written. This finds it in any text, such as a note or a record
that somebody edited, and only where the text is unmistakable.
"""

import re
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from bench.store.scrub import private_words

MOST_CHARACTERS: Final = 20_000
"""A longer text is not looked at: no bench writes one."""
_TOO_LONG: Final = f"more than {MOST_CHARACTERS:,} characters"
_SHORT: Final = 100
_HEX: Final = "[0-9A-Fa-f]"
_NAME: Final = r"[\w.@+-]+"
_WORD: Final = r"[A-Za-z0-9_-]"
# The time must grow with the length of a text, not with its square: a repetition is bounded, or no match can
# begin inside of what it has read.
_PATTERNS: Final = MappingProxyType(
    {
        # A digit or a capital, or many letters: hf_transfer is a package.
        "an access token": (
            rf"\b(?:hf|sk|gh[opsur]|github_pat|glpat)[_-](?=[a-z_-]{{0,64}}[0-9A-Z]|[a-z]{{20}}){_WORD}{{8}}"
            r"|\bBearer\s{1,16}[A-Za-z0-9._~+/=-]{8}|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"
            rf"|\bxox[abprs]-[A-Za-z0-9-]{{8}}|\bAIza{_WORD}{{30}}|\bnpm_[A-Za-z0-9]{{30}}|\bpypi-AgE{_WORD}{{8}}"
            rf"|\beyJ{_WORD}{{8,200}}\.{_WORD}{{8}}"  # a JSON Web Token
            r"|-----BEGIN [A-Z ]{0,40}PRIVATE KEY|://[^\s/@<>:]+:[^\s/@<>]+@"
        ),
        # What comes before the last letter in front of the @ changes nothing.
        "an e-mail address": r"[\w.+-]@(?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,63}\b",
        "the id of a card or a computer": (
            rf"(?<![A-Za-z0-9]){_HEX}{{8}}(?:-{_HEX}{{4}}){{3}}-{_HEX}{{12}}(?![A-Za-z0-9])"
            rf"|\b(?:{_HEX}{{2}}:){{5}}{_HEX}{{2}}\b"
            rf"|\b(?=[0-9-]{{0,16}}[A-Fa-f])(?:{_HEX}{{2}}-){{5}}{_HEX}{{2}}\b"  # six pairs of digits: a date
        ),
        "a serial number": (
            r"\b(?i:serial(?:[ _-]?(?:number|no\.?))?|s/n)\W{0,4}(?=[A-Z-]{0,64}\d)[A-Z0-9-]{6}"
            r"|(?<![\w.-])\d{13}(?![\w-]|\.\d)"  # of a card: as the driver reports it
        ),
        "a path": (
            rf"\bfile://|(?:(?<![\w/.<>~-])|(?<![\w-]-[A-Z])(?<=-[A-Z]))/(?!/){_NAME}/+{_NAME}"
            rf"|(?<![\w/.<>~:-])//+{_NAME}/+{_NAME}|(?<![\w/.<>~:-])[./]*/(?i:home|users|root)/+{_NAME}"
            rf"|(?<![\w<>])~\w*/{_NAME}|(?<![\w/\\])[A-Za-z]:[\\/]+{_NAME}|(?<!\\)\\\\+{_NAME}\\+{_NAME}"
        ),
    }
)
"""Each kind, and how it is recognised."""
_ANY: Final = re.compile("|".join(f"(?:{pattern})" for pattern in _PATTERNS.values()))


def revealed(text: str) -> str | None:
    """Return the kind of private text that a text contains, such as `a path`; None for none."""
    if len(text) > MOST_CHARACTERS:
        return _TOO_LONG
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
