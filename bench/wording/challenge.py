"""The challenge of a run and its answer, in words."""

from typing import Final

from bench.records.cell import Measured
from bench.records.challenge import IssuedChallenge
from bench.records.enums import WeightMode
from bench.records.record import Challenge, Record
from bench.text import MAX_NAME, clean
from bench.wording import outcomes
from bench.wording.labels import WEIGHTS

_NONCE_DIGITS: Final = 8


def issued(found: IssuedChallenge) -> str:
    """Return `nonce 1f2e3d4c... of https://results.example.org, issued 2026-12-01 12:00:05 UTC`."""
    site = clean(found.site, MAX_NAME)
    return f"nonce {found.nonce[:_NONCE_DIGITS]}... of {site}, issued {found.issued_at:%Y-%m-%d %H:%M:%S} UTC"


def answered(record: Record, challenge: Challenge) -> str:
    """Return `answered with 32 token ids by published weights`, or how the cell ended."""
    if isinstance(challenge.cell.outcome, Measured):
        by = WEIGHTS[record.model.weight_mode]
        says = "" if record.model.weight_mode is WeightMode.HUB else ", which says nothing of published ones"
        return f"answered with {len(challenge.token_ids or ())} token ids by {by}{says}"
    return f"not answered: {outcomes.ended(challenge.cell.outcome) or challenge.cell.outcome.status}"


def agreement(common: int, count: int) -> str:
    """Return how far two answers of `count` token ids agree. Greedy answers may diverge without any fault."""
    if common == count:
        return f"all {count} token ids agree"
    return f"the token ids agree up to {common} of {count}, and diverge after that"
