"""The model's files in the Hub's cache on this disk. The network is not used."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from bench.doctor.facts import Weights
from bench.doctor.interface import MODEL, WEIGHTS_BYTES
from bench.records.enums import PUBLISHER
from bench.store.disk import free_bytes
from bench.weights.files import is_weights
from bench.weights.hub_cache import RemoteFile, cached_files, default_cache_dir, is_offline, repo_folder

_REVISION: Final = "main"
_OURS_IN_PART: Final = ".bench.incomplete"


def weights_here() -> Weights:
    """Return the state of the cache (complete, partial, absent) and the free space on its disk."""
    cache, repo = default_cache_dir(), f"{PUBLISHER}/{MODEL}"
    found = cached_files(cache, repo, _REVISION)
    complete = found is not None and _weights_bytes(found[1]) >= WEIGHTS_BYTES
    return Weights(
        complete=complete,
        present_bytes=sum(path.stat().st_size for path in _kept(repo_folder(cache, repo))),
        free_bytes=free_bytes(cache),
        offline=is_offline(),
    )


def _weights_bytes(files: tuple[RemoteFile, ...]) -> int:
    return sum(file.size_bytes for file in files if is_weights(file.name))


def _kept(folder: Path) -> Iterator[Path]:
    """Return the bytes that need no download: whole blobs, those begun by bench, copies without a blob."""
    for path in (*folder.glob("blobs/*"), *folder.glob("snapshots/*/*")):
        begun_by_others = path.suffix == ".incomplete" and not path.name.endswith(_OURS_IN_PART)
        if path.is_file() and not path.is_symlink() and not begun_by_others:
            yield path
