"""Translation of huggingface_hub's errors into one line for people; no other module translates them.

Messages are written here and never quoted from the library: its texts hold addresses, and may hold more.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, cast

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

_TRANSPORT: Final = cast("type[Exception]", HfHubHTTPError.__bases__[0])
"""`HTTPError` of the HTTP library that this huggingface_hub is built on: requests, httpx or httpx2.

Under the httpx family it is the root of connection errors too; under requests those are `OSError`."""

CAUGHT: Final = (
    _TRANSPORT,
    EntryNotFoundError,
    OSError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
)
"""All that a call to the Hub can raise; the last four when its answer is not what the client expects."""

UNUSABLE_CONFIG: Final = (StrictDataclassError,)
"""What a configuration of transformers raises where a value is of the wrong type."""

OTHER_WAYS: Final = (
    "pass a directory with --model DIR, or take random weights of the same shapes with --weights random"
)

_AUTHENTICATE: Final = (
    "If it is private or gated, ask for access on its page, then run `hf auth login` or set HF_TOKEN"
)
_AGAIN: Final = "Run the same command again: it goes on where it stopped"

_TOLD: Final[tuple[tuple[type[Exception], str, str], ...]] = (
    (HFValidationError, "'{repo}' is no name of a repository on the Hub", "Write it as OWNER/NAME"),
    (GatedRepoError, "{repo} is gated and this account has no access to it", _AUTHENTICATE),
    (DisabledRepoError, "The Hub has disabled {repo}", f"Choose another, {OTHER_WAYS}"),
    (RevisionNotFoundError, "{repo} has no revision '{revision}'", "Give a branch, a tag or a full commit"),
    (EntryNotFoundError, "A file of {repo} at '{revision}' is not on the Hub any more", _AGAIN),
)
"""The first that fits counts: a gated repository is a kind of missing one to huggingface_hub."""


@contextmanager
def translated(repo: str, revision: str) -> Iterator[None]:
    """Raise `WeightsError` or `StorageError` instead of huggingface_hub's errors."""
    try:
        yield
    except CAUGHT as error:
        raise translate(error, repo, revision) from error


def is_unreachable(error: Exception) -> bool:
    """Whether the Hub could not be reached, so that the cache may be enough."""
    if isinstance(error, HfHubHTTPError):
        return (_status(error) or 0) >= 500
    if isinstance(error, OfflineModeIsEnabled | _TRANSPORT | ConnectionError | TimeoutError):
        return True
    return isinstance(error, OSError) and error.errno is None


def translate(error: Exception, repo: str, revision: str) -> BenchError:
    """Return the error of a request about `repo`, with its remedy."""
    for kind, message, hint in _TOLD:
        if isinstance(error, kind):
            return WeightsError(message.format(repo=repo, revision=revision), hint=hint)
    if isinstance(error, HfHubHTTPError):
        return _of_status(error, repo)
    if is_unreachable(error):
        return WeightsError(f"The connection to the Hub broke while {repo} was being fetched", hint=_AGAIN)
    if isinstance(error, OSError):
        return StorageError(
            f"The disk refused a write to the cache: {error.strerror}", hint="Free space or set HF_HOME"
        )
    return WeightsError(
        f"The Hub's answer about {repo} makes no sense", hint="Check HF_ENDPOINT and any proxy"
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
    if status == 429:
        return WeightsError("The Hub asks for a pause (HTTP 429)", hint=f"Wait some minutes. {_AGAIN}")
    answer = "no status" if status is None else f"HTTP {status}"
    return WeightsError(f"The Hub did not deliver {repo} ({answer})", hint=_AGAIN)


def _status(error: HfHubHTTPError) -> int | None:
    status = getattr(error.response, "status_code", None)  # before 1.0 there may be no response
    return status if isinstance(status, int) else None
