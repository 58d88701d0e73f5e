"""The copy in the cache, where the Hub does not say what a revision of a repository is."""

from dataclasses import dataclass
from pathlib import Path

from huggingface_hub.errors import HFValidationError

from bench.weights.hub_cache import RemoteFile, cached_files
from bench.weights.hub_errors import UnreachableError, is_unreachable, translate, unreachable


@dataclass(frozen=True, slots=True)
class CachedSnapshot:
    """A complete snapshot in the cache; `note` says in one line why it is used."""

    commit: str
    files: tuple[RemoteFile, ...]
    note: str


def cached_instead(
    error: Exception, repo: str, revision: str, cache: Path, *, lacking: str, ways: str
) -> CachedSnapshot:
    """Return a complete snapshot in place of the answer that failed with `error`.

    `lacking` and `ways` end the message and the hint where the Hub cannot be reached.

    Raises:
        UnreachableError: no snapshot is complete, and the Hub does not answer.
        WeightsError: no snapshot is complete, and the Hub refuses or cannot be asked.
    """
    away = is_unreachable(error)
    fault = unreachable(error) if away else translate(error, repo, revision)
    found = None if isinstance(error, HFValidationError) else cached_files(cache, repo, revision)
    if found is None and away:
        raise UnreachableError(f"{fault.message}, and {lacking}", hint=f"{fault.hint}, {ways}") from error
    if found is None:
        raise fault from error
    commit, files = found
    unknown = "" if all(file.blob for file in files) else "; the hashes of some of its files are not known"
    return CachedSnapshot(
        commit,
        files,
        f"{fault.message}. The complete copy of {repo} in the cache is used: {commit[:12]}{unknown}",
    )
