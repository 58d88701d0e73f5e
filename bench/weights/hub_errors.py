"""Translation of huggingface_hub's errors into one line for people; no other module translates them.

Messages are written here and never quoted from the library: its texts hold addresses, and may hold more.
"""

import errno
import importlib
import json
import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, cast

from huggingface_hub import constants
from huggingface_hub.errors import (
    DisabledRepoError,
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
    StrictDataclassError,
)

from bench.errors import BenchError, StorageError, WeightsError
from bench.store.disk import FULL
from bench.weights import hub_settings

_TRANSPORT: Final = cast("type[Exception]", HfHubHTTPError.__bases__[0])
"""`HTTPError` of the HTTP library that this huggingface_hub is built on: requests, httpx or httpx2.

Under the httpx family it is the root of connection errors too; under requests those are `OSError`."""

_LIBRARY: Final = _TRANSPORT.__module__.partition(".")[0]


def _transport_errors(*names: str) -> tuple[type[Exception], ...]:
    """Return the exceptions of the HTTP library with these names, as far as it has them."""
    known = vars(importlib.import_module(_TRANSPORT.__module__))
    return tuple(known[name] for name in names if name in known)


_PROXY_REFUSED: Final = _transport_errors("ProxyError")
_TIMED_OUT: Final[tuple[type[Exception], ...]] = (
    TimeoutError,
    *_transport_errors("Timeout", "TimeoutException"),
)
_BAD_ADDRESS: Final = _transport_errors("InvalidURL", "InvalidSchema", "MissingSchema", "UnsupportedProtocol")
_NEEDS_PACKAGE: Final[tuple[type[Exception], ...]] = (ImportError, *_BAD_ADDRESS)

CAUGHT: Final[tuple[type[Exception], ...]] = (
    _TRANSPORT,
    *_NEEDS_PACKAGE,
    EntryNotFoundError,
    OSError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
)
"""All that a call to the Hub can raise.

`ImportError`: a proxy needs a package. `ValueError` and the last three: a setting or an answer is not what
the client expects."""

UNUSABLE_CONFIG: Final = (StrictDataclassError,)
"""What a configuration of transformers raises where a value is of the wrong type."""

OTHER_WAYS: Final = (
    "pass a directory with --model DIR, or take random weights of the same shapes with --weights random"
)

_AUTHENTICATE: Final = (
    "If it is private or gated, ask for access on its page, then run `hf auth login` or set HF_TOKEN"
)
_AGAIN: Final = "Run the same command again: it goes on where it stopped"

_REPOSITORY: Final[tuple[tuple[type[Exception], str, str], ...]] = (
    (HFValidationError, "'{repo}' is not a repository name on the Hub", "Write it as OWNER/NAME"),
    (GatedRepoError, "{repo} is gated and this account has no access to it", _AUTHENTICATE),
    (DisabledRepoError, "The Hub has disabled {repo}", f"Choose another, {OTHER_WAYS}"),
    (RevisionNotFoundError, "{repo} has no revision '{revision}'", "Give a branch, a tag or a full commit"),
    (EntryNotFoundError, "A file of {repo} at '{revision}' is not on the Hub any more", _AGAIN),
)
"""The first that fits counts: a gated repository is a kind of missing one to huggingface_hub."""

_CLAUSES: Final[tuple[tuple[tuple[type[Exception], ...], str], ...]] = (
    ((socket.gaierror,), "its name is not known here"),
    (_TIMED_OUT, "no answer in time"),
    ((ConnectionRefusedError,), "the connection is refused"),
)
_PROXY_STATUS: Final = re.compile(r"(?:^|failed: )([345]\d\d)\b")


_FORBIDDEN: Final = (errno.EACCES, errno.EPERM, errno.EROFS)


class UnreachableError(WeightsError):
    """The Hub does not answer now: nothing is known of the repository."""


class PortalError(ValueError):
    """A web page came in place of a file."""


@contextmanager
def translated(repo: str, revision: str) -> Iterator[None]:
    """Raise `WeightsError` or `StorageError` instead of huggingface_hub's errors."""
    try:
        yield
    except CAUGHT as error:
        raise translate(error, repo, revision) from error


