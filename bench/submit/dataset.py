"""A bundle as a pull request on a dataset of the Hub."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from huggingface_hub import CommitOperationAdd, HfApi, constants, get_token

from bench.errors import BenchError, SiteError, UsageError, WeightsError
from bench.submit.destination import Dataset
from bench.submit.send import digest_of
from bench.text import MAX_NAME, clean
from bench.weights.hub_errors import CAUGHT, is_unreachable, translate, unreachable
from bench.weights.hub_settings import refused_token
from bench.weights.hub_transfer import silent

_KIND: Final = "dataset"
_DIGITS: Final = 16
_TRANSLATED_STATUS: Final = frozenset({404, 407, 429})
_OFFLINE: Final = "use --offline and hand the bundle over in another way"


@dataclass(frozen=True)
class PullRequest:
    """A pull request that adds a bundle."""

    number: int
    status: str
    """open, draft, merged or closed."""
    url: str


def account() -> str:
    """Return the name of the account on the Hub that opens pull requests.

    Raises:
        SiteError: there is no token, the Hub refuses it, or it cannot be reached.
    """
    with _translated("the account"):
        if get_token() is not None:
            return clean(str(HfApi().whoami()["name"]), MAX_NAME)
    raise SiteError(
        "a pull request on the Hub needs an account, and there is no token here",
        hint="Run `hf auth login`, or set HF_TOKEN to a token that can write",
    )


def open_pull_request(
    content: bytes, place: PurePosixPath, record_id: str, dataset: Dataset, author: str
) -> PullRequest:
    """Open a pull request that adds a bundle; where this account has opened it already, return that one.

    Raises:
        UsageError: the dataset has the file already.
        SiteError: the Hub cannot be reached, or refuses.
    """
    title = f"Submit record {record_id} ({digest_of(content)[:_DIGITS]})"
    with _translated(dataset.name), silent():
        return (
            _opened(dataset, author, title)
            or _new(dataset, title, CommitOperationAdd(str(place), content))
            or _nothing_new(dataset, place)
        )


def _opened(dataset: Dataset, author: str, title: str) -> PullRequest | None:
    """Return the pull request of an earlier try, whose answer may have been lost."""
    theirs = HfApi().get_repo_discussions(
        dataset.name, author=author, discussion_type="pull_request", repo_type=_KIND
    )
    found = next((each for each in theirs if each.title == title and each.author == author), None)
    return None if found is None else PullRequest(found.num, clean(found.status, MAX_NAME), clean(found.url))


def _new(dataset: Dataset, title: str, bundle: CommitOperationAdd) -> PullRequest | None:
    """Return the new pull request; None where the dataset has this very file, and there is nothing to add."""
    if HfApi().file_exists(dataset.name, bundle.path_in_repo, repo_type=_KIND):
        return None
    made = HfApi().create_commit(
        dataset.name, [bundle], commit_message=title, repo_type=_KIND, create_pr=True
    )
    if made.pr_num is None or made.pr_url is None:
        return None
    return PullRequest(made.pr_num, "open", clean(made.pr_url))


def _nothing_new(dataset: Dataset, place: PurePosixPath) -> PullRequest:
    raise UsageError(f"{place} is in {dataset.address} already", hint="There is nothing to submit")


@contextmanager
def _translated(name: str) -> Iterator[None]:
    """Raise `SiteError` instead of errors of the Hub's client."""
    try:
        yield
    except CAUGHT as error:
        raise _translate(error, name) from error


def _translate(error: Exception, name: str) -> BenchError:
    status: object = getattr(getattr(error, "response", None), "status_code", None)
    if status == 401:
        refused = refused_token(Path(constants.HF_TOKEN_PATH), 401)
        return SiteError(refused.message, hint=refused.hint)
    if status == 403:
        return SiteError(
            f"the Hub does not let this account open a pull request on {name} (HTTP 403)",
            hint="Use a token that can write (https://huggingface.co/settings/tokens), or ask the owner of "
            "the dataset to allow pull requests",
        )
    if isinstance(status, int) and status < 500 and status not in _TRANSLATED_STATUS:
        return SiteError(
            f"the Hub does not take the bundle for {name} (HTTP {status})",
            hint=f"Look at the page of the dataset, or {_OFFLINE}",
        )
    found = unreachable(error) if is_unreachable(error) else translate(error, name, "main")
    return SiteError(found.message, hint=found.hint) if isinstance(found, WeightsError) else found
