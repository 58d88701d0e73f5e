import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench.records.json_schema import json_schema
from bench.records.reasons import OutcomeReason
from bench.records.record import Record
from bench.store.record_files import render, write_record
from bench.suite.cells import cell_id
from tests.samples import records as sample
from tests.wording.unions import members

PAGE = (Path(__file__).parents[2] / "docs" / "record.md").read_text(encoding="utf-8")
DEFINITIONS: dict[str, Any] = json_schema(Record)["$defs"]  # type: ignore[assignment]
TOP: dict[str, Any] = json_schema(Record)["properties"]  # type: ignore[assignment]


def snippet() -> str:
    found = re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    assert len(found[1].strip().splitlines()) <= 10
    return found[1]


def verify(path: Path) -> str:
    command = [sys.executable, "-I", "-c", snippet(), str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_a_stranger_can_check_a_record_with_the_code_on_the_page(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    write_record(sample.standard(), path)
    assert verify(path) == "intact"
    document = json.loads(path.read_text())
    path.write_text(json.dumps(document, indent=4, sort_keys=True))  # another layout, the same document
    assert verify(path) == "intact"
    document["cells"][0]["summary"]["latency_s"]["median"] *= 0.99
    path.write_text(json.dumps(document))
    assert verify(path) == "changed"


@pytest.mark.parametrize("name", TOP)
def test_every_top_level_name_has_a_row(name: str) -> None:
    assert f"\n| `{name}` |" in PAGE


@pytest.mark.parametrize("model", [name for name, body in DEFINITIONS.items() if "properties" in body])
def test_every_name_of_a_record_is_explained(model: str) -> None:
    missing = [name for name in DEFINITIONS[model]["properties"] if f"`{name}`" not in PAGE]
    assert missing in ([], ["status"], ["low", "high"])  # these two stand inside larger code


@pytest.mark.parametrize("name", ["Phase", "Provenance", "WeightMode"])
def test_every_word_of_a_record_is_explained(name: str) -> None:
    assert [word for word in DEFINITIONS[name]["enum"] if f"`{word}`" not in PAGE] == []


def test_every_outcome_has_a_row() -> None:
    statuses = [
        body["properties"]["status"]["const"]
        for body in DEFINITIONS.values()
        if "status" in body.get("properties", {})
    ]
    assert len(statuses) == 7
    assert [status for status in statuses if f"\n| `{status}` |" not in PAGE] == []


def test_every_code_of_a_reason_is_listed() -> None:
    named = [member.model_fields["code"].default for member in members(OutcomeReason)]
    assert [code for code in named if f"`{code}`" not in PAGE] == []


def test_every_metric_of_the_summary_is_defined() -> None:
    metrics = set(DEFINITIONS["Summary"]["properties"]) - {"labels"}
    assert [name for name in metrics if f"\n| `{name}` |" not in PAGE] == []


def test_the_cell_id_is_what_the_page_says() -> None:
    import hashlib

    import rfc8785

    cell = json.loads(render(sample.smoke()))["cells"][0]
    said = hashlib.sha256(rfc8785.dumps(cell["requested"])).hexdigest()[:16]
    assert said == cell_id(sample.smoke().cells[0].requested)
