import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings

from bench import shipped
from bench.records.json_schema import DOCUMENTS, json_schema, render_json_schema
from bench.records.record import Record
from bench.store.record_files import render
from tests.records.strategies import RECORDS
from tests.samples import records as sample

PUBLISHED = sorted((Path(__file__).parents[2] / "results").rglob("*.json"))
VALIDATOR = jsonschema.Draft202012Validator(json_schema(Record))


def smoke() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(render(sample.smoke()))
    return document


def test_exporting_twice_gives_the_same_bytes() -> None:
    code = (
        "from bench.records.json_schema import DOCUMENTS, render_json_schema; import sys;"
        "sys.stdout.write(''.join(map(render_json_schema, DOCUMENTS.values())))"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout == "".join(map(render_json_schema, DOCUMENTS.values()))


def test_it_explains_its_names() -> None:
    definitions: Any = json_schema(Record)["$defs"]
    assert "(n - 1) / (t_last - t_first)" in json.dumps(definitions["Repeat"])
    assert {"Measured", "OutOfMemory", "Skipped"} <= set(definitions)


@pytest.mark.parametrize(
    "make",
    [
        sample.smoke,
        sample.standard,
        sample.interrupted,
        sample.nothing_fits,
        sample.all_unsupported,
        sample.hostile,
    ],
    ids=lambda make: make.__name__,
)
def test_records_satisfy_it(make: Callable[[], Record]) -> None:
    VALIDATOR.validate(json.loads(render(make())))


@settings(max_examples=30, suppress_health_check=list(HealthCheck))
@given(RECORDS)
def test_any_record_satisfies_it(record: Record) -> None:
    VALIDATOR.validate(json.loads(render(record)))


@pytest.mark.parametrize("path", PUBLISHED, ids=lambda path: path.stem)
def test_published_records_satisfy_the_schema_of_their_version(path: Path) -> None:
    document = json.loads(path.read_text(encoding="utf-8"))
    schema = shipped.schemas() / f"record-{document['schema_version']}.json"
    jsonschema.validate(document, json.loads(schema.read_text(encoding="utf-8")))


def changed(*path: str | int, value: object) -> dict[str, Any]:
    document = smoke()
    target: Any = document
    for step in path[:-1]:
        target = target[step]
    target[path[-1]] = value
    return document


@pytest.mark.parametrize(
    "broken",
    [
        changed("schema_version", value="2.0"),
        changed("schema_version", value="1.0"),
        changed("record_id", value="not hex"),
        changed("content_hash", value="md5:0"),
        changed("provenance", value="guessed"),
        changed("machine_key", value=5),
        changed("host_name", value="gpubox"),
        changed("cells", 0, "outcome", value={"status": "fine"}),
        changed("cells", 0, "outcome", value={"status": "failed"}),
        changed("cells", 0, "requested", "attention", value="magic"),
        changed("cells", 0, "memory", "weights_bytes", value=-1),
        changed("cells", 0, "repeats", 0, "latency_s", value="1.0"),
        changed("cells", 0, "memory", "phases", value={"lunch": {}}),
        {key: value for key, value in smoke().items() if key != "device"},
    ],
)
def test_broken_records_do_not(broken: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate(broken)
