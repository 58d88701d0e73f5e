"""The front page: the answer for a card at once, and the index of cards and models."""

from typing import Final

from bench.records.prediction import ANSWER_TOKENS
from bench.report.plots.page import as_json
from bench.site import places
from bench.site.interface import CardSummary, SiteIndex
from bench.site.lengths import PLACES, Predicted
from bench.site.pages import finder, layout

FINDER: Final = "assets/finder.js"
OVERVIEW: Final = "assets/overview.js"
_LEFT_OUT: Final = ("NVIDIA ", "GeForce ", "MOSS-Audio-")
"""Beginnings of names that nearly all rows share."""


def render(index: SiteIndex, predicted: Predicted) -> str:
    """Return the page."""
    return layout.render(
        "front.html.j2",
        places.FRONT,
        {
            "index": index,
            "card_page": places.card_page,
            "answers": answers,
            "predicted": predicted,
            "systems": tuple(dict.fromkeys(map(finder.system_words, PLACES))),
            "places": tuple(map(finder.place_words, PLACES)),
            "usual": [finder.usual(card, predicted) for card in predicted.cards],
            "usual_clip_s": finder.USUAL_CLIP_S,
            "usual_tokens": ANSWER_TOKENS,
            "usual_model": finder.USUAL_MODEL,
            "data": as_json(finder.data(predicted)),
            "finder": FINDER,
            "overview": OVERVIEW,
            "short": short,
        },
        has_scripts=True,
    )


def short(name: str) -> str:
    """`NVIDIA GeForce RTX 4070` -> `RTX 4070`, `MOSS-Audio-4B-Instruct` -> `4B-Instruct`."""
    for words in _LEFT_OUT:
        name = name.removeprefix(words)
    return name


def answers(card: CardSummary) -> str:
    """Return the four answers about the records of a card in a few words; empty without records."""
    counts = ((card.held, "held"), (card.refused, "refused"), (card.withdrawn, "withdrawn"))
    words = [f"{count:,} {word}" for count, word in counts if count]
    if card.published:
        keys = f"by {card.keys:,} key{'' if card.keys == 1 else 's'}" if card.keys else "unsigned"
        reproduced = f"{card.confirmed:,} reproduced, {card.reproduced:,} by unconfirmed keys"
        words = [f"{card.published:,} published {keys}", *words, reproduced]
    if card.others:
        words.append(f"{card.others:,} apart")
    return "; ".join(words)
