"""The receipt of a submission: what was sent where, kept beside the bundle."""

from pathlib import Path
from typing import Final, Literal

from bench.records.base import Frozen, Sha256, Utc
from bench.store.naming import receipt_of
from bench.store.record_files import write_atomically

_VERSION: Final = "1.0"


class Receipt(Frozen):
    """What a site or the Hub answered when it took a bundle."""

    schema_version: Literal["1.0"] = _VERSION
    site: str
    """Address of the site, or hf://datasets/ORG/NAME."""
    id: str
    """Of the entry, or number of the pull request."""
    state: str
    url: str
    """Page of the entry or of the pull request."""
    sent_at: Utc
    bundle_sha256: Sha256


def write_receipt(bundle: Path, receipt: Receipt) -> Path:
    """Write the receipt of a bundle, over an older one of that site; return its path.

    Raises:
        StorageError: the disk refused it.
    """
    path = receipt_of(bundle, receipt.site)
    write_atomically(path, receipt.model_dump_json(indent=1).encode() + b"\n")
    return path
