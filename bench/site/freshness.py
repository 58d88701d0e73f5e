"""Records with one nonce: who answered first, who checks whom, and how far their answers agree."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Final

from bench.check.summary import ChallengeHead
from bench.judge.challenge import common_start
from bench.site.card_figures import Owner
from bench.site.interface import SHOWN, Freshness, NonceRole, SameNonce, State
from bench.site.known_keys import Confirmed
from bench.site.states import Placed

MOST_SHOWN: Final = 20
"""Other records with the nonce, on the page of one."""


def with_freshness(placed: Sequence[Placed], site_key: str | None) -> list[Placed]:
    """Return the records with what is known of their challenges. `site_key`: id of the key of this site.

    Records that no page shows count for nothing.
    """
    groups: dict[tuple[str, str], list[tuple[Placed, ChallengeHead]]] = {}
    for one in placed:
        challenge = one.received.brief.challenge
        if challenge is not None and one.state in SHOWN:
            groups.setdefault((challenge.key_id, challenge.nonce), []).append((one, challenge))
    found = {
        one.id: _freshness(one, challenge, group, site_key)
        for group in groups.values()
        for one, challenge in group
    }
    return [replace(one, freshness=found.get(one.id)) for one in placed]


def _freshness(
    this: Placed,
    challenge: ChallengeHead,
    group: Sequence[tuple[Placed, ChallengeHead]],
    site_key: str | None,
) -> Freshness:
    others = [(one, theirs) for one, theirs in group if one.id != this.id]
    agreeing = list(_agreeing(this, challenge, others))
    return Freshness(
        received_at=this.received.committed_at,
        is_own=challenge.key_id == site_key,
        is_first=group[0][0].id == this.id,
        agreeing_accounts=len({owner.identity for owner in agreeing if owner.holder is not None}),
        agreeing_keys=len({owner.identity for owner in agreeing if owner.holder is None}),
        others=tuple(_same(this, challenge, *other) for other in islice(others, MOST_SHOWN)),
        left_out=len(others[MOST_SHOWN:]),
    )


def _agreeing(
    this: Placed, challenge: ChallengeHead, others: Sequence[tuple[Placed, ChallengeHead]]
) -> Iterator[Owner]:
    """The others whose published weights gave the ids of these published weights."""
    if not challenge.is_published or challenge.token_ids is None:
        return
    for one, theirs in others:
        if one.state is not State.PUBLISHED:  # suspicious, or of a revoked key
            continue
        owner = _owner(one)
        is_same = theirs.token_ids == challenge.token_ids and _is_comparable(challenge, theirs)
        if is_same and owner.key_id is not None and owner.identity != _owner(this).identity:
            yield owner


def _owner(one: Placed) -> Owner:
    holder = one.known.account.holder if isinstance(one.known, Confirmed) else None
    return Owner(one.id, one.received.key_id, None, holder)


def _is_comparable(one: ChallengeHead, other: ChallengeHead) -> bool:
    return (one.model, one.weight_mode, one.is_published) == (
        other.model,
        other.weight_mode,
        other.is_published,
    )


def _same(this: Placed, ours: ChallengeHead, other: Placed, theirs: ChallengeHead) -> SameNonce:
    agreeing = None
    if ours.token_ids is not None and theirs.token_ids is not None and _is_comparable(ours, theirs):
        agreeing = common_start(ours.token_ids, theirs.token_ids)
    return SameNonce(
        id=other.id,
        key_id=other.received.key_id,
        account=other.known.account.name if isinstance(other.known, Confirmed) else None,
        role=_role(this, ours, other, theirs),
        weight_mode=theirs.weight_mode,
        agreeing=agreeing,
        count=max(len(ours.token_ids or ()), len(theirs.token_ids or ())),
    )


def _role(this: Placed, ours: ChallengeHead, other: Placed, theirs: ChallengeHead) -> NonceRole:
    if theirs.checks == this.received.brief.hash:
        return NonceRole.CHECKS
    if ours.checks == other.received.brief.hash:
        return NonceRole.CHECKED
    if this.received.key_id is not None and this.received.key_id == other.received.key_id:
        return NonceRole.SAME_KEY
    is_declared = ours.checks is not None or theirs.checks is not None
    return NonceRole.OTHER_CHECK if is_declared else NonceRole.UNDECLARED
