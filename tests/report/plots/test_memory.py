"""Memory against clip length: the figure and its words."""

from bench.records.base import ByteInterval
from bench.report.plots.budgets import budgets
from bench.report.plots.cells import cells
from bench.report.plots.memory import MemoryMarks
from bench.report.plots.series import drawn, series
from bench.report.view import view_of
from tests.report.plots.shown import plot, plots_of
from tests.samples import cards
from tests.samples import predictions as derived
from tests.samples import records as sample


def test_without_a_card_the_memory_says_which_figure_it_is() -> None:
    memory = plot(sample.smoke(), "memory")
    assert memory.title == "Memory by clip length"
    assert "not what a card must have" in memory.note


def test_predictions_are_bands_and_never_points_that_ran() -> None:
    cells = plots_of(derived.derived_record()).data["cells"]
    assert all("lo" in datum and "hi" in datum and "m" not in datum for datum in cells)
    assert "Nothing ran" in plot(derived.derived_record(), "memory").note


def test_a_cell_that_ran_and_was_predicted_shows_both() -> None:
    cell = cards.measured()
    envelope = derived.envelope(cell.requested).model_copy(
        update={"device_peak_bytes": ByteInterval(low=10.5 * 2**30, high=11.5 * 2**30)}
    )
    whole = cards.with_card([cell.model_copy(update={"envelope": envelope})])
    (datum,) = plots_of(whole).data["cells"]
    assert (datum["lo"], datum["hi"]) == (10.5, 11.5)
    assert "m" in datum
    assert plot(whole, "memory").note.startswith("Points ran; bands were predicted")


def test_a_cell_that_ran_out_of_memory_is_in_the_key() -> None:
    out = cards.with_card([cards.measured(), sample.out_of_memory(sample.requested(600.0))])
    assert "ran out of memory there" in [entry.label for entry in plot(out, "memory").key]
    assert "ran out of memory there" not in [
        entry.label for entry in plot(sample.all_measured_48(), "memory").key
    ]


def test_the_axis_holds_cells_and_budgets_with_a_margin() -> None:
    view = view_of(cards.rtx_4070())
    lines = series(view)
    data = cells(view, lines)
    shown = budgets(view)
    low, high = MemoryMarks(drawn(lines, data), data, shown, 300.0, "Memory (GiB)").domain
    assert low < min(float(str(datum["m"])) for datum in data if "m" in datum)
    assert high > max(one.high_bytes for one in shown) / 2**30
