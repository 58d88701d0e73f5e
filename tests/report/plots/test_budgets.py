"""The lines that the memory of cells is held against."""

from bench.report.plots.budgets import budgets, drawable
from bench.report.view import view_of
from tests.report.plots.shown import plot, plots_of
from tests.samples import cards
from tests.samples import predictions as derived
from tests.samples import records as sample


def test_budgets_are_named_with_both_units_and_the_card_comes_first() -> None:
    texts = [str(datum["text"]) for datum in plots_of(cards.rtx_4070()).data["budgets"]]
    assert texts == [
        "Memory of the card 11.99 GiB (12.88 GB)",
        "Budget without a desktop 11.57 GiB (12.42 GB)",
        "Budget with a desktop 10.79 GiB (11.59 GB)",
    ]


def test_a_budget_far_above_is_told_and_not_drawn() -> None:
    whole = cards.with_card([cards.measured(clip) for clip in (10.0, 60.0)], device=cards.H200, state=None)
    memory = plot(whole, "memory")
    assert "Far above, and so not drawn: Memory of the card 140.40 GiB (150.75 GB)" in memory.summary


def test_the_budget_of_a_prediction_is_a_band() -> None:
    card, headless, desktop = budgets(view_of(derived.derived_record()))
    assert card.low_bytes == card.high_bytes
    assert headless.low_bytes < headless.high_bytes
    assert desktop.datum(is_first=False)["short"] == "with a desktop 9.83–11.59 GiB"


def test_a_cpu_has_no_budget() -> None:
    assert budgets(view_of(sample.smoke())) == []


def test_what_is_in_sight_depends_on_the_need() -> None:
    found = budgets(view_of(cards.rtx_4070()))
    assert drawable(found, 8 * 2**30) == found
    assert drawable(found, 1 * 2**30) == []
