"""Records on disk: read with their hash checked, written whole or not at all."""

import json
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple, cast

from pydantic import JsonValue, ValidationError

from bench.errors import RecordError, UsageError
from bench.records.enums import Provenance
from bench.records.record import READ_VERSIONS, SCHEMA_VERSION, Record
from bench.records.submission import Statement
from bench.store import naming
from bench.store.bundle import Sealed, Unwrapped, is_envelope, statement_of, unwrap
from bench.store.canonical import content_hash, parse
from bench.store.disk import disk_errors
from bench.store.faults import first_fault, one_line
from bench.store.lock import owner
from bench.store.untrusted import kind_of, read_file
from bench.text import decode

MAX_RECORD_BYTES = 512 * 2**20
_NO_HASH_YET = "sha256:" + "0" * 64
_OTHER_VERSION: Final = "Install the bench that wrote it, or run again"


def seal(fields: dict[str, JsonValue]) -> Record:
    """Make a record from these JSON fields, with its `content_hash` computed.

    The hash is of the fields as the record writes them, whatever spelling or defaults they came with.
    """
    unhashed = {**fields, "schema_version": SCHEMA_VERSION, "content_hash": _NO_HASH_YET}
    record = Record.model_validate(unhashed)
    return record.model_copy(update={"content_hash": content_hash(record.model_dump(mode="json"))})


def read_record(path: Path) -> Record:
    """Return a record, or the record in a bundle. The file is hostile.

    Size, JSON, schema version, hash and every field are checked; the signature of a bundle is not.

    Raises:
        RecordError: anything about the file is wrong; the message names the file and the first fault.
    """
    name = str(path)
    content = _readable(name, content_of(path))
    if not _is_intact(name, content.record):
        raise RecordError(
            f"{path}: content_hash does not match", hint="The file was changed after it was written"
        )
    text, is_sealed = content.text, content.unwrapped is not None
    del content  # what was parsed for the hash is freed before the record is built
    return _statement(name, text).predicate.record if is_sealed else _record(name, text)


class Unverified(NamedTuple):
    """A record as it was read, and whether its hash is that of its content."""

    record: Record
    document: dict[str, JsonValue]
    is_intact: bool
    sealed: Sealed | None
    """The bundle that the record was in; None for a record by itself."""


def read_unverified(path: Path) -> Unverified:
    """Read a record or a bundle whose hash may be wrong; all else is checked as in `read_record`.

    Raises:
        RecordError: the file is no record; the message names the file and the first fault.
    """
    return unverified(content_of(path), str(path))


def unverified(found: bytes, path: str) -> Unverified:
    """The same of the bytes of a file; `path` is what messages call it.

    Raises:
        RecordError: they are no record.
    """
    content = _readable(path, found)
    is_intact = _is_intact(path, content.record)
    if content.unwrapped is None:
        return Unverified(_record(path, content.text), content.record, is_intact, None)
    envelope, payload, signature, _ = content.unwrapped
    statement = _statement(path, payload)
    sealed = Sealed(envelope, payload, signature, statement)
    return Unverified(statement.predicate.record, content.record, is_intact, sealed)


def content_of(path: Path) -> bytes:
    """The bytes of a file that may be a record.

    Raises:
        RecordError: it cannot be read, or is larger than any record.
    """
    try:
        return read_file(path, MAX_RECORD_BYTES)
    except OSError as error:
        raise RecordError(f"{path}: cannot be read ({error.strerror})", hint="Check the path") from error


# Strict: a reader that took "10" for 10 would hold another document than the one that was hashed.


def _record(path: str, text: str | bytes) -> Record:
    try:
        return Record.model_validate_json(text, strict=True)
    except ValidationError as error:
        raise RecordError(f"{path}: {first_fault(error)}") from error


def _statement(path: str, text: str | bytes) -> Statement:
    try:
        return statement_of(text)
    except ValidationError as error:
        raise RecordError(f"{path}: {first_fault(error)}") from error


class _Content(NamedTuple):
    """The text to build from, of a record or a statement, and the JSON of the record."""

    text: str | bytes
    record: dict[str, JsonValue]
    unwrapped: Unwrapped | None


def _readable(path: str, found: bytes) -> _Content:
    """Return the content of a file, once its versions are right."""
    text, document = _document(path, found)
    content = _Content(text, document, None)
    if is_envelope(document):
        try:
            unwrapped = unwrap(document)
        except RecordError as error:
            raise RecordError(f"{path}: {error.message}", hint=error.hint) from error
        content = _Content(unwrapped.payload, unwrapped.record, unwrapped)
    if "schema_version" not in content.record:
        raise RecordError(f"{path}: is not a record (it has no schema version)")
    version = content.record["schema_version"]
    if version not in READ_VERSIONS:
        stated = one_line(repr(version)[:40])
        readable = " or ".join(map(repr, READ_VERSIONS))
        raise RecordError(f"{path}: schema version {stated} is not {readable}", hint=_OTHER_VERSION)
    return content


