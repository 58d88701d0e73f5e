"""Cells as rows."""

from bench.report import csv, html, markdown
from bench.report import json as check_json
from bench.report.terminal import as_text
from bench.report.view import view_of
from tests.samples import cards
from tests.samples import records as sample


def test_medians_come_with_interval_and_variation() -> None:
    figure = view_of(sample.standard()).rows[0].figures["decode_tokens_per_s"]
    assert (figure.text, figure.interval) == ("47.4 tok/s", "47.0–47.8 tok/s, 95 %")
    assert figure.variation == "cv 0.0063"


def test_the_interval_of_three_repeats_is_called_a_range_everywhere() -> None:
    view = view_of(sample.record([sample.measured(sample.requested(), repeats=3)]))
    figure = view.rows[0].figures["latency_s"]
    assert figure.interval.endswith(", range of 3")
    assert figure.interval in html.render(view)
    (line,) = csv.frame(view).to_dict("records")
    assert (line["latency_s_interval_kind"], line["latency_s_interval_n"]) == ("range", 3)
    stated = view.check.rows[0].figure("latency_s")
    assert stated is not None
    assert stated.interval_kind == "range"


def test_not_available_is_a_word() -> None:
    figure = view_of(sample.standard()).rows[0].figures["energy_j"]
    assert (figure.value, figure.text) == (None, "n/a")


def test_raw_repeats_are_kept_and_the_cold_one_is_named() -> None:
    row = view_of(sample.standard()).rows[0]
    assert [repetition.name for repetition in row.repetitions] == ["cold", "1", "2", "3", "4", "5"]


def test_out_of_memory_says_when_and_how_much() -> None:
    (miss, *_) = view_of(cards.rtx_4070()).misses
    assert miss.status.reason == (
        "the allocator could not get what the prefill asked for; during prefill; "
        "2.18 GiB requested, 0.38 GiB were free; the allocator held 10.64 GiB"
    )


def test_memory_that_another_program_took_is_told_in_every_format() -> None:
    seen = cards.measured().device_memory
    assert seen is not None
    beside = {"device_memory": seen.model_copy(update={"contended": True})}
    ran_out = sample.out_of_memory(sample.requested(60.0)).model_copy(update=beside)
    view = view_of(cards.with_card([cards.measured(), ran_out]))
    for render in (html.render, markdown.render, as_text, check_json.render, csv.render):
        assert "contended" in render(view)
        assert "another program computed on the card" in render(view)


def test_a_cell_that_an_interrupted_run_did_not_reach_was_not_run() -> None:
    words = {row.status.word for row in view_of(sample.interrupted()).rows}
    assert "not run" in words
    assert "skipped" not in words


def test_cells_of_the_same_kernels_name_each_other() -> None:
    row = next(row for row in view_of(cards.rtx_4070()).rows if row.same_kernels_as)
    assert "not comparable" in row.marks
    assert row.comparison == "asked for SDPA and ran the same kernels as FlashAttention 2: not comparable"


def test_rows_of_one_record_are_in_its_order() -> None:
    cells = [sample.measured(sample.requested(clip)) for clip in (60.0, 10.0, 30.0)]
    assert [row.clip_seconds for row in view_of(sample.record(cells)).rows] == [60.0, 10.0, 30.0]
