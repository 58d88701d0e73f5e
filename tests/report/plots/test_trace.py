"""Memory over time in the page: small, and no peak that was seen is lost."""

import json

from hypothesis import given
from hypothesis import strategies as st

from bench.records.cell import MemoryTrace
from bench.report.plots.series import series
from bench.report.plots.trace import MAX_TRACES, segments, thin, traced, traces, unit_of
from bench.report.view import view_of
from tests.report.plots.shown import plot, plots_of, traced_card
from tests.samples import cards, large
from tests.samples import records as sample

parts = st.lists(
    st.tuples(st.floats(0, 100), st.integers(0, 2**40), st.integers(0, 2**40)), min_size=1, max_size=60
)


@given(parts, st.integers(1, 40))
def test_thinning_keeps_order_and_the_least_and_the_most(
    seen: list[tuple[float, int, int]], most: int
) -> None:
    seen = sorted(seen)
    kept = thin(seen, most)
    begins = [begin for begin, _, _ in kept]
    assert 1 <= len(kept) <= most
    assert begins == sorted(begins)
    assert begins[0] == seen[0][0]
    assert set(begins) <= {begin for begin, _, _ in seen}
    assert min(low for _, low, _ in kept) == min(low for _, low, _ in seen)
    assert max(high for _, _, high in kept) == max(high for _, _, high in seen)


def test_a_trace_takes_less_than_3_kb_of_the_page() -> None:
    for cells in (1, 20):
        whole = cards.with_card([large.traced(cards.measured(10.0 + n), 2_000) for n in range(cells)])
        view = view_of(whole)
        for datum in traces(traced(view), series(view)):
            assert len(json.dumps(datum, separators=(",", ":"))) < 3_000


def test_the_last_segment_ends_with_the_generation() -> None:
    whole = cards.with_card([large.traced(cards.measured())])
    view = view_of(whole)
    (datum,) = traces(traced(view), series(view))
    trace = view.rows[0].trace
    assert trace is not None
    assert isinstance(datum["t"], list)
    assert isinstance(datum["pe"], list)
    assert datum["t"][-1] == datum["pe"][-1] == round(1000 * trace.end_s)
    assert datum["ph"] == ["Preprocess", "Encode", "Prefill", "Decode"]


def test_a_tiny_model_is_drawn_in_mib() -> None:
    small = MemoryTrace(
        what="allocated",
        source="allocation tracker",
        times_s=(0.0, 0.5),
        low_bytes=(3 * 2**20, 4 * 2**20),
        high_bytes=(5 * 2**20, 6 * 2**20),
        end_s=1.0,
        phases={},
    )
    cell = sample.measured(sample.requested()).model_copy(update={"memory_trace": small})
    view = view_of(sample.record([cell]))
    (datum,) = traces(traced(view), series(view))
    assert unit_of(traced(view)).name == "MiB"
    assert (datum["lo"], datum["up"]) == ([3072, 4096, 4096], [2048, 2048, 2048])
    assert (datum["ph"], datum["pe"]) == ([], [])


def test_a_trace_whose_lists_do_not_match_is_cut_to_what_does() -> None:
    trace = large.trace(sample.requested(), 10)
    assert len(segments(trace.model_copy(update={"low_bytes": trace.low_bytes[:4]}))) == 4
    broken = trace.model_copy(update={"high_bytes": ()})
    cell = sample.measured(sample.requested()).model_copy(update={"memory_trace": broken})
    assert traced(view_of(sample.record([cell]))) == ()


def test_an_axis_that_does_not_begin_at_zero_says_so() -> None:
    assert "Memory (GiB), axis starts above 0" in json.dumps(plot(traced_card(), "trace").spec)
    low = MemoryTrace(
        what="allocated",
        source="allocation tracker",
        times_s=(0.0, 0.5),
        low_bytes=(0, 4 * 2**20),
        high_bytes=(2**20, 6 * 2**20),
        end_s=1.0,
        phases={},
    )
    cell = sample.measured(sample.requested()).model_copy(update={"memory_trace": low})
    spec = json.dumps(plot(sample.record([cell]), "trace").spec)
    assert "axis starts above 0" not in spec
    assert '"zero": true' in spec


def test_one_segment_shows_no_change_and_is_not_drawn() -> None:
    trace = large.trace(sample.requested(), 10)
    first = {name: getattr(trace, name)[:1] for name in ("times_s", "low_bytes", "high_bytes")}
    cell = sample.measured(sample.requested()).model_copy(
        update={"memory_trace": trace.model_copy(update=first)}
    )
    assert traced(view_of(sample.record([cell]))) == ()


def test_the_source_of_a_trace_is_cleaned_like_any_text() -> None:
    trace = large.trace(sample.requested(), 10).model_copy(update={"source": sample.HOSTILE})
    cell = sample.measured(sample.requested()).model_copy(update={"memory_trace": trace})
    (row,) = traced(view_of(sample.record([cell])))
    assert row.trace is not None
    assert "\x1b" not in row.trace.source


def test_it_names_the_source_and_how_many_cells_there_are_to_choose_from() -> None:
    trace = plot(traced_card(), "trace")
    assert "2 cells to choose from" in trace.summary
    assert trace.note.startswith("Source: ")
    assert [entry.label for entry in trace.key] == ["preprocess", "encode", "prefill", "decode"]


def test_of_many_cells_the_first_are_drawn_and_the_note_says_so() -> None:
    record = cards.with_card([large.traced(cards.measured(float(n)), 8) for n in range(1, MAX_TRACES + 6)])
    found = plots_of(record)
    assert len(found.data["traces"]) == MAX_TRACES
    assert (
        f"The first {MAX_TRACES} of {MAX_TRACES + 5} cells; the record has all." in plot(record, "trace").note
    )
