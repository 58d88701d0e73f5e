"""Canonical JSON (RFC 8785) and the hashes made from it."""

import hashlib
import json
from typing import Any

import rfc8785
from pydantic import JsonValue

from bench.errors import RecordError

_TOO_DEEP = "this JSON is nested too deeply"


def canonical(document: JsonValue) -> bytes:
    """The RFC 8785 form of a JSON document: sorted keys, one spelling per number, UTF-8.

    Raises:
        RecordError: an integer beyond 2**53 - 1, NaN, infinity or half a surrogate pair, which RFC 8785
            cannot hold, or nesting beyond Python's recursion limit.
    """
    try:
        return rfc8785.dumps(document)
    except RecursionError as error:
        raise RecordError(_TOO_DEEP) from error
    except (rfc8785.CanonicalizationError, UnicodeError) as error:  # the second: keys with half a surrogate
        raise RecordError(f"this JSON has no canonical form: {error}") from error


def sha256_of(document: JsonValue) -> str:
    """Lower-case hex SHA-256 over the canonical form."""
    return hashlib.sha256(canonical(document)).hexdigest()


def content_hash(document: dict[str, JsonValue]) -> str:
    """`sha256:<hex>` over everything in a record but its own `content_hash`."""
    return "sha256:" + sha256_of({key: value for key, value in document.items() if key != "content_hash"})


def parse(text: str | bytes) -> JsonValue:
    """Strict JSON: no NaN, no infinity, no key twice in one object (two readers could see two documents).

    Raises:
        RecordError: the text is no such JSON.
    """
    try:
        document: JsonValue = json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse)
    except RecursionError as error:
        raise RecordError(_TOO_DEEP) from error
    except ValueError as error:  # JSONDecodeError, UnicodeDecodeError, and integers with too many digits
        raise RecordError(f"not valid JSON ({error})") from error
    return document


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return result


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON number")
