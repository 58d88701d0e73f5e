"""Measured records of the model and card of a plan, as far as they are here."""

import os
from pathlib import Path

from bench.errors import RecordError
from bench.records.schema import Record
from bench.records.store import find_records, read_record
from bench.records.words import Provenance


def measured_records(out: Path, model: str, device: str) -> tuple[tuple[Record, ...], tuple[str, ...]]:
    """Those below `out` for this model and device, and a line for each file or folder that cannot be read."""
    folder = out / model / device
    records, notes = [], []
    try:
        paths = _found(folder)
    except OSError as error:
        return (), (f"left out of the comparison: {folder}: cannot be read ({error.strerror})",)
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
    if not folder.is_dir():
        return ()
    with os.scandir(folder):
        pass
    try:
        return find_records(folder)
    except RecordError:  # nothing in it, or only what a run has not ended
        return ()
