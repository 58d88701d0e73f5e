"""Canonical JSON (RFC 8785) and the hashes made from it; base64 in its only spelling."""

import base64
import hashlib
import json
from typing import Any

import rfc8785
from pydantic import JsonValue

from bench.errors import RecordError, UsageError
from bench.text import decode

_EXACT = 2**53
_LEAST = 1e-4
_TOO_DEEP = "this JSON is nested too deeply"


def canonical(document: JsonValue) -> bytes:
    """The RFC 8785 form of a JSON document: sorted keys, one spelling per number, UTF-8.

    Raises:
        RecordError: an integer beyond 2**53 - 1, NaN, infinity or half a surrogate pair, which RFC 8785
            cannot hold, or nesting beyond Python's recursion limit.
    """
    try:
        plain = _plain(document)
        return json.dumps(plain, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()
    except _NotPlainError:
        return _canonical_of_any(document)
    except RecursionError as error:
        raise RecordError(_TOO_DEEP) from error
    except UnicodeError as error:
        raise RecordError(f"this JSON has no canonical form: {error}") from error


class _NotPlainError(Exception):
    """The document has values that RFC 8785 and `json` write differently, or that RFC 8785 refuses."""


def _plain(value: JsonValue) -> JsonValue:
    """The same with whole numbers as integers: `json`, far quicker than rfc8785, then writes what it writes.

    Of other numbers both write the shortest digits, from 1e-4 up to 1e16 without an exponent. ASCII keys are
    sorted alike, and both escape the same characters.

    Raises:
        _NotPlainError: there is anything of which that is not so.
    """
    kind = type(value)
    if isinstance(value, float):
        if value.is_integer() and abs(value) < _EXACT:
            return int(value)
        if not value.is_integer() and _LEAST <= abs(value) < _EXACT:
            return value
    elif kind is str or kind is bool or value is None:
        return value
    elif isinstance(value, list):
        return [_plain(item) for item in value]
    elif isinstance(value, dict):
        if all(key.isascii() for key in value):
            return {key: _plain(item) for key, item in value.items()}
    elif kind is int and isinstance(value, int) and abs(value) < _EXACT:
        return value
    raise _NotPlainError


def _canonical_of_any(document: JsonValue) -> bytes:
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

    Bytes are decoded as those of any text file.

    Raises:
        RecordError: the text is no such JSON.
    """
    try:
        text = text if isinstance(text, str) else decode(text)
        document: JsonValue = json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse)
    except RecursionError as error:
        raise RecordError(_TOO_DEEP) from error
    except UsageError as error:
        raise RecordError(error.message, hint=error.hint) from error
    except ValueError as error:  # JSONDecodeError, and integers with too many digits
        raise RecordError(f"not valid JSON ({error})") from error
    return document


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("an object has a key twice")
    return result


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not a JSON number")


def decode_base64(text: str) -> bytes:
    """Decode standard base64 in its only spelling: two spellings would be two files of one content.

    Raises:
        RecordError: it has other letters, or another spelling.
    """
    try:
        content = base64.b64decode(text, validate=True)
    except ValueError as error:  # letters that base64 does not have, or that are not ASCII
        raise RecordError(str(error)) from error
    if base64.b64encode(content).decode() != text:
        raise RecordError("base64 whose last bits are not zero")
    return content
