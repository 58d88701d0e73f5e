"""The journal of a running suite: a header, then a line per outcome, each on disk before the next cell.

Appending costs one line and one fsync however long the run is; the record is sealed from the journal at the
end. A line that a crash cut short is dropped on reading: it was the cell in flight.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Self

from pydantic import JsonValue, ValidationError

from bench.errors import RecordError
from bench.records.canonical import parse
from bench.records.schema import (
    CellResult,
    DeviceInfo,
    Environment,
    Frozen,
    ModelInfo,
    Provenance,
    Record,
    Requested,
    Skipped,
    SuiteInfo,
    Utc,
)
from bench.records.store import disk_errors, first_fault, read_record, seal, sync_folder, write_record

SUFFIX = ".journal.jsonl"
_INTERRUPTED = "the run was interrupted before this cell; `bench run --resume` runs it"


class PlannedCell(Frozen):
    """A cell that the run is to do, in order."""

    cell_id: str
    requested: Requested


class Header(Frozen):
    """Everything of the record that is known before the first cell runs."""

    record_id: str
    created_at: Utc
    provenance: Provenance
    suite: SuiteInfo
    model: ModelInfo
    device: DeviceInfo
    environment: Environment
    machine_key: str | None
    plan: tuple[PlannedCell, ...]


@dataclass(frozen=True)
class Progress:
    """A journal as read back: what was planned, and what is done."""

    header: Header
    done: tuple[CellResult, ...]


class Journal:
    """An open journal. `append` returns once the outcome is on disk."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self.path = path
        self._file = file

    @classmethod
    def create(cls, path: Path, progress: Progress) -> Self:
        """Start a journal, with what an earlier part of the run has done already.

        Raises:
            StorageError: the disk refused it.
        """
        with disk_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            journal = cls(path, path.open("wb"))
            lines = [progress.header.model_dump_json(), *(cell.model_dump_json() for cell in progress.done)]
            journal._write("".join(line + "\n" for line in lines))
            sync_folder(path.parent)
        return journal

    def append(self, cell: CellResult) -> None:
        """Add one outcome; it is on disk when this returns.

        Raises:
            StorageError: the disk refused it.
        """
        with disk_errors(self.path):
            self._write(cell.model_dump_json() + "\n")

    def _write(self, text: str) -> None:
        self._file.write(text.encode())
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file; the journal stays on disk until the record is sealed."""
        self._file.close()


def record_path(journal: Path) -> Path:
    """`x.journal.jsonl` -> `x.json`."""
    return journal.with_name(journal.name.removesuffix(SUFFIX) + ".json")


def journal_path(record: Path) -> Path:
    """`x.json` -> `x.journal.jsonl`; a journal is its own."""
    if record.name.endswith(SUFFIX):
        return record
    return record.with_name(record.name.removesuffix(".json") + SUFFIX)


def read_progress(path: Path) -> Progress:
    """What a run has done, from its journal where one is left, else from its sealed record.

    Raises:
        RecordError: neither can be read.
    """
    journal = journal_path(path)
    if journal.exists():
        return _read_journal(journal)
    record = read_record(path)
    fields = record.model_dump(mode="json", exclude={"cells", "schema_version", "content_hash"})
    plan = [{"cell_id": cell.cell_id, "requested": cell.requested} for cell in record.cells]
    done = tuple(cell for cell in record.cells if not _is_interrupted(cell))
    return Progress(Header.model_validate({**fields, "plan": plan}), done)


def _is_interrupted(cell: CellResult) -> bool:
    return isinstance(cell.outcome, Skipped) and cell.outcome.cause == "interrupted"


def _read_journal(path: Path) -> Progress:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise RecordError(f"{path}: cannot be read ({error.strerror})") from error
    *whole, _torn = content.split(b"\n")
    if not whole:
        raise RecordError(
            f"{path}: holds nothing", hint="The run ended before its first line; start it again"
        )
    try:
        header = Header.model_validate_json(_checked(whole[0]))
        done = tuple(CellResult.model_validate_json(_checked(line)) for line in whole[1:])
    except ValidationError as error:
        raise RecordError(f"{path}: {first_fault(error)}") from error
    except RecordError as error:
        raise RecordError(f"{path}: {error.message}") from error
    return Progress(header, done)


def _checked(line: bytes) -> bytes:
    parse(line)  # refuses NaN and doubled keys, which pydantic would let through
    return line


def seal_progress(progress: Progress) -> Record:
    """The record of a run that has ended; cells that were not reached are Skipped, cause `interrupted`."""
    done = {cell.cell_id: cell for cell in progress.done}
    skipped = Skipped(reason=_INTERRUPTED, cause="interrupted")
    cells: list[JsonValue] = [
        (
            done.get(planned.cell_id)
            or CellResult(cell_id=planned.cell_id, requested=planned.requested, outcome=skipped)
        ).model_dump(mode="json")
        for planned in progress.header.plan
    ]
    return seal({**progress.header.model_dump(mode="json", exclude={"plan"}), "cells": cells})


def seal_journal(path: Path) -> tuple[Record, Path]:
    """Write the record of a journal beside it, then remove the journal."""
    record = seal_progress(_read_journal(path))
    target = record_path(path)
    write_record(record, target)
    path.unlink()
    return record, target
