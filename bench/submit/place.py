"""The name of a bundle, made from the record and the key alone."""

from pathlib import Path, PurePosixPath

from bench.records.record import Record
from bench.store import naming


def name_of(record: Record, key_id: str) -> str:
    """Return the name of a bundle's file. The sender's own name of the record's file is not in it."""
    kind: naming.Kind = "frontier" if record.frontier_step_s is not None else ""
    name = naming.record_name(record.created_at, record.suite.name, kind, record.record_id)
    return naming.bundle_name(Path(name).stem, key_id)


def place_of(record: Record, key_id: str) -> PurePosixPath:
    """Return the path of a bundle in a repository of results."""
    return folder_of(record) / name_of(record, key_id)


def folder_of(record: Record) -> PurePosixPath:
    """Return the folder of a bundle in a repository of results."""
    return PurePosixPath(*naming.folder(naming.RESULTS, record.model.name, record.device.slug).parts)
