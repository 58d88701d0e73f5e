"""Records that were edited: changed at a path, hashed again, and judged."""

import json
from collections.abc import Mapping
from copy import deepcopy
from functools import cache
from typing import Any

from pydantic import JsonValue

from bench.records.findings import Finding, Severity
from bench.records.record import Record
from bench.store.canonical import content_hash
from bench.validate.candidate import Candidate
from bench.validate.document import findings
from tests.validate.good import NOW, ordinary

Document = dict[str, Any]


def document_of(record: Record) -> Document:
    """Return the JSON of a record, free to be changed."""
    document: Document = json.loads(record.model_dump_json())
    return document


@cache
def _ordinary() -> Document:
    return document_of(ordinary())


def fresh() -> Document:
    """Return the JSON of an ordinary record."""
    return deepcopy(_ordinary())


def at(document: Document, path: str) -> tuple[Any, str | int]:
    """Return the container of a path such as `cells[3].summary`, and its last key."""
    parts = path.replace("]", "").replace("[", ".").split(".")
    keys = [int(part) if part.isdigit() else part for part in parts]
    place: Any = document
    for key in keys[:-1]:
        place = place[key]
    return place, keys[-1]


def value_at(document: Document, path: str) -> Any:
    """Return the value of a path."""
    place, key = at(document, path)
    return place[key]


def edited(changes: Mapping[str, JsonValue], document: Document | None = None) -> Document:
    """Return a record, by default the ordinary one, with these values at these paths, not hashed again."""
    changed = fresh() if document is None else deepcopy(document)
    for path, value in changes.items():
        place, key = at(changed, path)
        place[key] = value
    return changed


def candidate(document: Document, *, rehash: bool = True) -> Candidate:
    """Return what the rules get of such a file."""
    if rehash:
        document = {**document, "content_hash": content_hash(document)}
    record = Record.model_validate_json(json.dumps(document), strict=True)
    return Candidate(record, document, document["content_hash"] == content_hash(document), NOW)


def judged(document: Document, *, rehash: bool = True) -> tuple[Finding, ...]:
    """Return the findings about a document."""
    return findings(candidate(document, rehash=rehash))


def errors(found: tuple[Finding, ...]) -> list[tuple[str, str]]:
    """Return code and path of each error."""
    return [(each.code, each.path) for each in found if each.severity is Severity.ERROR]


def found(changes: Mapping[str, JsonValue], document: Document | None = None) -> list[tuple[str, str]]:
    """Return code and path of everything that is found in a record with these changes."""
    return [(each.code, each.path) for each in judged(edited(changes, document))]
