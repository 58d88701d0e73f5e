"""Takes paths, user names, host names and secrets out of text that goes into a record."""

import getpass
import platform
import re
from collections.abc import Iterable
from functools import cache
from pathlib import PurePosixPath, PureWindowsPath
from typing import Final

_PART: Final = r"[^\s/\\'\"<>|:,;()\[\]]+"
# A path starts where nothing comes before it that would make it "and/or", an address, or scrubbed already.
_START: Final = r"(?<![\w/])(?<!<user>)(?<!<host>)(?<!<path>)(?<!<token>)(?!(?<=:)//)"
_POSIX_PATH: Final = re.compile(rf"(?:\bfile://|{_START})(?:~\w*|\.{{1,2}})?(?:/+{_PART})+/*")
# Python's repr doubles backslashes, so any number of them is one separator.
_WINDOWS_PATH: Final = re.compile(rf"(?:(?<![\w/\\])[A-Za-z]:|(?<!\w)~|\\)(?:[\\/]+{_PART})+")
# Whose home it is, which may be somebody else's than the user's; names may hold spaces on Windows and macOS.
_HOME: Final = re.compile(
    rf"(?:{_START}/+(?:home|Users)|\b[A-Za-z]:[\\/]+Users)[\\/]+"
    rf"(?:{_PART}(?: {_PART}){{0,2}}(?=[\\/])|{_PART})",
    re.IGNORECASE,
)
_SECRETS: Final = (
    (
        re.compile(r"\b(?:hf|sk|gh[opsu]|github_pat|glpat)[_-][A-Za-z0-9_-]{8,}|\bBearer\s+[^\s'\"<]+", re.I),
        "<token>",
    ),
    (re.compile(r"(?<=://)[^\s/@<>]+@"), "<token>@"),  # https://name:password@host
    (re.compile(r"(\bhttps?://[^\s?#'\"]+\?)[^\s'\"<>]+"), r"\1<token>"),  # signed addresses
    (re.compile(r"(\bhttps?://[^\s/'\"]+/)/[^\s'\"<>]*"), r"\1<path>"),  # a path where a repository belongs
)
# Generic names would mangle ordinary words without hiding anybody.
_GENERIC_WORDS: Final = """
    root user users admin administrator localhost nobody home host path token ubuntu debian runner docker
    jovyan data dev test gpu cuda cpu nvidia torch python bench model models audio
"""
_GENERIC: Final = frozenset(_GENERIC_WORDS.split())
_MAX_LINE: Final = 300
_MAX_PASSES: Final = 10


def scrub(text: str) -> str:
    """Paths shrink to `<path>/last-part`; user, host and secrets become `<user>`, `<host>`, `<token>`.

    Half surrogate pairs, as in file names of another encoding, become `?`: a record is valid UTF-8.
    """
    text = text.encode("utf-8", "replace").decode("utf-8")
    for _ in range(_MAX_PASSES):
        before, text = text, _pass(text)
        if text == before:
            break
    return text


def _pass(text: str) -> str:
    """One round; what it takes out may uncover more."""
    for pattern, replacement in _SECRETS:
        text = pattern.sub(replacement, text)
    text = _HOME.sub("~", text)
    text = _WINDOWS_PATH.sub(lambda found: "<path>/" + PureWindowsPath(found[0]).name, text)
    text = _POSIX_PATH.sub(lambda found: "<path>/" + PurePosixPath(found[0]).name, text)
    for name, replacement in private_words():
        word = rf"(?<![A-Za-z0-9]){re.escape(name)}(?![A-Za-z0-9])"
        text = re.sub(word, replacement, text, flags=re.IGNORECASE)
    return text


def scrub_tail(lines: Iterable[str], keep: int = 12) -> tuple[str, ...]:
    """The last `keep` non-empty lines, scrubbed, each cut to 300 characters."""
    useful = [line.rstrip() for line in lines if line.strip()]
    return tuple(scrub(line[: 10 * _MAX_LINE])[:_MAX_LINE] for line in useful[-keep:])


@cache
def private_words() -> tuple[tuple[str, str], ...]:
    """Names to hide, longest first: a host name may hold the user's."""
    host = platform.node()
    candidates = {_user(): "<user>", host: "<host>", host.split(".")[0]: "<host>"}
    names = [name for name in candidates if len(name) > 2 and name.lower() not in _GENERIC]
    return tuple((name, candidates[name]) for name in sorted(names, key=len, reverse=True))


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # no entry in the password database, as in some containers
        return ""
