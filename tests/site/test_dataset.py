"""What describes the data, in the forms that their readers demand."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from bench.site import dataset, tables
from bench.site.output import Written
from bench.site.tables import CELLS, RECORDS

DAY = datetime(2026, 11, 2, tzinfo=UTC)
FILES = {
    f"{name}.{extension}": Written(1234, "a" * 64)
    for name in ("records", "cells")
    for extension in ("csv", "parquet")
}
_REFERENCE = {"type": "object", "required": ["@id"], "properties": {"@id": {"type": "string"}}}
_SOURCE = {
    "type": "object",
    "required": ["fileObject", "extract"],
    "properties": {
        "fileObject": _REFERENCE,
        "extract": {"required": ["column"], "properties": {"column": {"type": "string"}}},
    },
}
_FIELD = {
    "required": ["@type", "@id", "name", "description", "dataType", "source"],
    "properties": {
        "@type": {"const": "cr:Field"},
        "dataType": {"enum": ["sc:Text", "sc:Integer", "sc:Float", "sc:Boolean", "sc:DateTime"]},
        "source": _SOURCE,
    },
}
CROISSANT = {
    "required": [
        *("@context", "@type", "conformsTo", "name", "description", "license", "url", "creator"),
        *("datePublished", "distribution", "recordSet"),
    ],
    "properties": {
        "@type": {"const": "sc:Dataset"},
        "conformsTo": {"const": "http://mlcommons.org/croissant/1.0"},
        "name": {"pattern": "^[a-z0-9-]+$"},
        "datePublished": {"pattern": r"^\d{4}-\d{2}-\d{2}$"},
        "version": {"pattern": r"^\d+\.\d+\.\d+$"},
        "distribution": {
            "minItems": 1,
            "items": {
                "required": ["@type", "@id", "name", "contentUrl", "encodingFormat", "sha256"],
                "properties": {
                    "@type": {"const": "cr:FileObject"},
                    "sha256": {"pattern": "^[0-9a-f]{64}$"},
                    "contentSize": {"pattern": r"^\d+ B$"},
                },
            },
        },
        "recordSet": {
            "minItems": 1,
            "items": {
                "required": ["@type", "@id", "name", "field", "key"],
                "properties": {
                    "@type": {"const": "cr:RecordSet"},
                    "key": {"items": _REFERENCE, "minItems": 1},
                    "field": {"minItems": 1, "items": _FIELD},
                },
            },
        },
    },
}
"""What the Croissant 1.0 specification says that these objects must have."""


@pytest.fixture
def card() -> Any:
    return json.loads(dataset.croissant(FILES, DAY))


def test_the_data_card_is_croissant(card: Any) -> None:
    Draft202012Validator(CROISSANT).validate(card)


def test_every_column_is_a_field_of_a_file_that_is_there(card: Any) -> None:
    files = {each["@id"] for each in card["distribution"]}
    assert files == set(FILES)
    for record_set, columns in zip(card["recordSet"], (RECORDS, CELLS), strict=True):
        assert [each["name"] for each in record_set["field"]] == [column.name for column in columns]
        assert {each["source"]["fileObject"]["@id"] for each in record_set["field"]} <= files
        ids = {each["@id"] for each in record_set["field"]}
        assert {each["@id"] for each in record_set["key"]} <= ids


def test_the_citation_is_yaml_with_what_cff_demands() -> None:
    found = yaml.safe_load(dataset.citation(DAY))
    assert found["cff-version"] == "1.2.0"
    assert {"message", "title", "authors"} <= found.keys()
    assert (found["type"], found["license"], str(found["date-released"])) == (
        "dataset",
        "CC0-1.0",
        "2026-11-02",
    )


def test_the_readme_explains_every_column() -> None:
    text = dataset.readme(1234, 5678).decode()
    assert "1,234 records, 5,678 cells" in text
    for column in (*RECORDS, *CELLS):
        assert f"| `{column.name}` | {column.type} | {column.meaning} |" in text


def test_the_licence_is_the_whole_legal_code() -> None:
    text = dataset.license_text().decode()
    assert text.startswith("Creative Commons Legal Code\n\nCC0 1.0 Universal")
    assert "Affirmer" in text


def test_types_are_those_of_the_tables() -> None:
    assert {column.type for column in (*RECORDS, *CELLS)} <= {"text", "integer", "number", "boolean", "date"}
    assert tables.table(CELLS, []).num_columns == len(CELLS)
