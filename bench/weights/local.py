"""Weights from a directory on this machine."""

from pathlib import Path

from bench.errors import WeightsError
from bench.records.enums import WeightMode
from bench.store.untrusted import kind_of
from bench.weights.checkpoint import require_moss_audio, shards
from bench.weights.files import SMALL, hash_files
from bench.weights.impostors import require_genuine
from bench.weights.interface import Checkpoint, Progress, quiet


def open_local(path: Path, *, progress: Progress = quiet) -> Checkpoint:
    """Check a checkpoint directory and hash the files to read; weights are not loaded.

    The checkpoint's name is the directory's own name, so that no path gets into a record.

    Example:
        `open_local(Path("models/MOSS-Audio-4B-Instruct"))`

    Raises:
        WeightsError: no such directory, another model, no safetensors weights, an unreadable file, or one
            with another content than its name says.
    """
    names = checked_names(path)
    files = hash_files({name: path / name for name in names}, progress)
    return Checkpoint(
        directory=path,
        name=path.resolve().name or "local",
        repo=None,
        revision=None,
        weight_mode=WeightMode.LOCAL,
        files=files,
    )


def checked_names(path: Path) -> tuple[str, ...]:
    """Check a checkpoint directory without reading its weights, and return the names of the files to read.

    Raises:
        WeightsError: as `open_local`.
    """
    if kind_of(path) != "folder":
        what = "is not a directory" if kind_of(path) is not None else "does not exist"
        raise WeightsError(f"{path} {what}", hint="Set --model to a directory with a MOSS-Audio checkpoint")
    require_moss_audio(path)
    names = [name for name in sorted(SMALL) if kind_of(path / name) == "file"]
    large = shards(path)
    for name in (*names, *large):
        require_genuine(path / name, text=name in SMALL)
    return (*names, *large)
