"""Decode speed against clip length."""

from tests.report.plots.shown import plot, plots_of
from tests.samples import cards
from tests.samples import predictions as derived


def test_a_ceiling_is_not_drawn_as_a_speed() -> None:
    view = plots_of(derived.derived_record())
    assert "speed" not in [figure.name for figure in view.figures]
    assert all("at most" in str(datum["rt"]) for datum in view.data["cells"])


def test_the_summary_is_from_the_slowest_to_the_fastest() -> None:
    speed = plot(cards.with_card([cards.measured(clip) for clip in (10.0, 300.0)]), "speed")
    assert speed.summary == "Decode speed of the cells: 41.4–47.4 tok/s."
    assert "the bars are their intervals: 95 %." in speed.note
