"""The journal of a running suite: a header, then a line per outcome, each on disk before the next cell.

Appending costs one line and one fsync however long the run is; the record is sealed from the journal at the
end. A line that a crash cut short is dropped on reading: it was the cell in flight. One process at a time
writes a journal: it has the lock (`bench.store.lock`).
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Final, Self, TypeVar

from pydantic import JsonValue, ValidationError

from bench.errors import RecordError, UsageError
from bench.records.base import Frozen, Utc
from bench.records.card import DeviceState, Emulation
from bench.records.cell import CellResult, Requested, Skipped
from bench.records.enums import Provenance
from bench.records.reasons import RunInterrupted, SkippedReason
from bench.records.record import (
    AnsweredChallenge,
    Challenge,
    ChallengeRequest,
    DeviceInfo,
    Environment,
    ModelInfo,
    Record,
    SuiteInfo,
)
from bench.store import naming
from bench.store.canonical import canonical, parse
from bench.store.disk import disk_errors
from bench.store.faults import first_fault
from bench.store.lock import JournalLock
from bench.store.record_files import (
    MAX_RECORD_BYTES,
    read_record,
    seal,
    write_atomically,
    write_record,
)
from bench.store.untrusted import kind_of, read_file
from bench.text import decode
from bench.wording import outcomes

_Line = TypeVar("_Line", bound=Frozen)
_INTERRUPTED: Final = RunInterrupted()
_ANSWER: Final = '{"cell":'
"""The begin of the line of an answered challenge."""


class PlannedCell(Frozen):
    """A cell that the run is to do, in order."""

    cell_id: str
    requested: Requested


class PlannedChallenge(ChallengeRequest):
    """The challenge that the run is to answer after its cells."""

    excerpt_starts: tuple[int, ...]
    cell: PlannedCell


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
    device_state: DeviceState | None = None
    emulation: Emulation | None = None
    frontier_step_s: float | None = None
    challenge: PlannedChallenge | None = None
    plan: tuple[PlannedCell, ...]


class NotARunError(RecordError):
    """The record contains predictions: there is no run to resume."""


@dataclass(frozen=True)
class Progress:
    """A journal as read back: the planned cells and the finished ones; `answer` is that to the challenge."""

    header: Header
    done: tuple[CellResult, ...]
    answer: AnsweredChallenge | None = None


@dataclass(frozen=True)
class Resumed:
    """The run of a journal or record at `path` that goes on: its results so far, and its lock.

    With `retry_failed` cells that failed or timed out run again. A sealed record with nothing to do has no
    lock.
    """

    path: Path
    progress: Progress
    lock: JournalLock | None
    retry_failed: bool = False

    @property
    def failed(self) -> tuple[CellResult, ...]:
        """The results of cells that failed or timed out, that of the challenge included."""
        answer = self.progress.answer
        cells = (*self.progress.done, *(() if answer is None else (answer.cell,)))
        return tuple(cell for cell in cells if cell.has_failed)

    @property
    def kept(self) -> tuple[CellResult, ...]:
        """The results of cells that do not run again."""
        return tuple(cell for cell in self.progress.done if not (self.retry_failed and cell.has_failed))

    @property
    def is_challenge_left(self) -> bool:
        """Whether there is a challenge to answer, or to answer again."""
        if self.progress.header.challenge is None:
            return False
        answer = self.progress.answer
        return answer is None or (self.retry_failed and answer.cell.has_failed)

    @property
    def is_finished(self) -> bool:
        """Whether no planned cell is left to run, and no challenge to answer."""
        return len(self.kept) == len(self.progress.header.plan) and not self.is_challenge_left


class Journal:
    """An open journal and its lock. `append` returns once the outcome is on disk.

    The record is made of what was given to it: a journal that somebody moves or removes costs nothing.
    """

    def __init__(self, path: Path, file: FileIO, lock: JournalLock, progress: Progress) -> None:
        self.path = path
        self._file = file
        self._lock = lock
        self._header = progress.header
        self._done = [*progress.done]
        self._answer = progress.answer

    @classmethod
    def create(cls, path: Path, progress: Progress, lock: JournalLock | None = None) -> Self:
        """Start a journal, with what an earlier part of the run has done already.

        A journal that is resumed is replaced in one step: killed here, it is still the old one. Its `lock` is
        that under which the results so far were read.

        Raises:
            StorageError: the disk refused it.
            InUseError: a living run writes it.
            RecordError: no record could be sealed, since JSON cannot hold a value of the header.
        """
        canonical(progress.header.model_dump(mode="json"))
        answer = () if progress.answer is None else (progress.answer,)
        lines = [each.model_dump_json() for each in (progress.header, *progress.done, *answer)]
        with disk_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
        with ExitStack() as undo:
            lock = undo.enter_context(lock or JournalLock.take(path))
            write_atomically(path, "".join(line + "\n" for line in lines).encode())
            with disk_errors(path):
                file = path.open("ab", buffering=0)
            undo.pop_all()
        return cls(path, file, lock, progress)

    def append(self, cell: CellResult) -> None:
        """Add one outcome; it is on disk when this returns, or nothing of it is in the journal.

        Raises:
            StorageError: the disk refused it.
        """
        self._write(cell)
        self._done.append(cell)

    def append_answer(self, answer: AnsweredChallenge) -> None:
        """Add the answer to the challenge, as `append` adds an outcome.

        Raises:
            StorageError: the disk refused it.
        """
        self._write(answer)
        self._answer = answer

    def _write(self, found: Frozen) -> None:
        line = memoryview(found.model_dump_json().encode() + b"\n")
        with disk_errors(self.path):
            before = os.fstat(self._file.fileno()).st_size
            try:
                while line:
                    line = line[self._file.write(line) :]
                os.fsync(self._file.fileno())
            except OSError:
                with suppress(OSError):  # half a line would spoil the line after it
                    self._file.truncate(before)
                raise

    def seal(self, ended_by: SkippedReason = _INTERRUPTED) -> tuple[Record, Path]:
        """Write the record, and remove the journal. Cells that were not reached are skipped for `ended_by`.

        Raises:
            StorageError: the disk refused it; the journal stays.
        """
        self._file.close()
        sealed = _seal(Progress(self._header, tuple(self._done), self._answer), self.path, ended_by)
        self._lock.release()
        return sealed

    def close(self) -> None:
        """Close the file and give the lock back; a journal that is not sealed stays on disk."""
        self._file.close()
        self._lock.release()


@contextmanager
def resuming(path: Path, *, retry_failed: bool = False) -> Iterator[Resumed]:
    """Read what a run has done, under its lock until the end: two that resume one run cannot both begin.

    A sealed record with nothing to do needs no lock.

    Raises:
        RecordError, NotARunError: as `read_progress`.
        InUseError: the run is alive.
        StorageError: the disk refused the lock.
    """
    if kind_of(naming.journal_of(path)) is None:
        sealed = Resumed(path, read_progress(path), None, retry_failed)
        if sealed.is_finished:  # nothing is written, and its folder may be read-only
            yield sealed
            return
    with JournalLock.take(path) as lock:
        yield Resumed(path, read_progress(path), lock, retry_failed)


def discard(path: Path) -> None:
    """Remove a journal, with all results that are in it.

    Raises:
        InUseError: a living run writes it.
        StorageError: the disk refused it.
    """
    with JournalLock.take(path), disk_errors(path):
        path.unlink(missing_ok=True)


def read_progress(path: Path) -> Progress:
    """Read what a run has done, from its journal if there is one, else from its sealed record.

    Raises:
        RecordError: neither can be read.
        NotARunError: the record is a derived one, or in a bundle.
    """
    journal = naming.journal_of(path)
    if kind_of(journal) is not None:
        return _read_journal(journal)
    if naming.is_bundle(path):
        raise NotARunError(
            f"{path}: a bundle cannot be resumed", hint="Resume the record from which it was made"
        )
    record = read_record(naming.record_of(path))
    if record.provenance is Provenance.DERIVED:
        raise NotARunError(
            f"{path}: this is a prediction, nothing of it ran", hint="Measure it with `bench run`"
        )
    unlike = {"cells", "schema_version", "content_hash", "derivation"}
    fields = record.model_dump(mode="json", exclude=unlike | {"challenge"})
    plan = [{"cell_id": cell.cell_id, "requested": cell.requested} for cell in record.cells]
    done = tuple(cell for cell in record.cells if not _is_interrupted(cell))
    header = Header.model_validate({**fields, "plan": plan, "challenge": _planned(record.challenge)})
    return Progress(header, done, _answer(record.challenge))


def _planned(challenge: Challenge | None) -> PlannedChallenge | None:
    if challenge is None:
        return None
    cell = PlannedCell(cell_id=challenge.cell.cell_id, requested=challenge.cell.requested)
    return PlannedChallenge(
        issued=challenge.issued, checks=challenge.checks, excerpt_starts=challenge.excerpt_starts, cell=cell
    )


def _answer(challenge: Challenge | None) -> AnsweredChallenge | None:
    if challenge is None or _is_interrupted(challenge.cell):
        return None
    return AnsweredChallenge(cell=challenge.cell, token_ids=challenge.token_ids)


def _is_interrupted(cell: CellResult) -> bool:
    return isinstance(cell.outcome, Skipped) and cell.outcome.cause == "interrupted"


def _read_journal(path: Path) -> Progress:
    try:
        content = decode(read_file(path, MAX_RECORD_BYTES), whole=False)
    except OSError as error:
        raise RecordError(f"{path}: cannot be read ({error.strerror})") from error
    except UsageError as error:
        raise RecordError(f"{path}: {error.message}", hint=error.hint) from error
    *whole, _torn = content.split("\n")
    if not whole:
        raise RecordError(
            f"{path}: is empty", hint="The run ended before its first line was written; start a new run"
        )
    header = _read_line(Header, whole[0], f"{path}, line 1")
    cells: dict[str, CellResult] = {}
    answer = None
    for number, line in enumerate(whole[1:], start=2):
        where = f"{path}, line {number}"
        if line.startswith(_ANSWER):
            answer = _read_line(AnsweredChallenge, line, where)
        else:
            cell = _read_line(CellResult, line, where)
            cells[cell.cell_id] = cell  # a cell that ran again has a second line
    return Progress(header, tuple(cells.values()), answer)


def _read_line(model: type[_Line], line: str, where: str) -> _Line:
    try:
        parse(line)  # refuses NaN and doubled keys, which pydantic would let through
        return model.model_validate_json(line, strict=True)
    except ValidationError as error:
        raise RecordError(f"{where}: {first_fault(error)}") from error
    except RecordError as error:
        raise RecordError(f"{where}: {error.message}") from error


def seal_progress(progress: Progress, ended_by: SkippedReason = _INTERRUPTED) -> Record:
    """Make the record of a run that has ended: the planned cells in order, then those chosen during the run.

    Planned cells that were not reached are Skipped, with what ended the run as the reason.
    """
    done = {cell.cell_id: cell for cell in progress.done}
    skipped = outcomes.skipped(ended_by)
    planned = {
        cell.cell_id: CellResult(cell_id=cell.cell_id, requested=cell.requested, outcome=skipped)
        for cell in progress.header.plan
    }
    results = (planned | done).values()  # in the order of the plan; what was not planned comes after
    cells: list[JsonValue] = [cell.model_dump(mode="json") for cell in results]
    fields = progress.header.model_dump(mode="json", exclude={"plan", "challenge"})
    challenge = _challenge(progress, skipped)
    if challenge is not None:
        fields["challenge"] = challenge.model_dump(mode="json")
    return seal({**fields, "cells": cells})


def _challenge(progress: Progress, skipped: Skipped) -> Challenge | None:
    planned, answer = progress.header.challenge, progress.answer
    if planned is None:
        return None
    if answer is None:
        left_out = CellResult(cell_id=planned.cell.cell_id, requested=planned.cell.requested, outcome=skipped)
        answer = AnsweredChallenge(cell=left_out, token_ids=None)
    return Challenge(
        issued=planned.issued,
        checks=planned.checks,
        excerpt_starts=planned.excerpt_starts,
        cell=answer.cell,
        token_ids=answer.token_ids,
    )


def seal_journal(path: Path, ended_by: SkippedReason = _INTERRUPTED) -> tuple[Record, Path]:
    """Write the record of a journal into its folder, then remove the journal. The caller has its lock.

    Raises:
        StorageError: the disk refused it; the journal stays.
    """
    return _seal(_read_journal(path), path, ended_by)


def _seal(progress: Progress, path: Path, ended_by: SkippedReason) -> tuple[Record, Path]:
    record = seal_progress(progress, ended_by)
    target = naming.record_of(path)
    write_record(record, target)
    with disk_errors(path):
        path.unlink(missing_ok=True)
    return record, target
