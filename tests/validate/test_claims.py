"""Claims that contradict each other: provenance, model, card, and the settings in force."""

import pytest
from pydantic import JsonValue

from bench.records.enums import WeightMode
from bench.suite.cells import cell_id
from bench.validate.claims import claims
from bench.weights.checkpoint import shipped_configuration
from tests.validate import edits
from tests.validate.edits import Document, document_of, edited, errors, fresh, judged, value_at
from tests.validate.good import good
from tests.validate.recipes import EIGHT, FOUR, UNLISTED, Recipe

SHORT = Recipe(card=None, clips=(10.0,), tokens=(8,))
BANDWIDTH = "memory_bandwidth_bytes_per_s"


def about(document: Document) -> list[tuple[str, str]]:
    """Return what these rules alone find."""
    return [(found.code, found.path) for found in claims(edits.candidate(document))]


# --- provenance -------------------------------------------------------------------------------------------


def test_a_tiny_run_that_is_called_a_measurement() -> None:
    tiny = document_of(good(Recipe(card=None, weights=WeightMode.TINY, suite="smoke", tokens=(16,))))
    found = judged(edited({"provenance": "measured"}, tiny))
    assert errors(found) == [("provenance_contradicted", "$.provenance")]
    assert "tiny model" in found[0].sentence


@pytest.mark.parametrize(
    ("provenance", "reason"),
    [
        ("smoke", "a smoke record is of the tiny model"),
        ("emulated", "it has an emulated card"),
        ("derived", "cells ran"),
    ],
)
def test_a_measurement_under_another_provenance(provenance: str, reason: str) -> None:
    found = judged(edited({"provenance": provenance}))
    assert {code for code, _ in errors(found)} == {"provenance_contradicted"}
    assert reason in {each.facts["reason"] for each in found}


def test_an_emulated_run_that_is_called_a_measurement() -> None:
    emulated = document_of(good(Recipe(card="rtx-4090", emulated_bytes=12 * 2**30)))
    assert errors(judged(edited({"provenance": "measured"}, emulated))) == [
        ("provenance_contradicted", "$.provenance")
    ]


# --- the model --------------------------------------------------------------------------------------------


def test_a_tiny_run_that_is_relabelled_as_the_4b() -> None:
    tiny = document_of(good(Recipe(card=None, weights=WeightMode.TINY, suite="smoke", tokens=(16,))))
    changes: dict[str, JsonValue] = {
        "provenance": "measured",
        "model.name": FOUR,
        "model.weight_mode": "random",
        "suite.definition.model": FOUR,
    }
    relabelled = edited(changes, tiny)
    for cell in relabelled["cells"]:
        cell["requested"] |= {"model": FOUR, "weight_mode": "random"}
    for cell, read in zip(relabelled["cells"], edits.candidate(relabelled).record.cells, strict=True):
        cell["cell_id"] = cell_id(read.requested)
    codes = {code for code, _ in errors(judged(relabelled))}
    assert {"model_contradicted", "memory_below_weights", "suite_hash_mismatch"} <= codes


def test_the_4b_that_is_called_the_8b() -> None:
    renamed = edited({"model.name": EIGHT})
    assert ("model_contradicted", "cells[0].requested.model") in about(renamed)
    assert ("model_contradicted", "model.parameters") in about(renamed)


@pytest.mark.parametrize(
    ("name", "value"),
    [("parameters", 1_700_000), ("weights_bytes", 2_611_410_368), ("weights_bytes", 9_962)],
)
def test_a_figure_of_other_weights(name: str, value: int) -> None:
    assert edits.found({f"model.{name}": value}) == [("model_contradicted", f"$.model.{name}")]


def test_files_that_are_too_small() -> None:
    assert edits.found({"model.files[0].size_bytes": 9_962}) == [("model_contradicted", "$.model.files")]


def test_weights_in_float32_come_from_smaller_files() -> None:
    wide = document_of(good(Recipe(card="h200", own=True, dtype="float32", clips=(10.0,), tokens=(8,))))
    assert value_at(wide, "model.weights_bytes") > 2 * value_at(wide, "model.files[0].size_bytes")
    assert about(wide) == []


def test_a_model_of_ones_own_has_no_expected_size() -> None:
    local = document_of(good(Recipe(weights=WeightMode.LOCAL, clips=(10.0,), tokens=(8,))))
    assert about(edited({"model.parameters": 12}, local)) == []


@pytest.mark.parametrize("weights", [WeightMode.LOCAL, WeightMode.RANDOM])
def test_weights_that_are_not_of_the_repository_that_is_named(weights: WeightMode) -> None:
    other = document_of(good(Recipe(weights=weights, clips=(10.0,), tokens=(8,))))
    (only,) = judged(edited({"model.repo": f"OpenMOSS-Team/{FOUR}"}, other))
    assert (only.code, only.path) == ("model_contradicted", "$.model.repo")
    assert only.sentence == f"The record states OpenMOSS-Team/{FOUR}, this model has {weights} weights."


def test_published_weights_of_no_repository() -> None:
    assert edits.found({"model.repo": None}) == [("model_contradicted", "$.model.repo")]


