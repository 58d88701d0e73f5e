"""A prediction in the other formats, and odd ones in all of them."""

import io
import json

import pandas as pd
from hypothesis import HealthCheck, given, settings
from rich.console import Console

from bench.records.check import Check
from bench.records.enums import Attention
from bench.records.prediction import Envelope
from bench.records.record import Record
from bench.report import csv, html, markdown
from bench.report import json as check_json
from bench.report.csv import predicted_columns
from bench.report.terminal import as_text, summary
from bench.report.view import view_of
from tests.report.test_derivation import BOTH, COMPARED
from tests.samples import cards, odd_predictions
from tests.samples import predictions as derived
from tests.samples import records as sample


def table(record: Record) -> pd.DataFrame:
    return pd.read_csv(io.StringIO(csv.render(view_of(record))))


@given(odd_predictions.records())
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
def test_no_record_that_the_schema_accepts_is_without_a_report(record: Record) -> None:
    view = view_of(record)
    Check.model_validate_json(check_json.render(view))
    page, post, shown = html.render(view), markdown.render(view), as_text(view)
    csv.render(view)
    for text in (page, post, shown):
        assert "\x1b" not in text
    assert page.count("<script") in {0, 3}  # the page's own two, and its data
    assert "<script" not in "".join(post.split("```")[::2])


def test_one_cell_is_no_cells() -> None:
    compared = COMPARED.model_copy(update={"cells": 1, "inside": 1})
    text = " ".join(as_text(view_of(derived.derived_record(compared=(compared,)))).split())
    assert "(1 cell):" in text
    assert "(1 cells)" not in text
    assert "Compared with record 0123456789ab (1 cell): " in text


def test_the_terminal_has_verdict_grid_and_longest_clips_in_80_columns() -> None:
    text = as_text(view_of(derived.derived_record(attentions=BOTH)))
    assert max(map(len, text.splitlines())) <= 80
    lines = text.splitlines()
    assert lines[0] == "Predicted: fits on a headless card"
    assert "Cells, profile faithful (predicted, nothing was run, for Linux with torch 2.13)" in lines
    for words in (
        "too close to call",
        "does not fit",
        "10.31–11.00 GiB",
        "Likely fits up to",
        'A "12 GB" card reports 12.88 GB (11.99 GiB)',
        "encode: stem GELU",
    ):
        assert words in text
    assert "…" not in text


def test_a_cell_that_is_too_close_to_call_says_whether_it_likely_fits() -> None:
    record = derived.with_typical(derived.derived_record())
    text, post = as_text(view_of(record)), markdown.render(view_of(record))
    for words in ("probably not", "200 s", "60 s"):
        assert words in text
        assert words in post
    assert "desktop: likely" in text
    assert "desktop: likely fits" in post
    assert "too close to call" not in text.partition("The longest clip")[0].partition("Clip")[2]
    cells = table(record)
    close = cells[cells["fits_headless"] == "too_close_to_call"]
    assert set(close["likely_fits_headless"]) == {False}
    fits = cells[cells["fits_headless"] == "fits"]
    assert set(fits["likely_fits_headless"]) == set(fits["likely_fits_desktop"]) == {True}
    assert max(map(len, text.splitlines())) <= 80


def test_attentions_that_come_out_alike_are_one_grid() -> None:
    text = as_text(view_of(derived.derived_record(attentions=BOTH)))
    assert "SDPA and FlashAttention 2" in text
    assert text.count("600 s ") == 1


def test_more_columns_than_fit_go_below_each_other() -> None:
    tokens = (64, 128, 256, 512, 1024, 2048)
    text = as_text(view_of(derived.derived_record(clips=(10.0,), tokens=tokens)))
    assert max(map(len, text.splitlines())) <= 80
    assert sum(line.startswith("Clip") for line in text.splitlines()) == 2
    assert all(f"{count:,} tokens" in text for count in tokens)


def test_a_cpu_has_no_longest_clip() -> None:
    text = as_text(view_of(derived.derived_record(device=sample.CPU, clips=(10.0,))))
    assert "9.81 GiB allocated" in text
    assert "longest clip" not in text


def test_markup_in_a_prediction_is_text() -> None:
    record = derived.derived_record(clips=(10.0,)).model_copy()
    hostile = sample.renamed(record, "model", "[bold red]x[/]")
    console = Console(file=io.StringIO(), width=80, force_terminal=True, record=True)
    console.print(summary(view_of(hostile)))
    assert "[bold red]x[/]" in console.export_text()


