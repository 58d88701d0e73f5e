"""`check.json` is what scripts and pages depend on."""

import json

import jsonschema
import pytest
from pydantic import ValidationError

from bench.records.schema import Record
from bench.report.check import Check, render
from bench.report.view import build_view
from tests import sample_records as sample

RECORDS = {
    "smoke": sample.smoke(),
    "standard": sample.standard(),
    "unsupported": sample.all_unsupported(),
    "interrupted": sample.interrupted(),
    "hostile": sample.hostile(),
    "empty": sample.record([]),
}


@pytest.mark.parametrize("record", RECORDS.values(), ids=RECORDS.keys())
def test_the_document_obeys_its_schema_and_reads_back(record: Record) -> None:
    text = render(build_view(record))
    jsonschema.validate(json.loads(text), Check.model_json_schema())
    assert render_again(text) == text


def render_again(text: str) -> str:
    return Check.model_validate_json(text).model_dump_json() + "\n"


def test_every_name_of_the_contract_is_there() -> None:
    document = json.loads(render(build_view(sample.standard())))
    named = {
        "schema_version",
        "model",
        "gpu",
        "verdict",
        "why",
        "vram",
        "speed",
        "frontier",
        "rows",
        "records",
    }
    assert named <= document.keys()
    record = sample.standard()
    assert document["records"] == [{"id": record.record_id, "hash": record.content_hash}]


def test_provenance_and_weight_mode_are_on_every_figure() -> None:
    document = json.loads(render(build_view(sample.standard())))
    speeds = [speed for speed in document["speed"].values() if speed]
    for figure in [document["vram"], *speeds, *document["frontier"], *document["rows"]]:
        assert (figure["provenance"], figure["weight_mode"]) == ("measured", "hub")


def test_speed_has_the_three_named_shapes_and_null_for_what_did_not_run() -> None:
    speed = json.loads(render(build_view(sample.interrupted())))["speed"]
    assert list(speed) == ["10/128", "60/512", "300/1024"]
    assert speed["10/128"]["decode_tokens_per_s"] == pytest.approx(47.4, abs=0.1)
    assert speed["60/512"] is None


def test_rows_say_what_came_of_each_cell() -> None:
    rows = json.loads(render(build_view(sample.standard())))["rows"]
    assert len(rows) == 48
    failed = next(row for row in rows if row["status"] == "failed")
    assert failed["reason"] == "cuDNN error; during encode"
    assert failed["latency_s"] is None


def test_vram_is_of_the_cell_that_took_the_most() -> None:
    vram = json.loads(render(build_view(sample.standard())))["vram"]
    assert (vram["clip_seconds"], vram["max_tokens"]) == (600.0, 256)
    assert vram["resident_peak_bytes"] is None


def test_compact_enough_to_be_fetched_by_a_page() -> None:
    assert len(render(build_view(sample.all_measured_48()))) < 40_000


def test_unknown_keys_and_nan_are_refused() -> None:
    document = json.loads(render(build_view(sample.standard())))
    with pytest.raises(ValidationError):
        Check.model_validate({**document, "extra": 1})
    document["rows"][0]["latency_s"] = float("nan")
    with pytest.raises(ValidationError):
        Check.model_validate(document)
