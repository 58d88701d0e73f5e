"""The JSON Schemas of our documents (Draft 2020-12), for those who check them without `bench`."""

import json
from typing import Final

from pydantic import JsonValue

from bench.records.base import Frozen
from bench.records.check import CHECK_VERSION, Check
from bench.records.comparison import COMPARISON_VERSION, Comparison
from bench.records.findings import FINDINGS_VERSION, FindingsDocument
from bench.records.record import SCHEMA_VERSION, Record
from bench.records.submission import SUBMISSION_VERSION, Statement
from bench.records.survey import SURVEY_VERSION, Survey

DOCUMENTS: Final[dict[str, type[Frozen]]] = {
    f"record-{SCHEMA_VERSION}.json": Record,
    f"check-{CHECK_VERSION}.json": Check,
    f"compare-{COMPARISON_VERSION}.json": Comparison,
    f"survey-{SURVEY_VERSION}.json": Survey,
    f"findings-{FINDINGS_VERSION}.json": FindingsDocument,
    f"submission-{SUBMISSION_VERSION}.json": Statement,
}
"""The files in `schemas/`, and what each describes."""
_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def json_schema(document: type[Frozen]) -> dict[str, JsonValue]:
    """Return the schema of the documents that `bench` writes: all keys are required, others are refused."""
    return {"$schema": _DIALECT, **document.model_json_schema(mode="serialization")}


def render_json_schema(document: type[Frozen]) -> str:
    """Return the schema as text for `schemas/`: sorted, so that a diff shows only changes."""
    return json.dumps(json_schema(document), indent=1, sort_keys=True, ensure_ascii=False) + "\n"
