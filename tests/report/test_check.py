"""`check.json` is what scripts and pages depend on."""

import json
from typing import Any

import jsonschema
import pytest
from pydantic import ValidationError

from bench import shipped
from bench.records.check import Check
from bench.records.record import Record
from bench.report.json import render
from bench.report.view import view_of
from tests.samples import cards
from tests.samples import predictions as derived
from tests.samples import records as sample
from tests.samples.named import RECORDS

SCHEMA = json.loads((shipped.schemas() / "check-1.1.json").read_text(encoding="utf-8"))


def document(record: Record) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(render(view_of(record)))
    return found


@pytest.mark.parametrize("record", RECORDS.values(), ids=RECORDS.keys())
def test_the_document_obeys_the_published_schema_and_reads_back(record: Record) -> None:
    text = render(view_of(record))
    jsonschema.validate(json.loads(text), SCHEMA)
    assert Check.model_validate_json(text).model_dump_json() + "\n" == text


@pytest.mark.parametrize("record", RECORDS.values(), ids=RECORDS.keys())
def test_it_says_what_the_page_says(record: Record) -> None:
    view = view_of(record)
    check = view.check
    assert (check.verdict, check.why) == (view.verdict, view.why)
    said_by_the_stamp = "Predicted from the architecture: nothing was run."
    assert [words for words in check.caveats if words != said_by_the_stamp] == list(view.caveats)
    assert [row.cell_id for row in check.rows] == [row.cell_id for row in sorted_rows(record)]
    assert [shown.line for shown in view.frontier] == list(check.frontier)


def sorted_rows(record: Record) -> list[Any]:
    """By attention, clip and tokens, whatever the order of the run."""
    order = ["eager", "sdpa", "flash_attention_2"]
    return sorted(
        view_of(record).check.rows,
        key=lambda row: (order.index(row.attention), row.variant, row.clip_seconds, row.max_tokens),
    )


def test_every_name_of_the_contract_is_there() -> None:
    found = document(sample.standard())
    named = {"schema_version", "model", "gpu", "verdict", "why", "vram", "speed", "frontier", "rows"}
    assert {*named, "records", "provenance", "environment"} <= found.keys()
    record = sample.standard()
    assert [(one["id"], one["hash"]) for one in found["records"]] == [(record.record_id, record.content_hash)]


def figures(value: object) -> list[dict[str, Any]]:
    """Every figure, however deep."""
    if isinstance(value, list):
        return [figure for part in value for figure in figures(part)]
    if not isinstance(value, dict):
        return []
    if {"value", "low", "high"} <= value.keys():
        return [value]
    return [figure for part in value.values() for figure in figures(part)]


@pytest.mark.parametrize(("name", "provenance"), [("card", "measured"), ("emulated", "emulated")])
def test_every_figure_says_where_it_is_from_and_what_it_rests_on(name: str, provenance: str) -> None:
    found = figures(document(RECORDS[name]))
    assert len(found) > 100
    assert {figure["provenance"] for figure in found} == {provenance}
    assert {figure["records"] for figure in found} == {1}


def test_no_number_stands_outside_a_figure_but_counts_and_what_was_asked_for() -> None:
    row = document(cards.rtx_4070())["rows"][0]
    bare = {key for key, value in row.items() if isinstance(value, int | float) and value is not True}
    assert bare == {"clip_seconds", "max_tokens", "records", "left_out"}


def test_speed_has_the_three_named_shapes_with_every_attention() -> None:
    speed = document(sample.all_measured_48())["speed"]
    assert list(speed) == ["10/128", "60/512", "300/1024"]
    assert [one["point"]["attention"] for one in speed["10/128"]] == ["sdpa", "flash_attention_2"]
    assert speed["10/128"][0]["decode_tokens_per_s"]["value"] == pytest.approx(47.4, abs=0.1)
    assert document(sample.interrupted())["speed"]["60/512"] == []


