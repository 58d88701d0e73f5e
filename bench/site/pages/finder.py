"""The answer for a card, a clip and a system: the data of the script, and the table shown without scripts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bench import units
from bench.records.enums import Profile
from bench.records.prediction import ANSWER_TOKENS
from bench.report.answer import ANY_CLIP, PROFILES
from bench.report.basics import Tone
from bench.site import places
from bench.site.lengths import PLACES, Case, Fit, Lengths, Place, Predicted, PredictedCard
from bench.wording import labels

USUAL_CLIP_S: Final = 60
USUAL_MODEL: Final = "MOSS-Audio-4B-Instruct"

FITS: Final[dict[Fit, tuple[str, Tone]]] = {
    "fits": ("Fits", Tone.GOOD),
    "likely": ("Likely fits", Tone.GOOD),
    "unlikely": ("Probably does not fit", Tone.WARN),
    "misfit": ("Does not fit", Tone.BAD),
    "too_long": ("Longer than the model takes", Tone.BAD),
}
"""The words of each answer and their tone, from the best to the worst."""
_ORDER: Final[Sequence[Fit]] = tuple(FITS)


@dataclass(frozen=True, slots=True)
class UsualCell:
    """The answer for the usual clip in one place. `way`: `lean` where less fits as upstream."""

    word: str
    tone: Tone
    way: str


@dataclass(frozen=True, slots=True)
class UsualRow:
    """A card, and a cell for each place; no cells where `reason` says why."""

    label: str
    memory: str
    cells: tuple[UsualCell, ...]
    reason: str


def system_words(place: Place) -> str:
    """`Linux`; a system whose releases of torch differ names them: `Windows, torch 2.13 or older`."""
    releases = {each.system.torch for each in PLACES if each.system.os == place.system.os}
    name = labels.SYSTEMS[place.system.os]
    if len(releases) == 1:
        return name
    is_newest = place.system.torch == max(releases, key=_release)
    return f"{name}, torch {place.system.torch} or {'newer' if is_newest else 'older'}"


def place_words(place: Place) -> str:
    """`Linux, headless`; no word about a desktop on systems that always have one."""
    budgets = {each.has_desktop for each in PLACES if each.system == place.system}
    if len(budgets) == 1:
        return system_words(place)
    return f"{system_words(place)}, {'with a desktop' if place.has_desktop else 'headless'}"


def _release(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def usual(card: PredictedCard, predicted: Predicted) -> UsualRow:
    """Return the answers of a card for the usual clip, model and number of new tokens."""
    tokens = predicted.tokens.index(ANSWER_TOKENS)
    found = dict(zip(predicted.cases, card.lengths, strict=True)) if card.lengths else {}

    def fit(profile: Profile, place: Place) -> Fit:
        lengths = found[Case(predicted.models[USUAL_MODEL], profile, place, tokens)]
        return lengths.judge(USUAL_CLIP_S, predicted.context_s[tokens])

    def cell(place: Place) -> UsualCell:
        upstream, lean = fit(Profile.FAITHFUL, place), fit(Profile.LEAN, place)
        best = min(upstream, lean, key=_ORDER.index)
        return UsualCell(*FITS[best], "" if best == upstream else PROFILES[Profile.LEAN])

    cells = tuple(map(cell, PLACES)) if found else ()
    return UsualRow(card.label, units.gib(card.memory_total_bytes), cells, card.reason)


def data(predicted: Predicted) -> dict[str, object]:
    """Return the predictions for the script. Equal lengths are stored once, cards refer to them by number."""
    numbers: dict[Lengths, int] = {}
    for card in predicted.cards:
        for lengths in card.lengths:
            numbers.setdefault(lengths, len(numbers))
    return {
        "models": predicted.models,
        "tokens": predicted.tokens,
        "context": predicted.context_s,
        "profiles": [[profile.value, PROFILES[profile.value]] for profile in Profile],
        "places": [[system_words(each), each.has_desktop, labels.system(each.system)] for each in PLACES],
        "fits": {fit: [word, tone.value] for fit, (word, tone) in FITS.items()},
        "words": {
            "none": labels.NO_CLIP,
            "uncertain": labels.UNCERTAIN,
            "never": labels.NEVER,
            "any": ANY_CLIP,
        },
        "page": places.card_page("MODEL", "SLUG"),
        "contribute": places.CONTRIBUTE,
        "lengths": list(numbers),
        "cards": [
            [
                card.slug,
                card.label,
                card.name,
                units.gib(card.memory_total_bytes),
                card.reason,
                [numbers[lengths] for lengths in card.lengths],
            ]
            for card in predicted.cards
        ],
    }