def _document(path: str, found: bytes) -> tuple[str, dict[str, JsonValue]]:
    try:
        content = decode(found)
        document = parse(content)
    except UsageError as error:
        raise RecordError(f"{path}: {error.message}", hint=error.hint) from error
    if not isinstance(document, dict):
        raise RecordError(f"{path}: is not a record (its top level is not an object)")
    return content, document


def _is_intact(path: str, document: dict[str, JsonValue]) -> bool:
    try:
        return document.get("content_hash") == content_hash(document)
    except RecordError as error:
        raise RecordError(f"{path}: {error.message}") from error


def _dump(document: JsonValue) -> str:
    return json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def render(record: Record) -> str:
    """The record as JSON text: one top-level key a line, one cell a line, so that it can be diffed."""
    document = cast("dict[str, JsonValue]", record.model_dump(mode="json"))
    cells = cast("list[JsonValue]", document.pop("cells"))
    lines = [f"{_dump(key)}: {_dump(value)}" for key, value in document.items()]
    body = ",\n  ".join(_dump(cell) for cell in cells)
    return "{\n" + ",\n".join([*lines, f'"cells": [\n  {body}\n]' if cells else '"cells": []']) + "\n}\n"


def write_record(record: Record, path: Path) -> None:
    """Write a record so that a reader sees the old file or the whole new one, even after a power cut."""
    write_atomically(path, render(record).encode())


def write_atomically(path: Path, content: bytes, *, is_durable: bool = True) -> None:
    """Temporary file in the same folder, fsync, rename, fsync of the folder.

    Unless `is_durable` without fsync, for one of many files that can be made again.

    Raises:
        StorageError: the disk refused it.
    """
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                if is_durable:
                    file.flush()
                    os.fsync(file.fileno())
            Path(temporary).chmod(0o644)
            Path(temporary).replace(path)
        finally:
            Path(temporary).unlink(missing_ok=True)  # after the rename there is nothing of that name
        if is_durable:
            sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make a new name in `folder` survive a power cut; Windows has no such call and needs none."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def require_writable(folder: Path) -> None:
    """Make a folder and put a nameless file into it, so that a full or closed disk is found before the work.

    Raises:
        StorageError: the disk refused it.
    """
    with disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass


def find_records(path: Path) -> tuple[Path, ...]:
    """The record itself, or every `*.json` record below a folder, sorted; check documents are no records.

    Raises:
        RecordError: nothing is there.
    """
    if naming.is_journal(path):
        raise _unfinished(path)
    if kind_of(path) == "folder":
        found = sorted(naming.records_below(path))
        journals = sorted(naming.journals_below(path))
        if not found and journals:
            raise _unfinished(journals[0])
        if not found:
            raise RecordError(f"{path}: contains no records", hint="`bench run` writes them to results/")
        return tuple(found)
    if kind_of(path) is None:
        raise RecordError(f"{path}: no such file", hint="Give the path that `bench run` printed")
    return (path,)


def _unfinished(journal: Path) -> RecordError:
    return owner(journal) or RecordError(
        f"{journal}: this run is unfinished", hint=f"Finish it: bench run --resume {journal}"
    )


def records_of(out: Path, model: str, device: str) -> tuple[Path, ...]:
    """Return the files below `out` that may be records of this model and device; none where it has no folder.

    Raises:
        RecordError: their folder cannot be read.
    """
    folder = naming.folder(out, model, device)
    try:
        return _found(folder)
    except OSError as error:
        raise RecordError(f"{folder}: cannot be read ({error.strerror})") from error


def measured_records(out: Path, model: str, device: str) -> tuple[tuple[Record, ...], tuple[str, ...]]:
    """Records below `out` of this model and device, and a line for each path that cannot be read."""
    records, notes = [], []
    try:
        paths = records_of(out, model, device)
    except RecordError as error:
        return (), (f"left out of the comparison: {error.message}",)
    for path in paths:
        try:
            record = read_record(path)
        except RecordError as error:
            notes.append(f"left out of the comparison: {error.message}")
        else:
            if record.provenance is Provenance.MEASURED:
                records.append(record)
    return tuple(records), tuple(notes)


def _found(folder: Path) -> tuple[Path, ...]:
    """The files that may be records. Looking for them passes over a folder that is not ours to read."""
    with suppress(FileNotFoundError, NotADirectoryError), os.scandir(folder):
        pass
    try:
        return find_records(folder)
    except RecordError:  # nothing in it, or only what a run has not ended
        return ()