def test_rows_say_what_came_of_each_cell() -> None:
    rows = document(sample.standard())["rows"]
    assert len(rows) == 48
    failed = next(row for row in rows if row["status"] == "failed")
    assert failed["reason"] == "cuDNN error; during encode"
    assert (failed["latency_s"], failed["fit"]) == (None, None)
    noisy = next(row for row in rows if row["labels"])
    assert noisy["labels"] == {"noisy": 1}


def test_vram_is_of_the_cell_that_took_the_most_phase_by_phase() -> None:
    largest = document(sample.standard())["vram"]["largest"]
    assert (largest["point"]["clip_seconds"], largest["point"]["max_tokens"]) == (600.0, 256)
    assert largest["resident_peak_bytes"] is None
    peaks = {phase: part["allocated_peak_bytes"]["value"] for phase, part in largest["phases"].items()}
    assert list(peaks) == ["load", "preprocess", "encode", "prefill", "decode"]
    assert max(peaks.values()) == peaks["prefill"] == largest["allocated_peak_bytes"]["value"]


def test_compact_enough_to_be_fetched_by_a_page() -> None:
    text = render(view_of(sample.all_measured_48()))
    assert len(text) < 48 * 2_700  # twelve figures a row, each with its interval and the kind of that


def test_unknown_keys_and_nan_are_refused() -> None:
    found = document(sample.standard())
    with pytest.raises(ValidationError):
        Check.model_validate({**found, "extra": 1})
    found["rows"][0]["latency_s"]["value"] = float("nan")
    with pytest.raises(ValidationError):
        Check.model_validate(found)


def test_the_budget_energy_and_shares_of_a_card() -> None:
    found = document(cards.rtx_4070())
    budget = {name: found["vram"][f"{name}_bytes"]["value"] for name in ("headless", "desktop", "now")}
    assert budget == {
        "headless": cards.HEADLESS,
        "desktop": cards.HEADLESS - cards.DESKTOP,
        "now": cards.HEADLESS - cards.BASELINE,
    }
    assert found["emulation"] is None
    row = found["rows"][0]
    assert row["energy_per_token_j"]["value"] == pytest.approx(3.949, rel=1e-3)
    assert 0.7 < row["bandwidth_fraction"]["value"] < 0.8
    assert row["fits_with_desktop"] is True
    assert found["vram"]["largest"]["needed_bytes"] == found["vram"]["largest"]["process_peak_bytes"]


def test_cells_that_cannot_be_compared_name_each_other() -> None:
    rows = document(cards.rtx_4070())["rows"]
    marked = {row["cell_id"]: row["same_kernels_as"] for row in rows if row["same_kernels_as"]}
    assert len(marked) == 4
    assert all(marked[other] == [cell] for cell, (other,) in marked.items())


def test_an_emulated_card_is_stated_with_its_limit_and_has_no_speed() -> None:
    """It would be the speed of the device that played it; the rows keep it, each with its provenance."""
    found = document(cards.emulated())
    assert found["emulation"]["total_bytes"] == 12_878_610_432
    assert found["vram"]["headless_bytes"]["value"] == cards.HEADLESS
    assert found["gpu"]["slug"] == "h200"
    assert found["speed"] == {"10/128": [], "60/512": [], "300/1024": []}
    assert found["rows"][0]["decode_tokens_per_s"]["provenance"] == "emulated"


def test_what_is_not_known_of_a_card_is_null() -> None:
    found = document(sample.standard())
    assert found["vram"]["headless_bytes"] is None
    assert found["rows"][0]["energy_per_token_j"] is None
    assert found["rows"][0]["fits_with_desktop"] is None
    assert found["frontier"][0]["desktop_is_known"] is False


def test_a_prediction_is_a_range_and_never_a_measured_value() -> None:
    found = document(derived.derived_record())
    predicted = found["vram"]["largest"]["predicted_bytes"]
    assert predicted["value"] is None
    assert predicted["low"] < predicted["high"]
    assert {figure["provenance"] for figure in figures(found)} == {"derived"}
    assert found["rows"][0]["process_peak_bytes"] is None
