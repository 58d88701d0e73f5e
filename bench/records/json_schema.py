"""The JSON Schema of a record (Draft 2020-12), for those who check records without `bench`."""

import json

from pydantic import JsonValue

from bench.records.schema import SCHEMA_VERSION, Record

FILE_NAME = f"record-{SCHEMA_VERSION}.json"
_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def record_json_schema() -> dict[str, JsonValue]:
    """What every record that `bench` writes satisfies: all keys are there, and no others."""
    return {"$schema": _DIALECT, **Record.model_json_schema(mode="serialization")}


def render_json_schema() -> str:
    """The schema as it is kept in `schemas/`: sorted, so that only what changed shows in a diff."""
    return json.dumps(record_json_schema(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"