def test_the_csv_has_one_header_for_every_record() -> None:
    predicted, ran = table(derived.derived_record()), table(cards.rtx_4070())
    assert list(predicted.columns) == list(ran.columns)
    assert list(ran.columns)[-len(predicted_columns()) :] == predicted_columns()
    assert ran[predicted_columns()].isna().all().all()


def test_the_csv_has_the_envelope_under_its_names() -> None:
    cell = derived.predicted(sample.requested(60.0, 512))
    assert cell.envelope is not None
    assert cell.envelope.device_peak_bytes is not None
    row = table(derived.derived_record([cell])).iloc[0]
    for name in ("weights_bytes", "kv_cache_bytes", "activations_peak_bytes", "workspace_peak_bytes"):
        assert row[name] == getattr(cell.envelope, name)
    assert row["allocated_peak_bytes"] == cell.envelope.allocated_peak_bytes
    assert row["device_peak_low_bytes"] == cell.envelope.device_peak_bytes.low
    assert row["device_peak_high_bytes"] == cell.envelope.device_peak_bytes.high
    assert (row["provenance"], row["status"], row["verdict"]) == ("derived", "predicted", "runs_headless")
    assert (row["fits_headless"], row["fits_desktop"]) == ("fits", "too_close_to_call")
    assert (row["peak_phase"], row["peak_op"]) == ("encode", "audio_encoder.conv1: aten::gelu")
    assert row["ceiling_decode_tokens_per_s"] > 0
    assert pd.isna(row["decode_tokens_per_s"])


def test_no_operator_is_a_formula() -> None:
    assert set(table(odd_predictions.hostile())["peak_op"].str[:2]) == {"'="}


def test_check_has_intervals_with_their_provenance() -> None:
    document = json.loads(check_json.render(view_of(derived.derived_record(compared=(COMPARED,)))))
    largest = document["vram"]["largest"]
    assert (largest["point"]["clip_seconds"], largest["point"]["max_tokens"]) == (120.0, 1024)
    (row,) = [row for row in document["rows"] if row["cell_id"] == largest["point"]["cell_id"]]
    envelope, predicted = row["envelope"], largest["predicted_bytes"]
    assert predicted["provenance"] == "derived"
    assert (predicted["low"], predicted["high"]) == tuple(map(round, envelope["device_peak_bytes"].values()))
    assert envelope["provenance"] == envelope["ceiling"]["provenance"] == "derived"
    assert envelope["device_peak_bytes"]["low"] < envelope["device_peak_bytes"]["high"]
    assert (envelope["headless"], envelope["desktop"]) == ("fits", "too_close_to_call")
    shared = set(Envelope.model_fields) - {"phases", "prompt_tokens"}
    assert shared <= envelope.keys()
    (compared,) = document["prediction"]["compared"]
    assert (compared["provenance"], compared["cells"], compared["inside"]) == ("derived", 20, 17)
    assert all(row["provenance"] == "derived" and row["envelope"] for row in document["rows"])


def test_check_has_the_predicted_line_to_the_second() -> None:
    (line, *_) = json.loads(check_json.render(view_of(derived.derived_record())))["frontier"]
    assert (line["longest_fit_s"], line["smallest_misfit_s"]) == (128.0, 342.0)
    unknown = {"likely_fits_s": None, "likely_is_known": False}
    assert line["predicted_headless"] == {"fits_s": 128.0, "misfit_s": 342.0, **unknown}
    assert line["predicted_desktop"] == {"fits_s": None, "misfit_s": 303.0, **unknown}
    assert line["context_s"] == 3263.0


def test_speed_is_null_where_nothing_was_run() -> None:
    speed = json.loads(check_json.render(view_of(derived.derived_record(attentions=[Attention.SDPA]))))[
        "speed"
    ]
    assert list(speed.values()) == [[], [], []]


def test_a_measured_check_has_no_prediction() -> None:
    document = json.loads(check_json.render(view_of(cards.rtx_4070())))
    assert document["prediction"] is None
    assert document["vram"]["largest"]["predicted_bytes"] is None


def test_a_check_of_48_predictions_is_fetched_by_a_page() -> None:
    document = check_json.render(view_of(derived.derived_record(attentions=BOTH)))
    assert len(document) < 97_000  # each cell with its system, its kernel, and whether it likely fits


def test_a_post_has_the_stamp_at_every_table_of_figures() -> None:
    text = markdown.render(view_of(derived.derived_record(compared=(COMPARED,))))
    assert text.count("predicted, nothing was run") >= 6
    for words in (
        "**does not fit**<br>",
        "Prediction against measurement",
        "11.39–11.79 GiB (12.23–12.66 GB)",
    ):
        assert words in text
