"""Bytes are integers: in every schema, and in what is written."""

import json
from collections.abc import Iterator
from typing import Any, Final

import pytest

from bench.check.document import merge
from bench.check.summarise import summarise
from bench.compare.compare import compare
from bench.compare.sides import side_of
from bench.records.base import ByteInterval
from bench.records.cell import Work
from bench.records.check import Check
from bench.records.json_schema import DOCUMENTS, json_schema
from bench.records.record import Record
from bench.store.record_files import render
from tests.samples import comparisons, predictions
from tests.samples import records as sample

PARTS: Final = ("low", "high", "value", "base", "new")
"""Names of sizes within what a name in `_bytes` leads to; the others are kinds, shares and counts."""


def is_of_bytes(name: str) -> bool:
    return name.endswith("_bytes") or name == "decode_bytes_per_token"


def properties(schema: Any) -> Iterator[tuple[str, Any]]:
    """Every property of a schema with what it may be, by its name or the pattern of its name."""
    if isinstance(schema, dict):
        for names in ("properties", "patternProperties"):
            yield from ((name.rstrip("$"), body) for name, body in schema.get(names, {}).items())
        for part in schema.values():
            yield from properties(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from properties(part)


def types(body: dict[str, Any], definitions: dict[str, Any]) -> set[str]:
    """The JSON types of a size, in intervals those of both ends."""
    stated = body.get("type", [])
    found = {stated} if isinstance(stated, str) else {*stated}
    fields = {name: part for name, part in body.get("properties", {}).items() if name in PARTS}
    parts = [*body.get("anyOf", []), *fields.values(), *([body["items"]] if "items" in body else [])]
    if "$ref" in body and not fields:
        parts.append(definitions[body["$ref"].rpartition("/")[2]])
    return (found - {"object", "array"}).union(*(types(part, definitions) for part in parts))


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_schema_takes_integers_only(document: str) -> None:
    schema: dict[str, Any] = json_schema(DOCUMENTS[document])
    sizes = [(name, types(body, schema["$defs"])) for name, body in properties(schema) if is_of_bytes(name)]
    assert [name for name, found in sizes if not {"integer"} <= found <= {"integer", "null"}] == []
    assert len(sizes) > 2 or document.startswith("findings"), "facts are named by their finding"


def fractions(document: Any, name: str = "") -> Iterator[tuple[str, float]]:
    """The sizes of a document that are written with a point."""
    if isinstance(document, float) and is_of_bytes(name):
        yield name, document
    elif isinstance(document, list):
        for one in document:
            yield from fractions(one, name)
    elif isinstance(document, dict):
        for key, value in document.items():
            yield from fractions(value, name if is_of_bytes(name) and key in PARTS else key)


def twins(extra_bytes: int) -> tuple[Record, Record]:
    """Two runs of one cell, whose peaks differ by an odd number: their median is not a whole number."""
    first, second = (
        comparisons.record(comparisons.cell(extra_bytes=extra), number=extra)
        for extra in (extra_bytes, extra_bytes + 1)
    )
    return first, second


def checked(*records: Record) -> Check:
    return merge(summarise(record) for record in records)


def written() -> dict[str, str]:
    """Documents as JSON text."""
    measured, predicted = sample.standard(), predictions.derived_record()
    base, new = (side_of(str(extra), twins(extra)) for extra in (0, 10))
    plans = [side_of("plan", [predicted]), side_of("plan", [predicted])]
    return {
        "measured": render(measured),
        "predicted": render(predicted),
        "check of runs": checked(*twins(0)).model_dump_json(),
        "check of a prediction": checked(predicted).model_dump_json(),
        "comparison of runs": compare(base, [new], []).model_dump_json(),
        "comparison of predictions": compare(plans[0], [plans[1]], []).model_dump_json(),
    }


def test_what_is_written_has_integers_only() -> None:
    assert {
        what: found for what, text in written().items() if (found := [*fractions(json.loads(text))])
    } == {}


def test_a_fraction_would_be_noticed() -> None:
    assert [*fractions({"need_bytes": {"low": 1, "high": 2.0}})] == [("need_bytes", 2.0)]
    assert [*fractions({"metrics": {"peak_bytes": {"base": 1.0, "change": 0.5}}})] == [("peak_bytes", 1.0)]
    assert types({"anyOf": [{"$ref": "#/$defs/A"}]}, {"A": {"properties": {"low": {"type": "number"}}}}) == {
        "number"
    }


def test_whole_floats_of_older_documents_are_read_and_others_are_not() -> None:
    found = ByteInterval.model_validate_json('{"low": 1.0, "high": 2}', strict=True)
    assert found.model_dump_json() == '{"low":1,"high":2}'
    work = {"encode_operations": 0, "prefill_operations": 0}
    assert Work.model_validate_json(json.dumps({**work, "decode_bytes_per_token": 7.0}), strict=True) == Work(
        decode_bytes_per_token=7, encode_operations=0, prefill_operations=0
    )
    for wrong in ("1.5", '"1"', "-1", "-1.0", "true", "1e300"):
        with pytest.raises(ValueError, match="low"):
            ByteInterval.model_validate_json(f'{{"low": {wrong}, "high": 2}}', strict=True)
