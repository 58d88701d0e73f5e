"""Fetches and checks the weights of a plan before a worker starts."""

import atexit
import shutil
import tempfile
from collections.abc import Callable, Collection
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING

from bench.errors import StorageError, WeightsError
from bench.records.enums import WeightMode
from bench.run.run_spec import Origin, is_released
from bench.run.runner import Weights
from bench.store.user_folders import cache_folder
from bench.units import both_units
from bench.weights.interface import Checkpoint, Progress

if TYPE_CHECKING:
    from bench.weights.hub_cache import DownloadPlan

TINY_VERSION = "1"

Confirm = Callable[[str, int, Path], None]
Note = Callable[[str], None]


def drop(_line: str) -> None:
    """A `Note` that shows nothing."""


def fetch(origin: Origin, confirm: Confirm, progress: Progress, note: Note = drop) -> Weights:
    """Return the checked weights of a plan. `confirm(repo, bytes, place)` is called before a download.

    `note` receives a line if the tiny model cannot be kept in the cache, or if a complete copy in the Hub's
    cache is used because the Hub cannot be asked.

    Raises:
        WeightsError: they are not available, damaged, or of another model.
        UsageError: `confirm` refused the download.
    """
    match origin.weight_mode:
        case WeightMode.HUB if origin.repo is not None:
            return _from_hub(origin.repo, origin.revision, confirm, progress, note)
        case WeightMode.LOCAL if origin.directory is not None:
            from bench.weights.local import open_local

            return _weights(open_local(origin.directory, progress=progress))
        case WeightMode.TINY:
            # A worker writes it at its first use, since this process does not import torch.
            return Weights(directory=tiny_directory(note))
        case _:
            return Weights()


def check(origin: Origin, note: Note = drop) -> None:
    """Check the weights of a plan as `fetch` and a worker will, without a download and without reading them.

    `note` also receives a line if a run would download, or if the Hub cannot be asked about a released model.

    Raises:
        WeightsError: they are not available, damaged, incomplete, or of another model.
        UsageError: the configuration lacks something.
    """
    if origin.repo is not None:
        _check_hub(origin, origin.repo, note)
    elif origin.directory is not None:
        _check_directory(origin.directory)


def _check_hub(origin: Origin, repo: str, note: Note) -> None:
    from bench.weights.hub_errors import UnreachableError

    try:
        plan = _download_plan(repo, origin.revision, note)
    except UnreachableError as error:
        if not is_released(origin.name):
            raise
        note(f"a run needs the Hub: {error}")
        return
    if plan.missing_bytes:
        note(f"a run downloads {both_units(plan.missing_bytes)} of {repo} to {plan.cache_dir} first")


def _check_directory(directory: Path) -> None:
    from bench.arithmetic.architecture import parameters
    from bench.arithmetic.shapes import shapes_of
    from bench.weights.checkpoint import read_json, read_tensors
    from bench.weights.local import checked_names

    _require_complete(directory, checked_names(directory), str(directory))
    held = sum(prod(entry.shape) for entry in read_tensors(directory).values())
    described = parameters(shapes_of(read_json(directory / "config.json"))).total
    if held != described:
        raise WeightsError(
            f"The weights in {directory} do not fit its config.json: they have {held:,} parameters, and it "
            f"describes {described:,}",
            hint="Download it again, or point --model to a complete MOSS-Audio checkpoint",
        )


def tiny_directory(note: Note = drop) -> Path:
    """Return the directory in which a worker writes the tiny checkpoint.

    It is in the user's cache; if that cannot be used, `note` receives a line, and it is in a temporary
    folder, which is deleted at the end of this process.

    Raises:
        StorageError: there is no place for temporary files either.
    """
    from bench.weights.tiny import require_place

    place = "the user's cache"
    try:
        directory = cache_folder() / f"tiny-{TINY_VERSION}"
        place = str(directory)
        require_place(directory)
    except OSError as error:
        note(f"{place}: cannot be used ({error.strerror}); the tiny model is made in a temporary folder")
        return _temporary() / "tiny"
    return directory


def _temporary() -> Path:
    try:
        folder = tempfile.mkdtemp(prefix="bench-tiny-")
    except OSError as error:
        raise StorageError(
            f"the tiny model cannot be stored ({error.strerror})",
            hint="Set TMPDIR to a folder with free space",
        ) from error
    # At the end of the process, whoever holds the weights: workers read the files until then.
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


def _from_hub(repo: str, revision: str | None, confirm: Confirm, progress: Progress, note: Note) -> Weights:
    plan = _download_plan(repo, revision, note)
    if plan.missing_bytes:
        confirm(repo, plan.missing_bytes, plan.cache_dir)
    from bench.weights.hub import download

    return _weights(download(plan, progress))


def _download_plan(repo: str, revision: str | None, note: Note) -> "DownloadPlan":
    from bench.weights.hub_settings import set_aside

    with set_aside() as fault:
        from bench.weights import hub

        plan = hub.plan(repo, revision=revision, fault=fault)
    if plan.note is not None:
        note(plan.note)
    hub.require_space(plan)
    return plan


def _weights(checkpoint: Checkpoint) -> Weights:
    """Return the weights of a checkpoint whose processor and tokenizer are complete."""
    names = {file.name for file in checkpoint.files}
    _require_complete(checkpoint.directory, names, checkpoint.repo or str(checkpoint.directory))
    return Weights(checkpoint.directory, checkpoint.revision, checkpoint.files)


def _require_complete(directory: Path, names: Collection[str], where: str) -> None:
    """Refuse a checkpoint without its processor or tokenizer.

    Without a vocabulary transformers invents one, and the prompt gets other ids.

    Raises:
        WeightsError: a file is missing or damaged.
    """
    from bench.weights.checkpoint import read_json

    vocabulary = "tokenizer.json" if "vocab.json" not in names else "vocab.json"
    for name in ("processor_config.json", vocabulary):
        if name not in names:
            raise WeightsError(
                f"{where} has no {name}",
                hint="Download it again, or point --model to a complete MOSS-Audio checkpoint",
            )
        read_json(directory / name)
