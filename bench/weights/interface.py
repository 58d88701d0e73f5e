"""What every source of weights hands over, and how it reports progress.

The sources are `hub` (the Hugging Face Hub), `local` (a directory), `random` (the right shapes, no download)
and `tiny` (a small model of the same architecture, made on this machine).
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bench.records.enums import WeightMode
from bench.records.record import WeightFile


class Progress(Protocol):
    """Told how far a download or a check of files has come; called from one thread at a time."""

    def __call__(self, label: str, done_bytes: int, total_bytes: int) -> None:
        """`label` says what is going on; it and `total_bytes` change when the next stage begins."""


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
        """The SHA-256 that was computed for one of the files, or None if it is not among them."""
        return next((file.sha256 for file in self.files if file.name == file_name), None)
