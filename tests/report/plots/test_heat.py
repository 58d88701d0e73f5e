"""The heat map of outcomes."""

from tests.report.plots.shown import plot
from tests.samples import cards
from tests.samples import records as sample


def test_the_summary_counts_every_outcome_from_the_best_to_the_worst() -> None:
    record = cards.with_card(
        [cards.measured(), cards.measured(300.0, 1024), sample.out_of_memory(sample.requested(600.0))]
    )
    heat = plot(record, "heat")
    assert heat.title == "What came of each cell"
    assert heat.summary == (
        "3 cells; fits with a desktop: 1, fits without a desktop only: 1 and out of memory: 1."
    )
    assert [entry.symbol for entry in heat.key] == ["✓", "◐", "✕"]
