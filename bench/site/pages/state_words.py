"""What the site does with a record, in words."""

from dataclasses import dataclass
from typing import Final

from bench.report.basics import Tone
from bench.site.interface import Apart, Entry, State
from bench.text import clean


@dataclass(frozen=True, slots=True)
class StateWords:
    """A word for what became of a record, its tone, and what it means."""

    word: str
    tone: Tone
    meaning: str


_STATES: Final[dict[State, tuple[str, Tone, str]]] = {
    State.PUBLISHED: ("published", Tone.GOOD, "Its figures count in the medians of its card."),
    State.HELD: (
        "held",
        Tone.WARN,
        "Something is suspicious. Its figures count in no median until a person has looked at it.",
    ),
    State.REFUSED: ("refused", Tone.BAD, "It has errors. No page shows its figures."),
    State.REPLAYED: (
        "repeat of another",
        Tone.WARN,
        "The same content or the same raw times are in a record that came first. It counts in no median.",
    ),
    State.WITHDRAWN: ("withdrawn", Tone.MUTED, "It was taken back. No page shows its figures."),
}

_REVOKED: Final = "Its figures count in no median until a person has looked at it."
_APART: Final[dict[Apart, tuple[str, str]]] = {
    Apart.SMOKE: (
        "smoke run",
        "A tiny model ran: it shows that the pipeline works, and nothing about the real one.",
    ),
    Apart.EMULATED: (
        "emulated card",
        "A larger device ran it as a smaller card: what fits counts, its speed is that of the larger device.",
    ),
    Apart.LOCAL: (
        "local weights",
        "The weights came from a folder and are not known to be the published ones.",
    ),
    Apart.RANDOM: (
        "random weights",
        "Exact shapes and random values: the same memory, about the same speed.",
    ),
    Apart.PREDICTION: ("prediction", "Nothing was run. The site computes predictions itself."),
}


def state(entry: Entry) -> StateWords:
    """Return the state of a record."""
    word, tone, meaning = _STATES[entry.state]
    if entry.state is State.PUBLISHED and entry.apart is not None:
        meaning = "It is listed apart and counts in no median."
    revoked = entry.answers.identity.revoked
    if entry.state is State.HELD and revoked is not None:
        meaning = f"Its key was revoked: {clean(revoked).rstrip('.')}. {_REVOKED}"
    if entry.state is State.PUBLISHED and entry.reason is not None:
        meaning = f"It was held, and a person published it. {meaning}"
    return StateWords(word, tone, meaning)


def apart(kind: Apart) -> StateWords:
    """Return why a record is never mixed with measurements."""
    word, meaning = _APART[kind]
    return StateWords(word, Tone.MUTED, meaning)
