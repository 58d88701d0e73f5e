"""`check.json` is what scripts and pages depend on."""

import json

import jsonschema
import pytest
from pydantic import ValidationError

from bench.records.schema import Record
from bench.report.check import Check, render
from bench.report.view import build_view
from tests import sample_cards as cards
from tests import sample_derived as derived
from tests import sample_records as sample
from tests.report.derived import odd

RECORDS = {
    "smoke": sample.smoke(),
    "standard": sample.standard(),
    "unsupported": sample.all_unsupported(),
    "interrupted": sample.interrupted(),
    "hostile": sample.hostile(),
    "empty": sample.record([]),
    "card": cards.rtx_4070(),
    "emulated": cards.emulated(),
    "hostile card": cards.hostile(),
    "derived": derived.derived_record(),
    "derived CPU": derived.derived_record(device=sample.CPU, clips=(10.0,)),
    "hostile derived": odd.hostile(),
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


def test_the_budget_energy_and_shares_of_a_card() -> None:
    document = json.loads(render(build_view(cards.rtx_4070())))
    assert document["budget"] == {
        "provenance": "measured",
        "headless_bytes": cards.HEADLESS,
        "desktop_bytes": cards.HEADLESS - cards.DESKTOP,
        "now_bytes": cards.HEADLESS - cards.BASELINE,
    }
    assert document["emulation"] is None
    row = document["rows"][0]
    assert row["energy_per_token_j"] == pytest.approx(3.949, rel=1e-3)
    assert row["energy_per_audio_second_j"] == pytest.approx(row["energy_j"] / 10)
    assert 0.7 < row["bandwidth_fraction"] < 0.8
    assert row["fits_with_desktop"] is True
    assert document["vram"]["needed_bytes"] == document["vram"]["process_peak_bytes"]


def test_cells_that_cannot_be_compared_name_each_other() -> None:
    rows = json.loads(render(build_view(cards.rtx_4070())))["rows"]
    marked = {row["cell_id"]: row["same_kernels_as"] for row in rows if row["same_kernels_as"]}
    assert len(marked) == 4
    assert all(marked[other] == [cell] for cell, (other,) in marked.items())


def test_an_emulated_card_is_stated_with_its_limit() -> None:
    document = json.loads(render(build_view(cards.emulated())))
    assert document["emulation"]["total_bytes"] == 12_878_610_432
    assert document["budget"]["provenance"] == "emulated"
    assert document["budget"]["headless_bytes"] == cards.HEADLESS
    assert document["gpu"]["slug"] == "h200"


def test_an_emulated_card_has_no_speed() -> None:
    """It would be the speed of the device that played it; the rows keep it, each with its provenance."""
    document = json.loads(render(build_view(cards.emulated())))
    assert document["speed"] == {"10/128": None, "60/512": None, "300/1024": None}
    row = document["rows"][0]
    assert row["provenance"] == "emulated"
    assert row["decode_tokens_per_s"] is not None


def test_what_is_not_known_of_a_card_is_null() -> None:
    document = json.loads(render(build_view(sample.standard())))
    assert document["budget"] is None
    assert document["rows"][0]["energy_per_token_j"] is None
    assert document["rows"][0]["fits_with_desktop"] is None
    assert document["frontier"][0]["desktop_is_known"] is False
