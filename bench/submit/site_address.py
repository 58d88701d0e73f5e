"""The address of a site that takes submissions."""

import re
from dataclasses import dataclass
from typing import Final

from bench.errors import UsageError
from bench.text import MAX_NAME, clean

_API: Final = "/api/submissions"
_ADDRESS: Final = re.compile(
    r"(?P<scheme>https?)://(?P<host>\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(?P<port>\d{1,5}))?"
    r"(?P<path>(?:/[\w.~-]+)*)/?",
    re.ASCII | re.IGNORECASE,
)
_OWN: Final = re.compile(r"localhost|\[::1\]|127(?:\.\d{1,3}){3}")
_FORM: Final = "Write it as https://HOST, with :PORT or /PATH where the site has one"


@dataclass(frozen=True)
class Site:
    """A site: its address without a slash at the end."""

    url: str
    host: str
    is_own: bool
    """Whether it is on this computer."""

    @property
    def submissions(self) -> str:
        """Where bundles are sent."""
        return self.url + _API


def site_of(text: str) -> Site:
    """Return the site at an address.

    Raises:
        UsageError: it is no such address, or http:// leads to another computer.
    """
    found = _ADDRESS.fullmatch(text)
    if found is None or int(found["port"] or 0) > 65_535:
        raise UsageError(
            f"--to: '{clean(text, MAX_NAME)}' is neither git nor the address of a site", hint=_FORM
        )
    scheme, host, port = found["scheme"].lower(), found["host"].lower(), found["port"]
    origin = host if port is None else f"{host}:{port}"
    is_own = _OWN.fullmatch(host) is not None
    if scheme == "http" and not is_own:
        raise UsageError(
            f"--to: http://{origin} is not encrypted: its answer could come from anybody on the way",
            hint=f"Use https://{host}; http:// is for a site on this computer (localhost)",
        )
    return Site(f"{scheme}://{origin}{found['path']}", host, is_own)
