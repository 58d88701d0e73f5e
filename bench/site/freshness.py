"""Records with one nonce: who answered first, who checks whom, and how far their answers agree."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Final

from bench.check.summary import ChallengeHead
from bench.judge.challenge import common_start
from bench.records.enums import WeightMode
from bench.site.card_figures import Owner
from bench.site.interface import MOST_COUNTED, SHOWN, Freshness, NonceRole, SameNonce, State
from bench.site.known_keys import Confirmed
from bench.site.states import Placed

MOST_SHOWN: Final = 20
"""Other records with the nonce, on the page of one."""
_Challenged = tuple[Placed, ChallengeHead]
_Answer = tuple[str, WeightMode, tuple[int, ...]] | None


def with_freshness(placed: Sequence[Placed], site_key: str | None) -> list[Placed]:
    """Return the records with what is known of their challenges. `site_key`: id of the key of this site.

    Records that no page shows count for nothing. The time grows with the number of records, not its square.
    """
    groups: dict[tuple[str, str], list[_Challenged]] = {}
    for one in placed:
        challenge = one.received.brief.challenge
        if challenge is not None and one.state in SHOWN:
            groups.setdefault((challenge.key_id, challenge.nonce), []).append((one, challenge))
    found: dict[str, Freshness] = {}
    for group in groups.values():
        answers = _answers(group)
        for one, challenge in group:
            found[one.id] = _freshness(one, challenge, group, answers, is_own=challenge.key_id == site_key)
    return [replace(one, freshness=found.get(one.id)) for one in placed]


def _freshness(
    this: Placed,
    challenge: ChallengeHead,
    group: Sequence[_Challenged],
    answers: Mapping[_Answer, "_Identities"],
    *,
    is_own: bool,
) -> Freshness:
    first, key_id = group[0][0], this.received.key_id
    others = islice((each for each in group if each[0].id != this.id), MOST_SHOWN)
    agreeing = answers.get(_answer(challenge), _Identities())
    return Freshness(
        received_at=this.received.committed_at,
        is_own=is_own,
        is_first=first.id == this.id or (key_id is not None and first.received.key_id == key_id),
        agreeing_accounts=_count(agreeing.accounts, this),
        agreeing_keys=_count(agreeing.keys, this),
        others=tuple(_same(this, challenge, *other) for other in others),
        left_out=min(max(0, len(group) - 1 - MOST_SHOWN), MOST_COUNTED),
    )


@dataclass(frozen=True, slots=True)
class _Identities:
    """Who gave one answer with published weights."""

    accounts: set[str | None] = field(default_factory=set)
    keys: set[str | None] = field(default_factory=set)


def _answers(group: Iterable[_Challenged]) -> Mapping[_Answer, _Identities]:
    """Return who gave which answer with published weights, in published records that a key signed."""
    found: dict[_Answer, _Identities] = {}
    for one, challenge in group:
        owner = _owner(one)
        # Another state is suspicious, or of a revoked key.
        if _answer(challenge) and one.state is State.PUBLISHED and owner.key_id is not None:
            of_answer = found.setdefault(_answer(challenge), _Identities())
            (of_answer.keys if owner.holder is None else of_answer.accounts).add(owner.identity)
    return found


def _answer(challenge: ChallengeHead) -> _Answer:
    """Return what two answers that agree have in common; None where there is no answer to compare."""
    if not challenge.is_published or challenge.token_ids is None:
        return None
    return challenge.model, challenge.weight_mode, challenge.token_ids


def _count(identities: Collection[str | None], this: Placed) -> int:
    """The number without the owner of a record. Counting stops, so that pages stay as they are."""
    return min(len(identities) - (_owner(this).identity in identities), MOST_COUNTED)


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
