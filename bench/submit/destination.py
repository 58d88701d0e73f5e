"""Where a bundle is sent: a site that takes submissions, or a dataset on the Hub."""

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
_DATASET: Final = re.compile(r"hf://datasets/([\w.-]+/[\w.-]+)/?", re.ASCII)
_OWN: Final = re.compile(r"localhost|\[::1\]|127(?:\.\d{1,3}){3}")
_SITE: Final = "https://HOST (with :PORT or /PATH where the site has one)"
_FORM: Final = f"Write git, hf://datasets/ORG/NAME, or {_SITE}"


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


@dataclass(frozen=True)
class Dataset:
    """A dataset on the Hub, named `ORG/NAME`."""

    name: str

    @property
    def address(self) -> str:
        """The address."""
        return f"hf://datasets/{self.name}"


def destination_of(text: str) -> Site | Dataset:
    """Return what is at an address.

    Raises:
        UsageError: it is no such address, or http:// leads to another computer.
    """
    dataset = _DATASET.fullmatch(text)
    if dataset is not None:
        return Dataset(dataset[1])
    if _parts(text) is None:
        raise UsageError(f"--to: '{clean(text, MAX_NAME)}' is nothing that takes bundles", hint=_FORM)
    return site_of(text)


def site_of(text: str) -> Site:
    """Return the site at an address.

    Raises:
        UsageError: it is no such address, or http:// leads to another computer.
    """
    found = _parts(text)
    if found is None:
        raise UsageError(f"'{clean(text, MAX_NAME)}' is no address of a site", hint=f"Write {_SITE}")
    scheme, host, port = found["scheme"].lower(), found["host"].lower(), found["port"]
    origin = host if port is None else f"{host}:{port}"
    is_own = _OWN.fullmatch(host) is not None
    if scheme == "http" and not is_own:
        raise UsageError(
            f"http://{origin} is not encrypted: its answer could come from anybody on the way",
            hint=f"Use https://{host}; http:// is for a site on this computer (localhost)",
        )
    return Site(f"{scheme}://{origin}{found['path']}", host, is_own)


def _parts(text: str) -> re.Match[str] | None:
    found = _ADDRESS.fullmatch(text)
    return None if found is None or int(found["port"] or 0) > 65_535 else found
