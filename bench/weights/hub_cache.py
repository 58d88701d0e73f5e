"""The files of huggingface_hub's cache: present ones, missing ones, and their paths.

Layout (https://huggingface.co/docs/huggingface_hub/guides/manage-cache): `blobs/` holds content under its
SHA-256 (large files) or git SHA-1 (small ones), `snapshots/COMMIT/` links to it by file name, `refs/` holds
the commit that a branch had when it was last looked up.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from huggingface_hub import constants
from huggingface_hub.file_download import repo_folder_name, try_to_load_from_cache

from bench.errors import WeightsError
from bench.records.record import WeightFile
from bench.weights.checkpoint import shards
from bench.weights.files import git_blob_sha1, is_needed

SHA256: Final = re.compile(r"[0-9a-f]{64}")
SHA1: Final = re.compile(r"[0-9a-f]{40}")
_ESSENTIAL: Final = ("config.json", "processor_config.json")
_TOKENIZERS: Final = ("tokenizer.json", "vocab.json")


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """One file of the Hub, with its SHA-256 if it is a large one, else with git's SHA-1."""

    name: str
    size_bytes: int
    sha256: str | None
    git_sha1: str | None

    @property
    def blob(self) -> str | None:
        """The file's name among the blobs of the cache."""
        return self.sha256 or self.git_sha1


@dataclass(frozen=True, slots=True)
class DownloadPlan:
    """The files of a download and their destination: enough to ask a person once.

    `revision` is the requested one and `commit` its current commit. `missing_bytes` are not on the disk yet,
    `free_bytes` are free there. `note`: the reason for which a complete snapshot in the cache is used
    without the Hub; None where the Hub was asked.
    """

    repo: str
    revision: str
    commit: str
    files: tuple[RemoteFile, ...]
    cache_dir: Path
    missing_bytes: int
    free_bytes: int
    note: str | None = None

    @property
    def total_bytes(self) -> int:
        """Size of all files, including those on the disk."""
        return sum(file.size_bytes for file in self.files)

    @property
    def directory(self) -> Path:
        """Directory of the complete checkpoint."""
        return repo_folder(self.cache_dir, self.repo) / "snapshots" / self.commit


def default_cache_dir() -> Path:
    """Return huggingface_hub's cache: HF_HUB_CACHE, or a folder below HF_HOME."""
    return Path(constants.HF_HUB_CACHE)


def is_offline() -> bool:
    """Whether HF_HUB_OFFLINE forbids the network."""
    return bool(constants.HF_HUB_OFFLINE)


def repo_folder(cache_dir: Path, repo: str) -> Path:
    """The folder of one repository in the cache."""
    return cache_dir / repo_folder_name(repo_id=repo, repo_type="model")


class CachedFile:
    """One file of a snapshot on disk: as a link, as a blob, or in part."""

    def __init__(self, folder: Path, commit: str, file: RemoteFile) -> None:
        self.file = file
        self.link = folder / "snapshots" / commit / file.name
        self.blob = folder / "blobs" / file.blob if file.blob else self.link
        # A name of our own: huggingface_hub writes, and before 1.0 appends, to BLOB.incomplete.
        self.partial = self.blob.with_name(f"{self.blob.name}.bench.incomplete")

    def current(self) -> Path:
        """The path that holds the content, complete or not."""
        complete = (path for path in (self.link, self.blob) if _size(path) == self.file.size_bytes)
        return next(complete, self.partial)

    def missing_bytes(self) -> int:
        """Return the bytes still to download."""
        there = _size(self.current()) or 0
        return self.file.size_bytes - there if there <= self.file.size_bytes else self.file.size_bytes

    def matches(self, seen: WeightFile) -> bool:
        """Whether the content on disk, `seen`, has the Hub's hash."""
        if self.file.sha256 is not None:
            return seen.sha256 == self.file.sha256
        if self.file.git_sha1 is not None:
            return git_blob_sha1(self.current()) == self.file.git_sha1
        return True

    def settle(self) -> None:
        """Put verified content under its name in the snapshot."""
        current = self.current()
        if current == self.link:
            return
        if current == self.partial:
            self.partial.replace(self.blob)
        self.link.parent.mkdir(parents=True, exist_ok=True)
        self.link.unlink(missing_ok=True)
        try:
            self.link.symlink_to(os.path.relpath(self.blob, self.link.parent))
        except OSError:  # Windows without the right to make links: keep one copy, under the file's own name
            self.blob.replace(self.link)

    def discard(self) -> None:
        """Remove content with another hash."""
        for path in (self.link, self.blob, self.partial):
            path.unlink(missing_ok=True)


def remember_revision(folder: Path, revision: str, commit: str) -> None:
    """Store the commit of a branch or tag, so that it can be found offline."""
    path = folder / "refs" / revision
    if revision == commit or not path.resolve().is_relative_to((folder / "refs").resolve()):
        return
    if path.is_file() and path.read_bytes() == commit.encode("ascii"):
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    fresh.write_text(commit, encoding="ascii")
    fresh.replace(path)


def cached_files(cache_dir: Path, repo: str, revision: str) -> tuple[str, tuple[RemoteFile, ...]] | None:
    """Return the commit and files of a complete snapshot on this disk, or None."""
    config = try_to_load_from_cache(repo, "config.json", cache_dir=cache_dir, revision=revision)
    if not isinstance(config, str):
        return None
    directory = Path(config).parent
    if not _is_complete(directory):
        return None
    entries = sorted(path for path in directory.iterdir() if is_needed(path.name) and path.is_file())
    return directory.name, tuple(_as_stated_by_its_blob(path) for path in entries)


def _is_complete(directory: Path) -> bool:
    try:
        shards(directory)
    except WeightsError:
        return False
    has_tokenizer = any((directory / name).is_file() for name in _TOKENIZERS)
    return has_tokenizer and all((directory / name).is_file() for name in _ESSENTIAL)


def _as_stated_by_its_blob(path: Path) -> RemoteFile:
    """The Hub's own hash is the name of the blob that a snapshot links to; a plain copy has none."""
    blob = path.readlink().name if path.is_symlink() else ""
    return RemoteFile(
        name=path.name,
        size_bytes=path.stat().st_size,
        sha256=blob if SHA256.fullmatch(blob) else None,
        git_sha1=blob if SHA1.fullmatch(blob) else None,
    )


def _size(path: Path) -> int | None:
    return path.stat().st_size if path.is_file() else None
