"""Takes paths, user names and host names out of text that goes into a record."""

import getpass
import re
import socket
from collections.abc import Iterable
from functools import cache
from pathlib import PurePosixPath, PureWindowsPath

_POSIX_PATH = re.compile(r"(?<![\w:/])(?:~|\.{1,2})?(?:/[^\s/'\"<>|:,;()\[\]]+)+/?")
_WINDOWS_PATH = re.compile(r"(?:\b[A-Za-z]:|\\)(?:[\\/][^\s\\/'\"<>|:,;()\[\]]+)+")
_TOKEN = re.compile(r"\bhf_[A-Za-z0-9]{8,}|\bBearer\s+\S+", re.IGNORECASE)
_MAX_LINE = 300


def scrub(text: str) -> str:
    """Paths shrink to `<path>/last-part`; user, host and tokens become `<user>`, `<host>`, `<token>`."""
    text = _TOKEN.sub("<token>", text)
    text = _WINDOWS_PATH.sub(lambda found: "<path>/" + PureWindowsPath(found[0]).name, text)
    text = _POSIX_PATH.sub(lambda found: "<path>/" + PurePosixPath(found[0]).name, text)
    for name, replacement in _private_words():
        text = re.sub(rf"\b{re.escape(name)}\b", replacement, text, flags=re.IGNORECASE)
    return text


def scrub_tail(lines: Iterable[str], keep: int = 12) -> tuple[str, ...]:
    """The last `keep` non-empty lines, scrubbed, each cut to 300 characters."""
    useful = [line.rstrip() for line in lines if line.strip()]
    return tuple(scrub(line)[:_MAX_LINE] for line in useful[-keep:])


@cache
def _private_words() -> tuple[tuple[str, str], ...]:
    # Short or generic names ("root", "pc") would mangle ordinary words without hiding anybody.
    candidates = [
        (_user(), "<user>"),
        (socket.gethostname(), "<host>"),
        (socket.gethostname().split(".")[0], "<host>"),
    ]
    generic = {"root", "user", "admin", "localhost", "ubuntu", "debian", "runner"}
    return tuple((name, label) for name, label in candidates if len(name) > 2 and name.lower() not in generic)


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # no entry in the password database, as in some containers
        return ""
