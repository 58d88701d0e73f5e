"""Fetches and checks the weights of a plan before a worker starts."""

from collections.abc import Callable
from pathlib import Path

import platformdirs

from bench.errors import WeightsError
from bench.records.enums import WeightMode
from bench.run.run_spec import Origin
from bench.run.runner import Weights
from bench.store import naming
from bench.weights.interface import Checkpoint, Progress

TINY_VERSION = "1"

Confirm = Callable[[str, int, Path], None]


def fetch(origin: Origin, confirm: Confirm, progress: Progress) -> Weights:
    """Return the checked weights of a plan. `confirm(repo, bytes, place)` is called before a download.

    Raises:
        WeightsError: they are not available, damaged, or of another model.
        UsageError: `confirm` refused the download.
    """
    match origin.weight_mode:
        case WeightMode.HUB if origin.repo is not None:
            return _from_hub(origin.repo, origin.revision, confirm, progress)
        case WeightMode.LOCAL if origin.directory is not None:
            from bench.weights.local import open_local

            return _weights(open_local(origin.directory, progress=progress))
        case WeightMode.TINY:
            # A worker writes it at its first use, since this process does not import torch.
            return Weights(directory=tiny_directory())
        case _:
            return Weights()


def tiny_directory() -> Path:
    """Return the directory in which a worker writes the tiny checkpoint."""
    return Path(platformdirs.user_cache_dir(naming.USER_FOLDER)) / f"tiny-{TINY_VERSION}"


def _from_hub(repo: str, revision: str | None, confirm: Confirm, progress: Progress) -> Weights:
    from bench.weights import hub

    plan = hub.plan(repo, revision=revision)
    hub.require_space(plan)
    if plan.missing_bytes:
        confirm(repo, plan.missing_bytes, plan.cache_dir)
    return _weights(hub.download(plan, progress))


def _weights(checkpoint: Checkpoint) -> Weights:
    """Return the weights of a checkpoint, after a check that processor and tokenizer are complete.

    Without a vocabulary transformers invents one, and the prompt gets other ids.

    Raises:
        WeightsError: a file is missing or damaged.
    """
    from bench.weights.checkpoint import read_json

    names = {file.name for file in checkpoint.files}
    vocabulary = "tokenizer.json" if "vocab.json" not in names else "vocab.json"
    for name in ("processor_config.json", vocabulary):
        if name not in names:
            raise WeightsError(
                f"{checkpoint.repo or checkpoint.directory} has no {name}",
                hint="Download it again, or point --model to a complete MOSS-Audio checkpoint",
            )
        read_json(checkpoint.directory / name)
    return Weights(checkpoint.directory, checkpoint.revision, checkpoint.files)
