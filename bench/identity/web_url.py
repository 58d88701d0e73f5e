"""URLs that a stranger may give: one strict grammar, so that a URL has one host for every reader."""

import re
from dataclasses import dataclass
from typing import Final

from bench.errors import UsageError

MAX_URL: Final = 500
_MAX_HOST: Final = 253
_MAX_PORT: Final = 65_535
_PORTS: Final = {"https": 443, "http": 80}
_LABEL: Final = r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)"
_TEXT: Final = r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*"
_URL: Final = re.compile(
    rf"(?P<scheme>(?i:https?))://(?P<host>{_LABEL}(?:\.{_LABEL})*)(?::(?P<port>[1-9][0-9]{{0,4}}))?"
    rf"(?P<path>/{_TEXT})?(?P<query>\?{_TEXT})?",
    re.ASCII,  # without it, (?i:s) also matches the long s
)


@dataclass(frozen=True)
class WebUrl:
    """A URL in its parts."""

    scheme: str
    """`https` or `http`."""
    host: str
    """In lower case. A name of another script is in its `xn--` form."""
    port: int
    path: str
    """Begins with `/`; percent-encoded as it was given."""
    query: str
    """Empty, or begins with `?`."""

    @property
    def authority(self) -> str:
        """Host, and the port where it is not that of the scheme."""
        return self.host if self.port == _PORTS[self.scheme] else f"{self.host}:{self.port}"

    def __str__(self) -> str:
        """Return the URL with scheme and host in lower case and no needless port."""
        return f"{self.scheme}://{self.authority}{self.path}{self.query}"


def parse_url(url: str) -> WebUrl:
    """Return the parts of a URL.

    Refused are user names, backslashes, spaces, fragments, IPv6 addresses in brackets, empty labels, and all
    characters outside ASCII: a host of another script is written in its `xn--` form.

    Raises:
        UsageError: it is no such URL. The message does not repeat it: a password can be in it.
    """
    found = _URL.fullmatch(url) if len(url) <= MAX_URL else None
    if found is None or len(found["host"]) > _MAX_HOST or int(found["port"] or 0) > _MAX_PORT:
        raise UsageError(
            f"this is no URL of at most {MAX_URL} plain characters",
            hint="Write https://HOST/PATH, without user or fragment, and the host in its xn-- form",
        )
    scheme = found["scheme"].lower()
    port = int(found["port"] or _PORTS[scheme])
    return WebUrl(scheme, found["host"].lower(), port, found["path"] or "/", found["query"] or "")
