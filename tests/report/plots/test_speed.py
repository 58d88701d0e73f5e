"""Decode speed against clip length."""

from tests.report.plots.shown import plot, plots_of
from tests.samples import cards
from tests.samples import predictions as derived


def test_a_ceiling_says_that_it_is_none_of_a_forecast() -> None:
    speed = plot(derived.derived_record(), "speed")
    assert "a ceiling, not a forecast" in speed.title
    assert all("at most" in str(datum["rt"]) for datum in plots_of(derived.derived_record()).data["cells"])


def test_the_summary_is_from_the_slowest_to_the_fastest() -> None:
    speed = plot(cards.with_card([cards.measured(clip) for clip in (10.0, 300.0)]), "speed")
    assert speed.summary == "Decode speed of the cells: 41.4–47.4 tok/s."
    assert "the bars are their intervals: 95 %." in speed.note


def test_every_ceiling_is_dashed_in_the_key() -> None:
    key = plot(derived.derived_record(), "speed").key
    assert [(entry.style, entry.label) for entry in key if entry.kind == "line"] == [
        ("dashed", "ceiling: at most this")
    ]
