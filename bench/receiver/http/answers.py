"""The documents that the receiver answers with."""

from pydantic import Field

from bench.receiver.states import State
from bench.receiver.submissions import Submission
from bench.records.base import Frozen, Utc
from bench.records.findings import Finding
from bench.site import places


class Stored(Frozen):
    """A submission that is stored."""

    id: str = Field(description="of the submission and of its page")
    state: State
    url: str = Field(description="of its page, below the address of the site; there once it is published")
    received_at: Utc
    reason: str | None = Field(description="for which it is held, rejected, withdrawn or deleted")
    findings: tuple[Finding, ...]
    log_salt: str | None = Field(
        default=None,
        description="16 bytes in hex, in the answer 201 alone: the SHA-256 of them and of the record's "
        "content_hash is the subject of its entries in the log",
    )


class Waiting(Stored):
    """A submission as moderators see it, with the words of its sender."""

    key_id: str
    model: str
    card: str
    handle: str | None
    note: str | None


class Refused(Frozen):
    """Why something was not done, and what was found. Every error is answered with one."""

    title: str
    findings: tuple[Finding, ...] = ()


def waiting(submission: Submission) -> Waiting:
    """Return all that moderators may know of a submission: not its address."""
    return Waiting(
        **dict(stored(submission)),
        key_id=submission.key_id,
        model=submission.model,
        card=submission.slug,
        handle=submission.handle,
        note=submission.note,
    )


def stored(submission: Submission, salt: bytes | None = None) -> Stored:
    """Return what anybody may know of a submission: neither its words nor its address.

    `salt`: for its sender alone. Who has it finds the entries of the log, after a deletion too.
    """
    return Stored(
        id=submission.id,
        state=submission.state,
        url=f"/{places.record_page(submission.id).removesuffix('index.html')}",
        received_at=submission.received_at,
        reason=submission.reason,
        findings=submission.findings,
        log_salt=None if salt is None else salt.hex(),
    )
