"""Rules over the answer to a challenge."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from bench.records.record import Challenge

CLOCKS_DIFFER: Final = timedelta(minutes=5)
"""A run may be dated so long before its challenge: the clocks of two computers differ."""


def common_start(ids: Sequence[int], others: Sequence[int]) -> int:
    """Return how many token ids of two answers are equal, from the first one on."""
    if ids == others:  # as nearly always, and much quicker
        return len(ids)
    different = (nth for nth, pair in enumerate(zip(ids, others, strict=False)) if pair[0] != pair[1])
    return next(different, min(len(ids), len(others)))


def compared(challenge: Challenge) -> tuple[int, int] | None:
    """Return how many ids agree with the answer that a run checks, and of how many; None: it checks none."""
    if challenge.checks is None or challenge.token_ids is None:
        return None
    ours, theirs = challenge.token_ids, challenge.checks.token_ids
    return common_start(ours, theirs), max(len(ours), len(theirs))
