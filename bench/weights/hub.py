"""Weights from the Hugging Face Hub: planned, downloaded at one commit, and verified by the Hub's hashes."""

from pathlib import Path
from typing import Final

from huggingface_hub import HfApi, constants
from huggingface_hub.hf_api import ModelInfo, RepoSibling

from bench.errors import WeightsError
from bench.records.enums import WeightMode
from bench.store.disk import free_bytes
from bench.units import MIB, both_units
from bench.weights.checkpoint import require_moss_audio
from bench.weights.files import is_needed, is_weights
from bench.weights.hub_cache import (
    SHA1,
    SHA256,
    CachedFile,
    DownloadPlan,
    RemoteFile,
    remember_revision,
    repo_folder,
)
from bench.weights.hub_errors import CAUGHT, OTHER_WAYS, translated
from bench.weights.hub_fallback import cached_instead
from bench.weights.hub_transfer import Transfer, only_one, silent
from bench.weights.interface import Checkpoint, Progress, quiet

DEFAULT_REVISION: Final = "main"
DISK_MARGIN_BYTES: Final = 512 * MIB
"""Left free on the disk after the download."""

_ANSWER_TIMEOUT_S: Final = 15.0


def plan(
    repo: str,
    *,
    revision: str | None = None,
    cache_dir: Path | None = None,
    fault: WeightsError | None = None,
) -> DownloadPlan:
    """Ask the Hub for the commit of `revision` (branch, tag or commit), and find the bytes missing here.

    A complete snapshot in the cache is enough where the Hub does not answer, refuses, or cannot be asked with
    the settings of this machine; the plan's note says so. `fault`: the Hub is not asked for this reason.

    Raises:
        WeightsError: no safetensors weights in the repository; or no snapshot is complete, and the Hub cannot
            be asked or does not show this repository or revision.
    """
    wanted, cache = revision or DEFAULT_REVISION, cache_dir or Path(constants.HF_HUB_CACHE)
    if fault is not None:
        return _plan_of_cache(repo, wanted, cache, fault)
    try:
        info = HfApi().model_info(repo, revision=wanted, files_metadata=True, timeout=_ANSWER_TIMEOUT_S)
        commit, files = _stated(info, repo)
    except CAUGHT as error:
        return _plan_of_cache(repo, wanted, cache, error)
    folder = repo_folder(cache, repo)
    missing = sum(CachedFile(folder, commit, file).missing_bytes() for file in files)
    return DownloadPlan(repo, wanted, commit, files, cache, missing, free_bytes(cache))


def require_space(plan: DownloadPlan) -> None:
    """Refuse a download for which the disk has too little free space.

    Raises:
        WeightsError: fewer bytes are free than missing, with a margin.
    """
    if plan.missing_bytes and plan.free_bytes < plan.missing_bytes + DISK_MARGIN_BYTES:
        raise WeightsError(
            f"{plan.repo} needs {both_units(plan.missing_bytes)} more on the disk of {plan.cache_dir}, "
            f"where {both_units(plan.free_bytes)} are free",
            hint="Free some space, or set HF_HOME to a folder on a larger disk",
        )


def download(plan: DownloadPlan, progress: Progress = quiet) -> Checkpoint:
    """Download the missing files, verify every file on disk by the Hub's hashes, and return the checkpoint.

    A broken transfer continues where it stopped, in this process or the next. A file with another hash is
    removed.

    Raises:
        WeightsError: too little space, the connection broke, a checksum differs, or the model is another one.
        StorageError: the disk refused a write.
    """
    require_space(plan)
    with translated(plan.repo, plan.revision), silent(), only_one(plan, progress):
        transfer = Transfer(plan, progress)
        # One by one: small files of the same content share a blob, which only one of them can fetch.
        small = [
            seen
            for file in plan.files
            if not is_weights(file.name)
            for seen in transfer.stage([file], checking=quiet)
        ]
        require_moss_audio(plan.directory)
        large = transfer.stage([file for file in plan.files if is_weights(file.name)], checking=progress)
        if plan.note is None:
            remember_revision(repo_folder(plan.cache_dir, plan.repo), plan.revision, plan.commit)
    return Checkpoint(
        directory=plan.directory,
        name=plan.repo.rpartition("/")[2],
        repo=plan.repo,
        revision=plan.commit,
        weight_mode=WeightMode.HUB,
        files=(*small, *large),
    )


def _stated(info: ModelInfo, repo: str) -> tuple[str, tuple[RemoteFile, ...]]:
    """Return the commit and the needed files of the Hub's answer, with names and hashes safe for paths."""
    commit = info.sha or ""
    if not SHA1.fullmatch(commit):
        raise ValueError("no commit")
    files = tuple(_remote_file(sibling) for sibling in info.siblings or () if is_needed(sibling.rfilename))
    if not any(is_weights(file.name) for file in files):
        raise WeightsError(
            f"{repo} contains no safetensors weights",
            hint="Choose a MOSS-Audio repository: other formats can run code and are never opened",
        )
    return commit, files


def _remote_file(sibling: RepoSibling) -> RemoteFile:
    size = sibling.size if sibling.lfs is None else sibling.lfs.size
    sha256 = None if sibling.lfs is None else sibling.lfs.sha256
    git_sha1 = sibling.blob_id if sibling.lfs is None else None
    if type(size) is not int or size < 0:  # a bool is an int
        raise ValueError("no size")
    if not (SHA256.fullmatch(sha256 or "") or SHA1.fullmatch(git_sha1 or "")):
        raise ValueError("no hash")
    return RemoteFile(name=sibling.rfilename, size_bytes=size, sha256=sha256, git_sha1=git_sha1)


def _plan_of_cache(repo: str, revision: str, cache: Path, error: Exception) -> DownloadPlan:
    lacking = f"{repo} at '{revision}' is not complete in {cache}"
    found = cached_instead(error, repo, revision, cache, lacking=lacking, ways=OTHER_WAYS)
    return DownloadPlan(repo, revision, found.commit, found.files, cache, 0, free_bytes(cache), found.note)
