"""The four answers about a record, in words: what each means, and what was found."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bench.report.basics import Tone
from bench.site.interface import (
    MOST_COUNTED,
    Answers,
    Identity,
    Integrity,
    Plausibility,
    Plausible,
    Reproduction,
    Signature,
)
from bench.text import MAX_NAME, clean
from bench.wording.findings import SEVERITIES

_NAMES_SHOWN: Final = 3


@dataclass(frozen=True, slots=True)
class AnswerWords:
    """One answer: its name, what was found in a word and in a sentence, and what the answer means.

    `href`: where the word leads, outside the site.
    """

    name: str
    word: str
    tone: Tone
    found: str
    meaning: str
    href: str | None = None


INTEGRITY: Final = "Whether the file is what was written: its hash holds, and the signature over it holds."
IDENTITY: Final = (
    "Which key signed it, and since when that key is known. Anybody can make a key. A confirmed one belongs "
    "to an account: a file at an address of the account says so, and the key has signed that file."
)
PLAUSIBILITY: Final = (
    "What bench validate finds: contradictions within the record, figures that the card cannot reach, and "
    "records of the same card that differ."
)
REPRODUCTION: Final = (
    "How many others measured the same within noise. Only confirmed identities count as reproduction, "
    "because keys are free. All keys of one account are one identity."
)


def four_answers(answers: Answers) -> tuple[AnswerWords, ...]:
    """Return the answers about one record, in their fixed order."""
    return (
        _integrity(answers.integrity),
        _identity(answers.identity),
        _plausibility(answers.plausibility),
        _reproduction(answers.reproduction),
    )


def shared_answers(answers: Sequence[Answers]) -> tuple[AnswerWords, ...]:
    """Return the answers about figures that rest on several records; none without records."""
    if not answers:
        return ()
    return (_signed(answers), _keys(answers), _plausible(answers), _reproduced(answers))


def _integrity(found: Integrity) -> AnswerWords:
    match found.signature:
        case _ if not found.hash_holds:
            word, tone, said = "changed", Tone.BAD, "The content is not what was hashed."
        case Signature.SIGNED:
            word, tone, said = "signed", Tone.GOOD, "The hash and the signature hold."
        case Signature.BROKEN:
            word, tone, said = "signature broken", Tone.BAD, "The hash holds. The signature does not."
        case Signature.UNSIGNED:
            word, tone, said = "unsigned", Tone.WARN, "The hash holds. Nobody signed the file."
    return AnswerWords("Integrity", word, tone, said, INTEGRITY)


def _identity(found: Identity) -> AnswerWords:
    if found.key_id is None:
        return AnswerWords("Identity", "no key", Tone.MUTED, "No signature holds.", IDENTITY)
    since = "not known" if found.first_seen is None else f"{found.first_seen.date()}"
    key, first = f"key {found.key_id[:16]}", f"The key's first record here: {since}."
    if found.revoked is not None:
        said = f"The key was revoked: {clean(found.revoked)}"
        return AnswerWords("Identity", key, Tone.BAD, said, IDENTITY)
    if found.account is None or found.confirmed_at is None:
        return AnswerWords("Identity", key, Tone.WARN, f"Unconfirmed. {first}", IDENTITY)
    said = f"The account confirmed the {key} on {found.confirmed_at.date()}. {first}"
    name = clean(found.account, MAX_NAME)
    return AnswerWords("Identity", name, Tone.GOOD, said, IDENTITY, found.account_url)


def _plausibility(found: Plausibility) -> AnswerWords:
    counted = zip((found.errors, found.suspicious, found.notes), SEVERITIES.values(), strict=True)
    words = [f"{count:,} {one if count == 1 else several}" for count, (one, several) in counted if count]
    said = f"{', '.join(words)}." if words else "The validator has no finding."
    tone = {Plausible.PLAUSIBLE: Tone.GOOD, Plausible.HELD: Tone.WARN, Plausible.REFUSED: Tone.BAD}
    return AnswerWords("Plausibility", found.answer.value, tone[found.answer], said, PLAUSIBILITY)


def _reproduction(found: Reproduction) -> AnswerWords:
    if not found.confirmed and not found.unconfirmed and not found.disagreeing:
        return AnswerWords(
            "Reproduction", "not reproduced", Tone.MUTED, "Nobody else measured the same.", REPRODUCTION
        )
    cards = "" if found.cards is None else f", on {_others(found.cards, 'other card')}"
    said = (
        f"{_others(found.confirmed, 'confirmed identity', 'confirmed identities')} and "
        f"{_others(found.unconfirmed, 'unconfirmed key')} agree{cards}; "
        f"{_others(found.disagreeing, 'other')} disagree."
    )
    if found.confirmed:
        word, tone = f"reproduced by {found.confirmed:,}", Tone.GOOD
    elif found.disagreeing > found.unconfirmed:
        word, tone = f"{_others(found.disagreeing, 'other')} disagree", Tone.BAD
    else:
        word, tone = f"{_others(found.unconfirmed, 'unconfirmed key')} agree", Tone.WARN
    return AnswerWords("Reproduction", word, tone, said, REPRODUCTION)


# --- of several records -----------------------------------------------------------------------------------


def _signed(answers: Sequence[Answers]) -> AnswerWords:
    signed = sum(each.integrity.signature is Signature.SIGNED for each in answers)
    is_all = signed == len(answers)
    said = "The hash of each holds. " + ("So does each signature." if is_all else "Nobody signed the others.")
    tone = Tone.GOOD if is_all else Tone.WARN
    return AnswerWords("Integrity", f"{_of(signed, answers)} signed", tone, said, INTEGRITY)


def _keys(answers: Sequence[Answers]) -> AnswerWords:
    accounts = {each.identity.key_id: each.identity.account for each in answers}
    accounts.pop(None, None)
    keys, names = len(accounts), sorted(set(filter(None, accounts.values())))
    confirmed = sum(account is not None for account in accounts.values())
    tone = Tone.GOOD if confirmed else Tone.WARN
    by = f", by {_listed(names)}" if names else ""
    said = f"{confirmed:,} of them confirmed{by}." if keys else "The records are unsigned."
    return AnswerWords("Identity", _count(keys, "key"), tone if keys else Tone.MUTED, said, IDENTITY)


def _listed(names: Sequence[str]) -> str:
    """`a, b and c`; of many the first three."""
    shown = [clean(name, MAX_NAME) for name in names[:_NAMES_SHOWN]]
    left = len(names) - len(shown)
    *first, last = [*shown, f"{left:,} more"] if left else shown
    return f"{', '.join(first)} and {last}" if first else last


def _plausible(answers: Sequence[Answers]) -> AnswerWords:
    plausible = sum(each.plausibility.answer is Plausible.PLAUSIBLE for each in answers)
    is_all = plausible == len(answers)
    said = "The validator has no suspicion." if is_all else "A person published the others, with a reason."
    tone = Tone.GOOD if is_all else Tone.WARN
    return AnswerWords("Plausibility", f"{_of(plausible, answers)} plausible", tone, said, PLAUSIBILITY)


def _reproduced(answers: Sequence[Answers]) -> AnswerWords:
    found = [each.reproduction for each in answers]
    confirmed = sum(each.confirmed > 0 for each in found)
    unconfirmed = sum(each.unconfirmed > 0 for each in found)
    disagreeing = sum(each.disagreeing > 0 for each in found)
    agree, disagree = _of(unconfirmed, answers), _of(disagreeing, answers)
    said = f"Unconfirmed keys agree with {agree}. Others disagree with {disagree}."
    tone = Tone.GOOD if confirmed else Tone.MUTED
    return AnswerWords("Reproduction", f"{_of(confirmed, answers)} reproduced", tone, said, REPRODUCTION)


def _of(number: int, answers: Sequence[Answers]) -> str:
    """`3 of 5`."""
    return f"{number:,} of {len(answers):,}"


def _others(number: int, one: str, several: str | None = None) -> str:
    """`3 keys`, `20 or more keys`: counting others stops there."""
    if number < MOST_COUNTED:
        return _count(number, one, several)
    return f"{MOST_COUNTED} or more {several or f'{one}s'}"


def _count(number: int, one: str, several: str | None = None) -> str:
    """`1 key`, `3 keys`."""
    return f"{number:,} {one if number == 1 else several or f'{one}s'}"
