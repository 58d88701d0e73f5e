"""The receipt of a submission: what was sent where, kept beside the bundle."""

from contextlib import suppress
from pathlib import Path
from typing import Final, Literal

from pydantic import Field, ValidationError

from bench.errors import RecordError
from bench.records.base import Frozen, Sha256, Utc
from bench.store.naming import receipt_of
from bench.store.record_files import write_atomically
from bench.store.untrusted import read_file

_VERSION: Final = "1.0"
_MOST_BYTES: Final = 10_000


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
    content_hash: str | None = None
    """Of the record."""
    log_salt: str | None = Field(default=None, pattern=r"^[0-9a-f]{32}$")
    """What the site hashes with `content_hash` for its log. It says so once, to who sends a record first."""


def write_receipt(bundle: Path, receipt: Receipt) -> Path:
    """Write the receipt of a bundle, over an older one of that site, whose salt is kept; return its path.

    Raises:
        StorageError: the disk refused it.
    """
    path = receipt_of(bundle, receipt.site)
    if receipt.log_salt is None:
        with suppress(RecordError):
            before = read_receipt(path)
            # Two addresses can have one name of a file.
            if (before.site, before.content_hash) == (receipt.site, receipt.content_hash):
                receipt = receipt.model_copy(update={"log_salt": before.log_salt})
    write_atomically(path, receipt.model_dump_json(indent=1).encode() + b"\n")
    return path


def read_receipt(path: Path) -> Receipt:
    """Return a receipt.

    Raises:
        RecordError: the file cannot be read, or is none.
    """
    try:
        return Receipt.model_validate_json(read_file(path, _MOST_BYTES))
    except OSError as error:
        raise RecordError(f"{path}: cannot be read ({error.strerror})") from error
    except ValidationError as error:
        raise RecordError(
            f"{path}: is no receipt", hint="bench submit --to URL writes one next to the bundle"
        ) from error
