"""Every name of a check document is explained."""

from pathlib import Path
from typing import Any

import pytest

from bench.records.check import Check
from bench.records.json_schema import json_schema
from bench.records.verdicts import VerdictReason
from tests.wording.unions import members

PAGE = (Path(__file__).parents[2] / "docs" / "check.md").read_text(encoding="utf-8")
SCHEMA: dict[str, Any] = json_schema(Check)
DEFINITIONS: dict[str, Any] = SCHEMA["$defs"]


@pytest.mark.parametrize("name", SCHEMA["properties"])
def test_every_top_level_name_has_a_row(name: str) -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| `")]
    assert any(f"`{name}`" in row.split(" | ")[0] for row in rows)


@pytest.mark.parametrize(
    "model",
    [name for name, body in DEFINITIONS.items() if "properties" in body and name.startswith("Check")],
)
def test_every_name_is_explained(model: str) -> None:
    assert [name for name in DEFINITIONS[model]["properties"] if f"`{name}`" not in PAGE] == []


@pytest.mark.parametrize("name", ["Provenance", "Fit"])
def test_every_word_is_explained(name: str) -> None:
    assert [word for word in DEFINITIONS[name]["enum"] if f"`{word}`" not in PAGE] == []


@pytest.mark.parametrize("shape", ["10/128", "60/512", "300/1024"])
def test_every_named_shape_is_explained(shape: str) -> None:
    assert f"`{shape}`" in PAGE


def test_every_code_of_a_verdict_is_listed() -> None:
    named = [member.model_fields["code"].default for member in members(VerdictReason)]
    assert [code for code in named if f"`{code}`" not in PAGE] == []