def is_unreachable(error: Exception) -> bool:
    """Whether the Hub did not answer, or only that it cannot: nothing here needs a correction."""
    if isinstance(error, HfHubHTTPError):
        return (_status(error) or 0) >= 500
    if isinstance(error, json.JSONDecodeError | PortalError) or _of_settings(error) is not None:
        return False
    if isinstance(error, OfflineModeIsEnabled | _TRANSPORT | ConnectionError | TimeoutError):
        return True
    return isinstance(error, OSError) and error.errno is None


def unreachable(error: Exception) -> UnreachableError:
    """Return the error of a first request for which `is_unreachable` holds; the hint can be continued."""
    if isinstance(error, HfHubHTTPError):
        return UnreachableError(_own_fault(error), hint="Wait and run again")
    return UnreachableError(f"The Hub cannot be reached ({_cause(error)})", hint=_reconnect(error))


def translate(error: Exception, repo: str, revision: str) -> BenchError:
    """Return the error of a request about `repo`, with its remedy."""
    if isinstance(error, BenchError):
        return error
    if isinstance(error, HfHubHTTPError) and _status(error) == 401 and _sent_token(error):
        return hub_settings.refused_token(Path(constants.HF_TOKEN_PATH), 401)
    for kind, message, hint in _REPOSITORY:
        if isinstance(error, kind):
            return WeightsError(message.format(repo=repo, revision=revision), hint=hint)
    if isinstance(error, HfHubHTTPError):
        return _of_status(error, repo)
    of_settings = _of_settings(error)
    if of_settings is not None:
        return of_settings
    if isinstance(error, json.JSONDecodeError | PortalError):
        return WeightsError(
            "The answer is not from the Hub; it may be the login page of a network",
            hint="Log in to the network in a browser, or check HF_ENDPOINT and any proxy",
        )
    if is_unreachable(error):
        return WeightsError(
            f"The connection to the Hub broke while {repo} was being fetched ({_cause(error)})", hint=_AGAIN
        )
    if isinstance(error, OSError):
        return _of_disk(error)
    return WeightsError(
        f"The Hub's answer about {repo} cannot be understood", hint="Check HF_ENDPOINT and any proxy"
    )


def _of_status(error: HfHubHTTPError, repo: str) -> WeightsError:
    status = _status(error)
    if status in (401, 403):
        return WeightsError(
            f"The Hub shows no {repo} to this account (HTTP {status})",
            hint=f"Check the name. {_AUTHENTICATE}",
        )
    if isinstance(error, RepositoryNotFoundError) or status == 404:
        return WeightsError(
            f"There is no repository {repo} on the Hub", hint=f"Check the name. {_AUTHENTICATE}"
        )
    if status == 407:
        return hub_settings.proxy_password_fault()
    if status == 429:
        wait = _seconds_to_wait(error)
        pause = "some minutes" if wait is None else f"{wait} s"
        return WeightsError(
            f"The Hub asks for a pause of {pause}: too many requests came from this address (HTTP 429)",
            hint=f"Wait {pause}. {_AGAIN}",
        )
    if status is not None and status >= 500:
        return WeightsError(_own_fault(error), hint=f"Wait some minutes. {_AGAIN}")
    answer = "no status" if status is None else f"HTTP {status}"
    return WeightsError(
        f"The Hub did not deliver {repo} ({answer})", hint=f"Check HF_ENDPOINT and any proxy, {OTHER_WAYS}"
    )


def _own_fault(error: HfHubHTTPError) -> str:
    return f"The Hub has a fault of its own (HTTP {_status(error)})"


def _of_settings(error: Exception) -> WeightsError | None:
    """Return the fault of this machine's settings that an error shows; None if it shows none."""
    chain = tuple(_chain(error))
    secured = _of_encryption(chain)
    if secured is not None:
        return secured
    if isinstance(error, _PROXY_REFUSED):
        return _of_proxy(chain)
    if isinstance(error, json.JSONDecodeError | PortalError):
        return None
    if isinstance(error, (ValueError, *_NEEDS_PACKAGE)) or _shows(chain, socket.gaierror):
        package = f"{_LIBRARY}[socks]" if isinstance(error, _NEEDS_PACKAGE) else None
        return (
            hub_settings.endpoint_fault()
            or hub_settings.token_fault(Path(constants.HF_TOKEN_PATH))
            or hub_settings.proxy_fault(socks_package=package)
        )
    if isinstance(error, FileNotFoundError) or (isinstance(error, OSError) and error.errno is None):
        return hub_settings.certificate_fault(_certificate_names())
    return None


