"""What `bench run` prints about a challenge at its end."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.records.record import Record


def challenge_lines(record: "Record") -> Iterator[str]:
    """Yield how the challenge was answered, and how far its answer agrees with the one that it checks."""
    from bench.judge.challenge import compared
    from bench.wording.challenge import agreement, answered, issued

    challenge = record.challenge
    if challenge is None:
        return
    yield f"challenge: {issued(challenge.issued)}: {answered(record, challenge)}"
    found = compared(challenge)
    if challenge.checks is not None and found is not None:
        digits = challenge.checks.content_hash.removeprefix("sha256:")[:16]
        yield f"check of record {digits}: {agreement(*found)}"


def destination(record: "Record") -> str:
    """Return where to send a record: to the site that this run asked for a nonce, else to git."""
    from bench.errors import UsageError
    from bench.submit.destination import site_of

    challenge = record.challenge
    if challenge is None or challenge.checks is not None:  # a checked record names whatever site it likes
        return "git"
    try:
        return site_of(challenge.issued.site).url
    except UsageError:
        return "git"
