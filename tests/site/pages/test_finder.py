"""The data of the script, and the table that stands in for it."""

from bench.records.enums import Profile
from bench.site.lengths import PLACES, Case
from bench.site.pages.finder import FITS, USUAL_MODEL, data, place_words, system_words, usual
from tests.site.predicted import predicted


def test_the_data_hold_every_length_of_every_card() -> None:
    found, made = predicted(), data(predicted())
    lengths, cards = made["lengths"], made["cards"]
    assert isinstance(lengths, list)
    assert isinstance(cards, list)
    for card, (slug, *_, numbers) in zip(found.cards, cards, strict=True):
        assert card.slug == slug
        assert tuple(lengths[number] for number in numbers) == card.lengths


def test_systems_are_named_with_a_release_only_where_it_matters() -> None:
    assert list(dict.fromkeys(map(system_words, PLACES))) == [
        "Linux",
        "WSL2",
        "Windows, torch 2.14 or newer",
        "Windows, torch 2.13 or older",
    ]
    assert [place_words(place) for place in PLACES[:3]] == [
        "Linux, headless",
        "Linux, with a desktop",
        "WSL2",
    ]


def test_the_table_has_the_better_way_of_each_place() -> None:
    found = predicted()
    card = next(card for card in found.cards if card.slug == "rtx-4070")
    for place, cell in zip(PLACES, usual(card, found).cells, strict=True):
        fits = []
        for profile in Profile:
            case = Case(found.models[USUAL_MODEL], profile, place, found.tokens.index(512))
            fits.append(card.lengths[found.cases.index(case)].judge(60, 2827))
        best = min(fits, key=list(FITS).index)
        assert (cell.word, cell.tone) == FITS[best]
        assert cell.way == ("" if best == fits[0] else "lean")


def test_a_card_that_cannot_run_it_has_its_reason() -> None:
    found = predicted()
    row = usual(next(card for card in found.cards if card.slug == "t4"), found)
    assert row.cells == ()
    assert "8.0" in row.reason