@pytest.mark.parametrize("weights", [WeightMode.HUB, WeightMode.RANDOM])
@pytest.mark.parametrize("configuration", ["ab" * 32, shipped_configuration(EIGHT)])
def test_another_configuration_than_that_of_the_released_model(
    weights: WeightMode, configuration: str
) -> None:
    record = document_of(good(Recipe(weights=weights, clips=(10.0,), tokens=(8,))))
    (only,) = judged(edited({"model.config_sha256": configuration}, record))
    assert (only.code, only.path) == ("configuration_not_shipped", "$.model.config_sha256")
    assert only.severity.value == "suspicious"
    assert only.sentence == f"The configuration is not the one that bench ships for {FOUR}."
    assert only.facts["stated"] == configuration


@pytest.mark.parametrize("name", [FOUR, "my-finetune"])
def test_weights_of_ones_own_have_any_configuration(name: str) -> None:
    local = document_of(good(Recipe(weights=WeightMode.LOCAL, clips=(10.0,), tokens=(8,))))
    changed = edited({"model.name": name, "model.config_sha256": "ab" * 32}, local)
    assert "configuration_not_shipped" not in {each.code for each in judged(changed)}


# --- the card ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"slug": "rtx-4070"}, "slug"),
        ({"name": "NVIDIA GeForce RTX 3090"}, "slug"),
        ({"name": "NVIDIA GeForce RTX 4070"}, "name"),
        ({"name": "My Card 1"}, "name"),
        ({"memory_total_bytes": None}, "memory_total_bytes"),
        ({"name": "My Card 1", "memory_total_bytes": None}, "memory_total_bytes"),
        ({"name": "NVIDIA H100 PCIe", "memory_total_bytes": None}, "slug"),
        ({"kind": "cpu"}, "kind"),
        ({"compute_capability": "9.0"}, "compute_capability"),
        ({BANDWIDTH: 3.35e12}, BANDWIDTH),
        ({"bf16_operations_per_s": 1e15}, "bf16_operations_per_s"),
    ],
)
def test_a_card_that_was_swapped(changes: dict[str, JsonValue], path: str) -> None:
    swapped = edited({f"device.{name}": value for name, value in changes.items()})
    assert ("card_contradicted", f"device.{path}") in about(swapped)


def test_a_card_that_is_called_a_cpu_everywhere() -> None:
    changes: dict[str, JsonValue] = {f"cells[{nth}].effective.device": "cpu" for nth in range(4)}
    found = errors(judged(edited({**changes, "device.kind": "cpu"})))
    assert ("card_contradicted", "$.device.kind") in found


def test_a_part_that_shares_the_hosts_memory_has_no_size() -> None:
    changes: dict[str, JsonValue] = {
        "device.slug": "gb10",
        "device.name": "NVIDIA GB10",
        "device.memory_total_bytes": None,
    }
    assert ("card_contradicted", "device.memory_total_bytes") not in about(edited(changes))
    named = {**changes, "device.name": "My Card 1"}
    assert ("card_contradicted", "device.name") in about(edited(named))


@pytest.mark.parametrize("name", [BANDWIDTH, "bf16_operations_per_s"])
def test_a_catalog_that_was_corrected_since(name: str) -> None:
    older = edited({f"device.{name}": 1e12, "environment.bench_version": "0.0.1"})
    assert about(older) == [("card_revised", f"device.{name}")]


def test_a_card_under_an_invented_slug() -> None:
    found = about(edited({"device.slug": "rtx-9999"}))
    assert found == [("card_not_catalogued", "device.slug"), ("card_contradicted", "device.slug")]


def test_an_unknown_card_is_welcome_under_its_own_name() -> None:
    (only,) = judged(document_of(good(Recipe(card=UNLISTED, clips=(10.0,), tokens=(16,)))))
    assert (only.code, only.severity.value) == ("card_not_catalogued", "note")
    assert only.sentence == f"{UNLISTED} is not in the catalog yet."


# --- settings in force ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("device", "cpu"),
        ("dtype", "float16"),
        ("dtype", "torch.float32"),
        ("clip_samples", 16_000),
        ("audio_tokens", 12),
        ("prompt_tokens", 12),
        ("logits_positions", "last"),
        ("mlp_positions_at_once", 512),
        ("sampling", {"do_sample": False, "temperature": None, "top_p": None, "top_k": None}),
    ],
)
def test_settings_that_were_not_asked_for(name: str, value: JsonValue) -> None:
    where = f"cells[1].effective.{name}"
    assert about(edited({where: value})) == [("settings_contradicted", where)]


def test_what_an_engine_does_not_report_is_no_contradiction() -> None:
    unknown = ("dtype", "audio_tokens", "prompt_tokens", "logits_positions")
    assert about(edited({f"cells[1].effective.{name}": None for name in unknown})) == []
    assert about(edited({"cells[1].effective.dtype": "torch.bfloat16"})) == []


def test_a_clip_beyond_all_lengths_is_no_crash() -> None:
    found = judged(edited({"cells[0].requested.clip_seconds": 1e308}))
    assert ("cell_foreign", "$.cells[0].requested") in errors(found)


def test_an_ordinary_record_contradicts_nothing() -> None:
    assert about(fresh()) == []
    assert about(document_of(good(SHORT))) == []
