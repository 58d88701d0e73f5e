"""The result of every source of weights, and the progress that it reports.

The sources are `hub` (the Hugging Face Hub), `local` (a directory), `random` (the right shapes, no download)
and `tiny` (a small model of the same architecture, made on this machine).
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bench.records.enums import WeightMode
from bench.records.record import WeightFile


class Progress(Protocol):
    """Receives the progress of a download or a check of files; called from one thread at a time."""

    def __call__(self, label: str, done_bytes: int, total_bytes: int) -> None:
        """`label` names the stage; it and `total_bytes` change when the next stage begins."""


def quiet(label: str, done_bytes: int, total_bytes: int) -> None:
    """A `Progress` that shows nothing."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A model directory that is ready to be loaded.

    `directory` stays on this machine: only `name`, `repo`, `revision` and `files` may enter a record.
    """

    directory: Path
    name: str
    repo: str | None
    revision: str | None
    weight_mode: WeightMode
    files: tuple[WeightFile, ...]

    def sha256_of(self, file_name: str) -> str | None:
        """SHA-256 of one of the files, or None for another name."""
        return next((file.sha256 for file in self.files if file.name == file_name), None)
