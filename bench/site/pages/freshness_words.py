"""The challenge of a record, in words: what it shows, what it does not, and who answered the same nonce."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final

from bench.check.summary import ChallengeHead
from bench.records.enums import WeightMode
from bench.report.basics import Tone
from bench.site.interface import MOST_COUNTED, Entry, Freshness, NonceRole, SameNonce
from bench.text import MAX_NAME, clean
from bench.units import seconds
from bench.wording.challenge import agreement
from bench.wording.labels import WEIGHTS
from bench.wording.phrases import plural

SHOWS: Final = (
    "The record was finished after the nonce was issued: its sender signed both together.",
    "Something answered about an excerpt of speech that follows from the nonce: nobody can have computed "
    "the answers to all excerpts before.",
    "That published weights answered, it shows only once another run with published weights has given the "
    "same ids.",
)
SHOWS_NOT: Final = (
    "Which card computed: every machine with the weights gives the same answer.",
    "When the other cells ran: the nonce is in the record, not in their times.",
    "That the time of the nonce is right: it is the word of the site that issued it.",
)
_ROLES: Final[Mapping[NonceRole, str]] = MappingProxyType(
    {
        NonceRole.CHECKS: "checks this record",
        NonceRole.CHECKED: "is checked by this record",
        NonceRole.SAME_KEY: "another run of the same key",
        NonceRole.OTHER_CHECK: "a check of the same nonce",
        NonceRole.UNDECLARED: "used the nonce, and says nothing of a check",
    }
)
_KEY_DIGITS: Final = 16
_COPIED: Final = "An answer that is on a page can be copied, and keys are free: to be sure, run the check."


@dataclass(frozen=True, slots=True)
class AnswerRow:
    """Another record with the nonce. `key`: its id, or the account. `role`: what it is to this one."""

    id: str
    key: str
    role: str
    weights: str
    agreement: str
    tone: Tone


@dataclass(frozen=True, slots=True)
class FreshnessWords:
    """The section of a record's page. `said`: sentences; `warnings`: what makes the answer worth less."""

    said: tuple[str, ...]
    warnings: tuple[str, ...]
    rows: tuple[AnswerRow, ...]
    left_out: str | None


def freshness(entry: Entry) -> FreshnessWords | None:
    """Return the words about the challenge of a record; None for one without."""
    challenge, found = entry.head.challenge, entry.freshness
    if challenge is None or found is None:
        return None
    return FreshnessWords(
        said=(
            *_issued(challenge, found, is_signed=entry.answers.identity.key_id is not None),
            *_answered(challenge, found),
        ),
        warnings=tuple(_warnings(found)),
        rows=tuple(map(_row, found.others)),
        left_out=_number(found.left_out) if found.left_out else None,
    )


def _issued(challenge: ChallengeHead, found: Freshness, *, is_signed: bool) -> Iterator[str]:
    at, key = _time(challenge.issued_at), challenge.key_id[:_KEY_DIGITS]
    if found.is_own:
        yield f"Finished after {at}: it contains a nonce that this site issued then, with the key {key}."
    else:
        site = clean(challenge.site, MAX_NAME)
        yield (
            f"Finished after {at}, as {site} with the key {key} says: it contains a nonce issued then. "
            "This site says nothing about that time."
        )
    if not is_signed:
        yield "No key signed the record: nobody says that nonce and figures belong together."
    if found.received_at is not None:
        after_s = (found.received_at - challenge.issued_at).total_seconds()
        late = f"It came here {seconds(after_s)} after that."
        yield late if after_s >= 0 else "It came here before that: one of the two clocks is wrong."


def _answered(challenge: ChallengeHead, found: Freshness) -> Iterator[str]:
    if challenge.token_ids is None:
        yield f"The run did not answer about the excerpt ({challenge.status.replace('_', ' ')})."
        return
    by = WEIGHTS[challenge.weight_mode]
    yield f"It answered about the excerpt of the nonce with {len(challenge.token_ids)} token ids, by {by}."
    if not challenge.is_published:
        is_hub = challenge.weight_mode is WeightMode.HUB
        yield f"The answer says nothing about the published weights{' of another owner' if is_hub else ''}."
        return
    counts = (
        f"{_number(found.agreeing_accounts)} other confirmed {plural('account', found.agreeing_accounts)}",
        f"{_number(found.agreeing_keys)} other {plural('key', found.agreeing_keys)}",
    )
    agreeing = [words for words in counts if not words.startswith("0 ")]
    if agreeing:
        yield f"{' and '.join(agreeing)} with published weights gave the same ids. {_COPIED}"
    else:
        yield (
            "Nobody else with published weights has given the same ids here: that these were the published "
            "weights is not shown."
        )


def _warnings(found: Freshness) -> Iterator[str]:
    undeclared = sum(other.role is NonceRole.UNDECLARED for other in found.others)
    if not undeclared:
        return
    if found.is_first:
        yield (
            f"{undeclared} later {plural('record', undeclared)} of other keys used this nonce without saying "
            "that they check this one. This shows nothing about this record."
        )
    else:
        yield (
            "Another key used this nonce first, and this record does not say that it checks that one. It was "
            "finished after the nonce, too, but its ids can be copied from there: they show nothing."
        )


def _row(other: SameNonce) -> AnswerRow:
    if other.agreeing is None:
        words, tone = "not compared: other weights, or no answer", Tone.MUTED
    else:
        words = agreement(other.agreeing, other.count)
        tone = Tone.GOOD if other.agreeing == other.count else Tone.WARN
    return AnswerRow(
        id=other.id,
        key="unsigned" if other.key_id is None else other.account or other.key_id[:_KEY_DIGITS],
        role=_ROLES[other.role],
        weights=WEIGHTS[other.weight_mode],
        agreement=words,
        tone=tone,
    )


def _number(count: int) -> str:
    """`3`, `20 or more`: counting stops there."""
    return f"{count}" if count < MOST_COUNTED else f"{MOST_COUNTED} or more"


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"
