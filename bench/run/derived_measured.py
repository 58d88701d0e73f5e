"""Measured records of the model and card of a plan, as far as they are here."""

from pathlib import Path

from bench.errors import RecordError
from bench.records.schema import Record
from bench.records.store import find_records, read_record
from bench.records.words import Provenance


def measured_records(out: Path, model: str, device: str) -> tuple[tuple[Record, ...], tuple[str, ...]]:
    """Those below `out` for this model and device, and a line for each file that cannot be read."""
    folder = out / model / device
    if not folder.is_dir():
        return (), ()
    records, notes = [], []
    try:
        paths = find_records(folder)
    except RecordError:  # nothing in it, or only what a run has not ended
        return (), ()
    for path in paths:
        try:
            record = read_record(path)
        except RecordError as error:
            notes.append(f"left out of the comparison: {error.message}")
        else:
            if record.provenance is Provenance.MEASURED:
                records.append(record)
    return tuple(records), tuple(notes)
