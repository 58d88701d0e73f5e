import json
from pathlib import Path

import jsonschema
import pytest

from bench import shipped
from tools.derived import ROOT
from tools.generated import files


@pytest.fixture(scope="module")
def generated() -> dict[Path, str]:
    return files()


def test_what_is_generated_is_what_the_code_generates(generated: dict[Path, str]) -> None:
    """If this fails, its source changed: run `make generated`, and see whether old documents still read."""
    changed = [path.name for path, text in generated.items() if path.read_text(encoding="utf-8") != text]
    assert changed == []


def test_the_schemas_are_schemas(generated: dict[Path, str]) -> None:
    schemas = [text for path, text in generated.items() if path.parent == shipped.schemas()]
    assert len(schemas) == 6
    for schema in schemas:
        jsonschema.Draft202012Validator.check_schema(json.loads(schema))


def test_the_table_of_metrics_is_in_the_page_of_the_record(generated: dict[Path, str]) -> None:
    page = generated[ROOT / "docs" / "record.md"]
    (line,) = [line for line in page.splitlines() if line.startswith("| `latency_s` |")]
    assert line.split(" | ")[1:] == [
        "t_last: start to the last token",
        "Latency",
        "seconds",
        "lower",
        "timed |",
    ]
