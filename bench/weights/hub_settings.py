"""Faults in the settings with which the Hub's client works: address, token, proxies, certificates.

The client takes these variables at face value, and its errors do not name them. A variable's value is never
quoted: addresses of proxies contain passwords.
"""

import importlib
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from bench.errors import WeightsError

ENDPOINT: Final = "HF_ENDPOINT"
CERTIFICATES: Final = ("SSL_CERT_FILE", "SSL_CERT_DIR")
CERTIFICATES_OF_REQUESTS: Final = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")

_WEB: Final = ("http", "https")
_SOCKS: Final = ("socks5", "socks5h")
_ROUTED: Final = (*_WEB, "all")
_SECONDS: Final = ("HF_HUB_ETAG_TIMEOUT", "HF_HUB_DOWNLOAD_TIMEOUT")
_WHOLE = re.compile(r"\s*[+-]?\d{1,9}\s*")
_PLAIN_HOST = re.compile(r"[\w-]+(\.[\w-]+)*(:\d+)?(/[\w./-]*)?", re.ASCII)


def importable(environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment without the values with which huggingface_hub fails while it is imported."""
    broken = _not_importable(environment)
    return {name: value for name, value in environment.items() if name not in broken}


@contextmanager
def set_aside() -> Iterator[WeightsError | None]:
    """Unset such values until the end; huggingface_hub can be imported meanwhile, but not used.

    Yields the fault of the first value, which is the reason why; None without one.
    """
    broken = _not_importable(os.environ)
    values = {name: os.environ.pop(name) for name in broken}
    try:
        yield next(iter(broken.values()), None)
    finally:
        os.environ.update(values)


def load_client() -> None:
    """Import huggingface_hub where a value would break that later, in a library that needs no Hub."""
    with set_aside() as fault, suppress(ImportError):
        if fault is not None:
            importlib.import_module("huggingface_hub.constants")


def _not_importable(environment: Mapping[str, str]) -> dict[str, WeightsError]:
    found: dict[str, WeightsError] = {}
    try:
        _ = urlsplit(environment.get(ENDPOINT, "")).port
    except ValueError:
        found[ENDPOINT] = _no_address()
    for name in _SECONDS:
        value = environment.get(name)
        if value and not _WHOLE.fullmatch(value):
            message = f"{name} is not a whole number of seconds"
            found[name] = WeightsError(message, hint=f"Correct it, or unset {name}")
    return found


def endpoint_fault() -> WeightsError | None:
    """Return the fault in HF_ENDPOINT; None without one."""
    value = os.environ.get(ENDPOINT)
    if value is None:
        return None
    parts = urlsplit(value)
    if (
        parts.scheme in _WEB
        and parts.hostname
        and value.isascii()
        and value.isprintable()
        and " " not in value
    ):
        return None
    bare = value.rstrip("/")
    if _PLAIN_HOST.fullmatch(bare):
        return WeightsError(f"{ENDPOINT} lacks https://", hint=f"Set {ENDPOINT}=https://{bare}")
    return _no_address()


def _no_address() -> WeightsError:
    return WeightsError(
        f"{ENDPOINT} is not a web address",
        hint=f"Unset {ENDPOINT}, or set it to an address such as https://HOST",
    )


def token_fault(file: Path) -> WeightsError | None:
    """Return the fault in the token, which is HF_TOKEN or the content of `file`; None without one."""
    token = _token(file)
    if token.text.isascii() and token.text.isprintable():
        return None
    return WeightsError(
        f"The token in {token.source} contains a character that no token has",
        hint=f"Copy it again from https://huggingface.co/settings/tokens, or {token.removal}",
    )


def refused_token(file: Path, status: int) -> WeightsError:
    """Return the error of a token that the Hub does not accept."""
    token = _token(file)
    return WeightsError(
        f"The Hub refused the token in {token.source} (HTTP {status}): it is expired, revoked or mistyped",
        hint=f"Renew it, or {token.removal}: a public model needs none",
    )


@dataclass(frozen=True, slots=True)
class _Token:
    """The token, its place and the step that removes it. Its text is never shown."""

    text: str
    source: str
    removal: str


def _token(file: Path) -> _Token:
    """Return the token that huggingface_hub finds: the variables come before the file."""
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
        if os.environ.get(name):
            return _Token(os.environ[name].strip(), name, f"unset {name}")
    try:
        text = file.read_bytes().decode(errors="surrogateescape").strip()
    except OSError:
        text = ""
    return _Token(text, str(file), "run `hf auth logout`")


def proxy_fault(*, socks_package: str | None) -> WeightsError | None:
    """Return the fault in the proxy settings; None without one.

    `socks_package`: the requirement that brings SOCKS to the HTTP library, where it is missing.
    """
    for kind, address in sorted(_proxies().items()):
        scheme, separator, _ = address.partition("://")
        if not separator or kind not in _ROUTED:
            continue
        name = _proxy_variable(kind)
        if scheme.lower() not in (*_WEB, *_SOCKS):
            correct = "socks5://" if scheme.lower().startswith("socks") else "http:// or socks5://"
            return WeightsError(
                f"The proxy in {name} has an address of an unknown kind",
                hint=f"Begin it with {correct}, or unset {name}",
            )
        if scheme.lower() in _SOCKS and socks_package is not None:
            return WeightsError(
                f"The proxy in {name} is a SOCKS proxy, and the package for it is not installed",
                hint=f"Run `pip install '{socks_package}'`, or unset {name}",
            )
        if not _is_address(address):
            return WeightsError(f"The proxy in {name} has no valid address", hint=f"Correct or unset {name}")
    return None


def proxy_variables() -> str:
    """Return the names of the settings that route requests through a proxy; empty without any."""
    return " and ".join(sorted({_proxy_variable(kind) for kind in _proxies() if kind in _ROUTED}))


def proxy_password_fault() -> WeightsError:
    """Return the error of a proxy that wants to know who asks."""
    names = proxy_variables() or "HTTPS_PROXY"
    return WeightsError(
        "The proxy wants a name and a password (HTTP 407)",
        hint=f"Write them into {names}: http://NAME:PASSWORD@HOST:PORT",
    )


def _proxies() -> dict[str, str]:
    from urllib.request import getproxies  # with http and ssl: not at the start of each command

    return getproxies()


def _proxy_variable(kind: str) -> str:
    names = (f"{kind}_proxy", f"{kind}_proxy".upper())
    return next(
        (name for name in reversed(names) if name in os.environ), f"the system's {kind} proxy setting"
    )


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return False
    return parts.hostname is not None


def certificate_fault(names: tuple[str, ...]) -> WeightsError | None:
    """Return the fault of the first of these variables that names no file or folder; None without one."""
    for name in names:
        value = os.environ.get(name)
        if value and not Path(value).exists():
            return WeightsError(
                f"{name} names a certificate file that does not exist",
                hint=f"Set {name} to the certificates of your network, or unset it",
            )
    return None


def set_certificates(names: tuple[str, ...]) -> str | None:
    """Return the first of these variables that is set, or None."""
    return next((name for name in names if os.environ.get(name)), None)
