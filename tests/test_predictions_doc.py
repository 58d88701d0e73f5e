"""docs/predictions.md: its JSON follows the schema, and its figures are those that the code predicts."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from bench import shipped
from bench.arithmetic.architecture import kv_cache_bytes
from bench.arithmetic.shapes import shapes_of
from bench.cli.app import run
from bench.records.enums import Profile
from tests.run.small_model import configuration
from tools import hf_mem
from tools.derived import MODEL, ROOT

TEXT = (ROOT / "docs" / "predictions.md").read_text(encoding="utf-8")
SURVEY = json.loads((shipped.schemas() / "survey-1.0.json").read_text(encoding="utf-8"))
RECORD = json.loads((shipped.schemas() / "record-1.1.json").read_text(encoding="utf-8"))


def example() -> dict[str, Any]:
    (shown,) = re.findall(r"^```json\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    document: dict[str, Any] = json.loads(shown)
    return document


def printed(command: str, model: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """What a documented command prints, of a small model."""
    short = ["--model", str(model), "--clip-seconds", "4", "--max-tokens", "8", "--attention", "sdpa"]
    assert run([*shlex.split(command)[1:], *short]) == 0
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return document


def test_the_commands_print_what_the_page_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one, several, survey = re.findall(r"^bench plan .+ --format json$", TEXT, re.MULTILINE)
    model = configuration(tmp_path)
    jsonschema.validate(printed(one, model, capsys), RECORD)
    records = printed(several, model, capsys)
    assert set(records) == {"records"}
    assert [record["device"]["slug"] for record in records["records"]] == ["rtx-4070", "rtx-4090"]
    for record in records["records"]:
        jsonschema.validate(record, RECORD)
    found = printed(survey, model, capsys)
    jsonschema.validate(found, SURVEY)
    assert set(found) == set(example())
    assert {frozenset(card) for card in found["cards"]} == {frozenset(example()["cards"][0])}


def test_the_example_is_a_survey_with_the_figures_of_the_table() -> None:
    jsonschema.validate(example(), SURVEY)
    (card,) = example()["cards"]
    (cell,) = (one for one in hf_mem.read().cells if (one.clip_seconds, one.max_tokens) == (60.0, 512))
    need = cell.predicted[Profile.FAITHFUL].device_peak_bytes
    assert need is not None
    assert card["device_peak_bytes"] == need.model_dump()


@pytest.mark.parametrize(
    "change",
    [{"schema_version": "1.1"}, {"cards": None}, {"provenance": "measured"}, {"smallest_headless": 4070}],
    ids=str,
)
def test_another_document_is_no_survey(change: dict[str, object]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**example(), **change}, SURVEY)


def test_hf_mem_counts_the_bytes_that_we_count() -> None:
    found = hf_mem.read()
    config = json.loads(shipped.data("models", f"{MODEL}.json").read_text(encoding="utf-8"))
    text = shapes_of(config).language_config
    assert (found.kv_cache_bytes, found.default_positions) == (None, 40960)
    for cell in found.cells:
        assert cell.hf_mem_kv_cache_bytes == kv_cache_bytes(text, cell.positions, 2)
        on_host = {Profile.FAITHFUL: 0, Profile.LEAN: text.vocab_size * text.hidden_size * 2}
        for profile, envelope in cell.predicted.items():
            assert envelope.weights_bytes == found.weights_bytes - on_host[profile]
            assert envelope.kv_cache_bytes == kv_cache_bytes(text, cell.positions - 1, 2)


@pytest.mark.full_size
@pytest.mark.parametrize("profile", hf_mem.PROFILES)
def test_the_page_has_what_the_code_predicts(profile: Profile) -> None:
    """If this fails, the prediction changed: `python -m tools.hf_mem`, then `make generated`."""
    found = hf_mem.predicted(profile)
    for cell in hf_mem.read().cells:
        assert cell.predicted[profile] == found[cell.clip_seconds, cell.max_tokens]
