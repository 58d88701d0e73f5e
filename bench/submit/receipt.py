"""The receipt of a submission: what was sent where, kept beside the bundle."""

from datetime import datetime
from pathlib import Path
from typing import Final, Literal

from bench.records.base import Frozen, Sha256, Utc
from bench.store.naming import receipt_of
from bench.store.record_files import write_atomically
from bench.submit.answer import Accepted
from bench.submit.site_address import Site

_VERSION: Final = "1.0"


class Receipt(Frozen):
    """What a site answered when it took a bundle."""

    schema_version: Literal["1.0"] = _VERSION
    site: str
    id: str
    state: str
    url: str
    sent_at: Utc
    bundle_sha256: Sha256


def page_of(site: Site, accepted: Accepted) -> str:
    """Return the address of the page of a submission."""
    return site.url + accepted.url


def write_receipt(bundle: Path, site: Site, accepted: Accepted, digest: str, now: datetime) -> Path:
    """Write the receipt of a bundle for a site, over an older one; return its path.

    Raises:
        StorageError: the disk refused it.
    """
    receipt = Receipt(
        site=site.url,
        id=accepted.id,
        state=accepted.state,
        url=page_of(site, accepted),
        sent_at=now,
        bundle_sha256=digest,
    )
    path = receipt_of(bundle, site.url)
    write_atomically(path, receipt.model_dump_json(indent=1).encode() + b"\n")
    return path