def _of_encryption(chain: tuple[BaseException, ...]) -> WeightsError | None:
    fault = next((each for each in chain if isinstance(each, ssl.SSLError)), None)
    if fault is None:
        return None
    names = _certificate_names()
    if isinstance(fault, ssl.SSLCertVerificationError):
        return WeightsError(
            "The certificate of the Hub is not trusted: a proxy of this network may have made its own",
            hint=f"Set {names[0]} to a file with the certificate of your network's authority",
        )
    if fault.library != "SSL":
        name = hub_settings.set_certificates(names) or names[0]
        return WeightsError(
            f"{name} names a file without certificates", hint=f"Set {name} to a PEM file, or unset it"
        )
    return WeightsError(
        "The connection to the Hub could not be encrypted",
        hint="Check HF_ENDPOINT (a server without TLS has http://), and any proxy",
    )


def _of_proxy(chain: tuple[BaseException, ...]) -> WeightsError | None:
    """Return the error of a proxy's answer; its status is in the text alone. None where it did not answer."""
    status = next((found[1] for each in chain if (found := _PROXY_STATUS.search(str(each)))), None)
    if status is None:
        return None
    if status == "407":
        return hub_settings.proxy_password_fault()
    return WeightsError(
        f"The proxy in {hub_settings.proxy_variables()} does not connect to the Hub (HTTP {status})",
        hint="Ask the administrator of the proxy to allow it, or download elsewhere and pass --model DIR",
    )


def _of_disk(error: OSError) -> StorageError:
    cache = constants.HF_HUB_CACHE
    if error.errno in FULL:
        return StorageError(
            f"The disk of the cache {cache} is full",
            hint=f"Free space, or set HF_HOME to a folder on a larger disk. {_AGAIN}",
        )
    if error.errno in _FORBIDDEN:
        return StorageError(
            f"The cache {cache} cannot be written ({error.strerror})",
            hint="Set HF_HOME to a folder that you may write to",
        )
    return StorageError(
        f"The disk refused a write to the cache {cache} ({error.strerror})",
        hint="Set HF_HOME to another folder",
    )


def _cause(error: Exception) -> str:
    """Return the reason for which there is no answer, as a short clause."""
    if isinstance(error, OfflineModeIsEnabled):
        return "HF_HUB_OFFLINE is set"
    chain = tuple(_chain(error))
    for kinds, clause in _CLAUSES:
        if _shows(chain, *kinds):
            return clause
    return "the connection breaks"


def _reconnect(error: Exception) -> str:
    if isinstance(error, OfflineModeIsEnabled):
        return "Unset HF_HUB_OFFLINE and run again"
    proxies = hub_settings.proxy_variables()
    return f"Check the connection and {proxies}, and run again" if proxies else "Connect and run again"


def _certificate_names() -> tuple[str, ...]:
    return hub_settings.CERTIFICATES_OF_REQUESTS if _LIBRARY == "requests" else hub_settings.CERTIFICATES


def _sent_token(error: HfHubHTTPError) -> bool:
    return "authorization" in error.response.request.headers


def _seconds_to_wait(error: HfHubHTTPError) -> int | None:
    """Return the pause of `Retry-After`, or of the Hub's own `RateLimit` ("api";r=0;t=55), in seconds."""
    headers = error.response.headers
    stated = re.fullmatch(r"\s*(\d{1,5})\s*", headers.get("Retry-After", "")) or re.search(
        r"\bt=(\d{1,5})\b", headers.get("RateLimit", "")
    )
    return int(stated[1]) if stated else None


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and those that caused it; requests keeps some of them as arguments."""
    waiting, seen = [error], set[int]()
    while waiting:
        current = waiting.pop(0)
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        causes = (current.__cause__, current.__context__, getattr(current, "reason", None), *current.args)
        waiting += [cause for cause in causes if isinstance(cause, BaseException)]


def _shows(chain: tuple[BaseException, ...], *kinds: type[Exception]) -> bool:
    return any(isinstance(each, kinds) for each in chain)


def _status(error: HfHubHTTPError) -> int | None:
    status = getattr(error.response, "status_code", None)  # before 1.0 there may be no response
    return status if isinstance(status, int) else None
