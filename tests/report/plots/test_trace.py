"""Memory over one generation."""

from bench.report.plots.traces import MAX_TRACES
from tests.report.plots.shown import plot, plots_of, traced_card
from tests.samples import cards, large


def test_it_names_the_source_and_how_many_cells_there_are_to_choose_from() -> None:
    trace = plot(traced_card(), "trace")
    assert "2 cells to choose from" in trace.summary
    assert trace.note.startswith("Told by: ")
    assert [entry.label for entry in trace.key] == ["preprocess", "encode", "prefill", "decode"]


def test_of_many_cells_the_first_are_drawn_and_the_note_says_so() -> None:
    record = cards.with_card([large.traced(cards.measured(float(n)), 8) for n in range(1, MAX_TRACES + 6)])
    found = plots_of(record)
    assert len(found.data["traces"]) == MAX_TRACES
    assert (
        f"The first {MAX_TRACES} of {MAX_TRACES + 5} cells; the record has all." in plot(record, "trace").note
    )
