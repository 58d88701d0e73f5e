"""Decisions about keys as files among results, for a site that is built without a receiver."""

import json
from datetime import datetime
from pathlib import Path

from bench.errors import UsageError
from bench.receiver.confirming import Fetched
from bench.receiver.moderation import require_key_id
from bench.records.decision import KeyConfirmed, KeyRevoked
from bench.site.known_keys import Confirmed, KnownKeys, Revoked, read_known_keys
from bench.store import naming
from bench.store.record_files import write_atomically
from bench.store.untrusted import kind_of


def write_confirmed(results: Path, fetched: Fetched, reason: str, at: datetime) -> str | None:
    """Write that an account confirms a key, in the place of an earlier one, whose name is returned.

    Raises:
        UsageError: the key was revoked, or this is no folder of results that people keep.
        RecordError: a decision about a key cannot be read.
        StorageError: the disk refused the file.
    """
    found = fetched.confirmation
    before = _known(results).get(found.key_id)
    if isinstance(before, Revoked):
        raise UsageError(
            f"{found.key_id}: was revoked", hint="Its owner makes a new one: bench submit --rotate-key"
        )
    decision = KeyConfirmed(confirmed_at=at, reason=reason, confirmation=json.loads(fetched.content))
    write_atomically(naming.key_file(results, found.key_id), decision.file)
    return before.account.name if isinstance(before, Confirmed) else None


def write_revoked(results: Path, key_id: str, reason: str, at: datetime) -> None:
    """Write that a key was revoked: a build holds all that it signed.

    Raises:
        UsageError: it is no id of a key, was revoked before, or this is no folder that people keep.
        RecordError: a decision about a key cannot be read.
        StorageError: the disk refused the file.
    """
    require_key_id(key_id)
    if isinstance(_known(results).get(key_id), Revoked):
        raise UsageError(f"{key_id}: is revoked already", hint="Commit the file in keys/")
    write_atomically(naming.key_file(results, key_id), KeyRevoked(revoked_at=at, reason=reason).file)


def _known(results: Path) -> KnownKeys:
    if kind_of(results) != "folder":
        raise UsageError(f"{results}: no such folder", hint="Name the folder of the records")
    if (results / naming.ORDER).exists():
        raise UsageError(f"{results}: is the export of a receiver", hint="Decide there, with --folder")
    return read_known_keys(results)
