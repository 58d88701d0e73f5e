"""The account that a file at a URL belongs to: who can put a file there.

| URL of the file | account |
|---|---|
| `https://raw.githubusercontent.com/Ada/notes/HEAD/key.txt` | `github.com/ada` |
| `https://raw.githubusercontent.com/ada/notes/refs/heads/main/key.txt` | `github.com/ada` |
| `https://gitlab.com/ada/notes/-/raw/HEAD/key.txt` | `gitlab.com/ada` |
| `https://codeberg.org/ada/notes/raw/branch/main/key.txt` | `codeberg.org/ada` |
| `https://ada.example/.well-known/moss-audio-bench/key.txt` | `ada.example` |
| `https://uni.example/~ada/key.txt` | `uni.example/~ada/key.txt` |
| `https://github.com/ada/notes/blob/main/key.txt` | refused: a page about the file |
| `https://raw.githubusercontent.com/ada/notes/5d41402abc4b2a76b9719d911017c592/key.txt` | refused: a commit |
| `https://raw.githubusercontent.com/wiki/mallory/HEAD/key` | refused: a page of a wiki of `mallory` |

A commit is refused because GitHub and GitLab show commits of forks and pull requests, which strangers made,
under the address of the repository. Who can write to the main branch can confirm the account.
GitLab gives each project a host of its own below gitlab.io, which does not name its owner: refused, too.
On many hosts strangers can put a file at some path. So a path confirms itself alone, and the host is
confirmed only below `/.well-known/`, which belongs to those who run it (RFC 8615).

Whoever has a host has any number of paths and subdomains. So accounts outside of forges are counted by the
last two labels of their host (`Account.holder`): too few where many people share a host, never too many.
"""

import re
from dataclasses import dataclass
from typing import Final

from bench.errors import UsageError
from bench.identity.web_url import WebUrl, parse_url

_HOST: Final = re.compile(r"[a-z0-9.-]+\.[a-z][a-z0-9-]*")
"""A name with a top-level domain: not an IPv4 address in any of its spellings."""
_PATH: Final = re.compile(r"(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._~+-]+)+")
"""Without `%`, `;`, empty and dot segments, which a server could read as another path."""
_WELL_KNOWN: Final = re.compile(r"/\.well-known/moss-audio-bench/[^/]+")
_OWNER: Final = r"/(?P<owner>[A-Za-z0-9][A-Za-z0-9._-]*)/[A-Za-z0-9._-]+"


@dataclass(frozen=True)
class _Forge:
    """A host of repositories."""

    name: str
    domains: tuple[str, ...]
    """All of the forge, where a path alone confirms nothing."""
    file: re.Pattern[str]
    """Host and path of a file on a main branch."""
    example: str
    pages: str | None
    """Domain of the pages of its accounts, whose first label is the owner; None where it may be another."""

    def has(self, host: str) -> bool:
        """Whether a host is one of this forge."""
        return any(host == domain or host.endswith(f".{domain}") for domain in self.domains)

    def account(self, where: WebUrl) -> str:
        """Return the owner of the repository."""
        found = self.file.fullmatch(where.host + where.path)
        if found is None:
            raise UsageError(
                f"this is not a file on the main branch of a public repository of {self.name}",
                hint=f"Give a URL like {self.example}",
            )
        return f"{self.name}/{found['owner'].lower()}"


_FORGES: Final = (
    _Forge(
        "github.com",
        ("github.com", "githubusercontent.com"),
        re.compile(
            rf"raw\.githubusercontent\.com(?!/(?i:wiki)/){_OWNER}/(?:HEAD|refs/heads/(?:main|master))/.+"
        ),
        "https://raw.githubusercontent.com/OWNER/REPOSITORY/HEAD/FILE",
        "github.io",
    ),
    _Forge(
        "gitlab.com",
        ("gitlab.com", "gitlab.io"),
        re.compile(rf"gitlab\.com{_OWNER}/-/raw/(?:HEAD|main|master)/.+"),
        "https://gitlab.com/OWNER/REPOSITORY/-/raw/HEAD/FILE",
        None,
    ),
    _Forge(
        "codeberg.org",
        ("codeberg.org",),
        re.compile(rf"codeberg\.org{_OWNER}/raw/branch/(?:main|master)/.+"),
        "https://codeberg.org/OWNER/REPOSITORY/raw/branch/main/FILE",
        "codeberg.page",
    ),
)


@dataclass(frozen=True)
class Account:
    """Who can put a file at a URL."""

    name: str
    """Host and owner, host, or host and path; ASCII."""
    url: str
    """The URL of the file, as it is fetched."""

    @property
    def holder(self) -> str:
        """What accounts of one person share: owner on a forge, or the last two labels of the host."""
        host = self.name.partition("/")[0]
        for forge in _FORGES:
            if host == forge.name:
                return self.name
            if forge.pages is not None and host.endswith(f".{forge.pages}"):
                return f"{forge.name}/{host.removesuffix(f'.{forge.pages}')}"
        return ".".join(host.split(".")[-2:])


def account_of(url: str) -> Account:
    """Return the account that a file at a URL can confirm: see the table above.

    Raises:
        UsageError: the URL is not allowed; the message says which are.
    """
    where = parse_url(url)
    if (where.scheme, where.port, where.query) != ("https", 443, ""):
        raise UsageError("only https on port 443 confirms an account", hint="Write https://HOST/PATH")
    if not (_HOST.fullmatch(where.host) and _PATH.fullmatch(where.path)):
        raise UsageError(
            "this URL has no host name, or not the path of one file",
            hint="Write https://HOST/PATH; between its slashes the path has letters, digits and ._~+- alone",
        )
    return Account(_name(where), str(where))


def _name(where: WebUrl) -> str:
    for forge in _FORGES:
        if forge.has(where.host):
            return forge.account(where)
    return where.host if _WELL_KNOWN.fullmatch(where.path) else where.host + where.path
