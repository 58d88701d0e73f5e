"""What `bench submit` prints: a draft before it is signed, a bundle that is verified, a key."""

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from bench.text import clean
from bench.units import gib
from bench.wording.labels import STATUSES, suite

if TYPE_CHECKING:
    from pathlib import Path

    from bench.identity.accounts import Account
    from bench.identity.envelope import Bundle
    from bench.identity.keys import SigningKey
    from bench.records.record import Record
    from bench.submit.draft import Draft
    from bench.submit.repository import Committed

_IDENTITY = "a site shows whether an account confirms it"


def draft_lines(made: "Draft", key: "SigningKey", size_bytes: int) -> Iterator[str]:
    """Yield what will be signed: a line for each part."""
    from bench.records.submission import LICENSE
    from bench.wording.submissions import LICENCE_MEANS, counts_for

    record = made.record
    yield from _record_lines(record)
    yield f"counts    {counts_for(record.provenance, record.model.weight_mode)}"
    yield f"handle    {made.handle or 'none (--handle NAME)'}"
    yield f"note      {clean(made.note) if made.note else 'none (--note TEXT)'}"
    yield f"key       {short(key.key_id)} ({key.path})"
    yield f"size      {size_bytes / 1000:.1f} kB"
    yield f"licence   {LICENSE}: {LICENCE_MEANS}"


def _record_lines(record: "Record") -> Iterator[str]:
    """Yield card, model, suite, cells, software and challenge."""
    from bench.wording.challenge import answered, issued

    device, environment = record.device, record.environment
    counts = Counter(STATUSES[cell.outcome.status] for cell in record.cells)
    cells = ", ".join(f"{count} {status}" for status, count in counts.items())
    memory = "" if device.memory_total_bytes is None else f", {gib(device.memory_total_bytes)}"
    software = {
        "bench": environment.bench_version,
        "torch": environment.torch,
        "driver": device.driver,
        "Python": environment.python,
    }
    known = [f"{name} {clean(version)}" for name, version in software.items() if version]
    yield f"record    {record.record_id}, {record.created_at:%Y-%m-%d %H:%M} UTC"
    yield f"card      {clean(device.name)}{memory}"
    yield f"model     {record.model.name}, {record.model.weight_mode.value} weights"
    yield f"suite     {suite(record.suite.name, clean(record.suite.version), record.suite.origin)}"
    yield f"cells     {len(record.cells)}: {cells}"
    yield f"software  {', '.join(known)}, {clean(environment.os)}"
    if record.challenge is not None:
        yield f"challenge {issued(record.challenge.issued)}, {answered(record, record.challenge)}"


def bundle_lines(bundle: "Bundle") -> Iterator[str]:
    """Yield record, integrity and identity of a bundle."""
    submission = bundle.submission
    yield from _record_lines(bundle.record)
    yield f"integrity {_integrity(bundle)}"
    handle = "no handle" if submission.handle is None else f"handle {submission.handle}"
    yield f"key       {short(bundle.key_id)}, {handle}; {_IDENTITY}"
    yield f"note      {clean(submission.note) if submission.note else 'none'}"
    yield f"licence   {submission.license}"


def _integrity(bundle: "Bundle") -> str:
    faults = {
        "the key did not make the signature": not bundle.signature_holds,
        "the statement is about another record": not bundle.subject_holds,
        "the record was changed after it was written": not bundle.is_intact,
    }
    found = [fault for fault, is_found in faults.items() if is_found]
    return "; ".join(found) or "signature and hash hold"


def key_lines(key: "SigningKey") -> Iterator[str]:
    """Yield all about the key of this user, but the secret."""
    yield f"key       {short(key.key_id)}"
    yield f"whole id  {key.key_id}"
    yield f"public    {key.public_key} (Ed25519)"
    yield f"file      {key.path}, mode {key.mode:04o}"
    yield f"since     {key.since:%Y-%m-%d %H:%M} UTC (time of the file, which proves nothing)"


def confirmation_lines(account: "Account", site: str, key: "SigningKey", path: "Path") -> Iterator[str]:
    """Yield what a confirmation states, and what to do with it."""
    yield f"key       {short(key.key_id)}"
    yield f"account   {clean(account.name)}, for {site}"
    yield f"file      {path}"
    yield f"next      publish it at {account.url}, and leave it there"
    yield f"then      ask those who run the site: bench site confirm {account.url}"


def commit_lines(made: "Committed", folder: "Path") -> Iterator[str]:
    """Yield where a bundle was committed, and the command that sends it."""
    import shlex

    repository = [] if folder == folder.__class__() else ["-C", str(folder)]
    push = shlex.join(["git", *repository, "push", made.remote or "REMOTE", made.branch])
    yield f"commit    {made.commit} on the new branch {made.branch}"
    yield f"file      {made.path}"
    yield f"send it, then open a pull request from that branch\n  {push}"


def short(key_id: str) -> str:
    """Return the digits of a key's id that people are shown."""
    from bench.identity.keys import ID_DIGITS

    return key_id[:ID_DIGITS]
