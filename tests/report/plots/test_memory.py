"""Memory against clip length: the figure and its words."""

import json

from bench.records.base import ByteInterval
from bench.report.plots.budgets import budgets
from bench.report.plots.cells import cells
from bench.report.plots.interface import Datum
from bench.report.plots.memory import MemoryMarks
from bench.report.plots.series import Series, drawn, series
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
    whole = cards.with_card([cell.model_copy(update={"envelope": envelope}), cards.measured(60.0)])
    datum, _ = plots_of(whole).data["cells"]
    assert (datum["lo"], datum["hi"]) == (10.5, 11.5)
    assert "m" in datum
    assert plot(whole, "memory").note.startswith("Points ran; bands were predicted")


def test_a_cell_that_ran_out_of_memory_is_in_the_key() -> None:
    out = cards.with_card([cards.measured(), sample.out_of_memory(sample.requested(600.0))])
    assert "ran out of memory there" in [entry.label for entry in plot(out, "memory").key]
    assert "ran out of memory there" not in [
        entry.label for entry in plot(sample.all_measured_48(), "memory").key
    ]


def test_an_axis_that_does_not_begin_at_zero_says_so() -> None:
    assert "Needed (GiB), axis starts above 0" in json.dumps(plot(cards.rtx_4070(), "memory").spec)
    assert "axis starts above 0" not in plot_of({10.0: 0.01, 60.0: 1.0}).axis_title


def test_each_setting_that_is_chosen_has_an_axis_of_its_own() -> None:
    marks = plot_of(*({10.0: size, 60.0: size + 1} for size in (9.0, 20.0, 30.0, 40.0)))
    assert marks.low == "[8.92, 19.92, 29.92, 39.92][indexof([0, 1, 2, 3], variant)]"
    assert marks.high == "[10.08, 21.08, 31.08, 41.08][indexof([0, 1, 2, 3], variant)]"
    assert marks.axis_title == "Needed (GiB), axis starts above 0"


def test_if_one_setting_begins_at_zero_all_do() -> None:
    marks = plot_of(*({10.0: size, 60.0: 9.0} for size in (0.1, 8.0, 7.0, 6.0)))
    assert marks.low.startswith("[0.0, 0.0, 0.0, 0.0]")
    assert marks.axis_title == "Needed (GiB)"


def plot_of(*settings: dict[float, float]) -> MemoryMarks:
    """The marks of settings that need so much for each clip length."""
    data: list[Datum] = [
        {"v": nth, "s": 0, "c": clip, "m": size, "k": "ran"}
        for nth, sizes in enumerate(settings)
        for clip, size in sizes.items()
    ]
    lines = Series(tuple(map(str, range(len(settings)))), (128,), (), is_mixed=False)
    return MemoryMarks(drawn(lines, data), data, [], 60.0, "Needed (GiB)")


def test_the_axis_holds_cells_and_budgets_with_a_margin() -> None:
    view = view_of(cards.rtx_4070())
    lines = series(view)
    data = cells(view, lines)
    shown = budgets(view)
    low, high = MemoryMarks(drawn(lines, data), data, shown, 300.0, "Memory (GiB)").domain
    assert low < min(float(str(datum["m"])) for datum in data if "m" in datum)
    assert high > max(one.high_bytes for one in shown) / 2**30
