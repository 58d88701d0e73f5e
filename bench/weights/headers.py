"""Configuration and tensors of a model on the Hub without its weights: only their headers are fetched.

A safetensors file states its tensors in its first bytes, which huggingface_hub asks for by HTTP range
(https://huggingface.co/docs/safetensors/metadata_parsing).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from huggingface_hub import HfApi, constants, hf_hub_download
from huggingface_hub.errors import (
    EntryNotFoundError,
    LocalEntryNotFoundError,
    NotASafetensorsRepoError,
    SafetensorsParsingError,
)
from huggingface_hub.utils import (  # type: ignore[attr-defined]  # documented there, not marked as exported
    SafetensorsRepoMetadata,
    TensorInfo,
)

from bench.errors import WeightsError
from bench.weights.checkpoint import read_tensors, require_moss_audio
from bench.weights.hub import DEFAULT_REVISION
from bench.weights.hub_cache import SHA1, repo_folder
from bench.weights.hub_errors import CAUGHT
from bench.weights.hub_fallback import cached_instead
from bench.weights.hub_transfer import silent

CONFIG: Final = "config.json"

_ANSWER_TIMEOUT_S: Final = 15.0
_OTHER_WAY: Final = "or point --model to a directory with its config.json"
_OTHER_MODEL: Final = "Choose a MOSS-Audio repository, or a released model by its name"


@dataclass(frozen=True, slots=True)
class RemoteModel:
    """Configuration and tensors of a repository at one commit.

    `config_file` is its `config.json` in the cache; `tensors` are the shapes by name, file by file, in the
    order of the files. `note`: the reason for which a copy in the cache was used; None with an answer.
    """

    repo: str
    commit: str
    config_file: Path
    tensors: Mapping[str, tuple[int, ...]]
    note: str | None = None


def remote_model(repo: str, revision: str | None = None, *, fault: WeightsError | None = None) -> RemoteModel:
    """Ask the Hub for the configuration of a model and for the headers of its weights.

    Where the Hub does not say them, those of a complete snapshot in the cache are returned. `fault`: the Hub
    is not asked for this reason.

    Example:
        `remote_model("OpenMOSS-Team/MOSS-Audio-4B-Instruct", "main")`

    Raises:
        WeightsError: no connection, no such repository or revision, no access, no config.json, another
            model, no safetensors weights, or damaged headers.
        StorageError: the disk refused a write to the cache.
    """
    wanted = revision or DEFAULT_REVISION
    if fault is not None:
        return _cached(repo, wanted, fault)
    try:
        return _asked(repo, wanted)
    except CAUGHT as error:
        return _cached(repo, wanted, error)


def _asked(repo: str, wanted: str) -> RemoteModel:
    with silent():
        commit = HfApi().model_info(repo, revision=wanted, timeout=_ANSWER_TIMEOUT_S).sha or ""
        if not SHA1.fullmatch(commit):
            raise ValueError("no commit")
        config_file = Path(_config_file(repo, commit))
        require_moss_audio(config_file.parent)
        return RemoteModel(repo, commit, config_file, _tensors(_stated(repo, commit), repo))


def _config_file(repo: str, commit: str) -> str:
    try:
        return hf_hub_download(repo, CONFIG, revision=commit)
    except LocalEntryNotFoundError as error:  # the request failed: its cause says how
        raise error.__cause__ or ConnectionError() from error
    except EntryNotFoundError as error:
        raise WeightsError(
            f"{repo} has no {CONFIG}, so its shapes are not known", hint=_OTHER_MODEL
        ) from error


def _stated(repo: str, commit: str) -> SafetensorsRepoMetadata:
    try:
        return HfApi().get_safetensors_metadata(repo, revision=commit)
    except NotASafetensorsRepoError as error:
        raise WeightsError(
            f"{repo} contains no safetensors weights, whose headers could be read", hint=_OTHER_MODEL
        ) from error
    except (SafetensorsParsingError, TypeError, AttributeError, LookupError) as error:
        raise _no_headers(repo) from error


def _cached(repo: str, wanted: str, error: Exception) -> RemoteModel:
    """Return the model of a complete snapshot in the cache, else raise the error as one line."""
    cache = Path(constants.HF_HUB_CACHE)
    lacking = f"the shapes of {repo} are not shipped"
    found = cached_instead(error, repo, wanted, cache, lacking=lacking, ways=_OTHER_WAY)
    directory = repo_folder(cache, repo) / "snapshots" / found.commit
    require_moss_audio(directory)
    tensors = {name: entry.shape for name, entry in read_tensors(directory).items()}
    return RemoteModel(repo, found.commit, directory / CONFIG, tensors, found.note)


def _tensors(stated: SafetensorsRepoMetadata, repo: str) -> dict[str, tuple[int, ...]]:
    found: dict[str, tuple[int, ...]] = {}
    for file in sorted(stated.files_metadata):
        tensors = stated.files_metadata[file].tensors
        for name in sorted(tensors, key=lambda each: _begin(tensors[each], repo)):
            found[name] = _shape(tensors[name], repo)
    return found


def _begin(tensor: TensorInfo, repo: str) -> int:
    return _whole(tensor.data_offsets[0], repo)


def _shape(tensor: TensorInfo, repo: str) -> tuple[int, ...]:
    """Check a shape of an untrusted header: a list of whole numbers."""
    if not isinstance(tensor.shape, list):
        raise _no_headers(repo)
    return tuple(_whole(size, repo) for size in tensor.shape)


def _whole(value: object, repo: str) -> int:
    if type(value) is not int or not 0 <= value < 2**63:
        raise _no_headers(repo)
    return value


def _no_headers(repo: str) -> WeightsError:
    return WeightsError(f"The weights of {repo} have no valid safetensors headers", hint=_OTHER_MODEL)
