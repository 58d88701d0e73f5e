"""Private text in a record: what `scrub` takes out when a record is written, and an editor can put in."""

from collections.abc import Callable, Iterator, Set
from typing import Final, cast

from pydantic import JsonValue

from bench.store.privacy import revealed
from bench.validate.candidate import Candidate, Found

_NUMBERS: Final = frozenset({int, float})
_HIDDEN: Final = "[...]"


def privacy(candidate: Candidate) -> Iterator[Found]:
    """Yield each text and each key of the record that must not be published."""
    yield from private_texts(candidate.document, revealed)


def private_texts(document: JsonValue, kind_of: Callable[[str], str | None]) -> Iterator[Found]:
    """Yield each text in JSON of which `kind_of` says that it is private, with its path, without the text."""
    kinds = {text: kind for text in _texts(document) if (kind := kind_of(text)) is not None}
    if kinds:
        for path, text in _with_paths(document, "", kinds.keys()):
            if text in kinds:
                yield Found("private_text", path, {"kind": kinds[text]})


def _texts(document: JsonValue) -> set[str]:
    """Return every text and key. A list that begins with a number has numbers alone: most of a record.

    The schemas of records and suites have no other lists; a suite with one is an error by itself.
    """
    texts, left = set[str](), [document]
    while left:
        value = left.pop()
        kind = type(value)
        if kind is str:
            texts.add(cast("str", value))
        elif isinstance(value, dict):
            texts.update(value)
            left += value.values()
        elif isinstance(value, list) and value and type(value[0]) not in _NUMBERS:
            left += value
    return texts


def _with_paths(value: JsonValue, path: str, private: Set[str]) -> Iterator[tuple[str, str]]:
    """The same with paths; a key has the path of its object. No path names a private key."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from _with_paths(item, f"{path}[{place}]", private)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield path, key
            name = _HIDDEN if key in private else key
            yield from _with_paths(item, f"{path}.{name}" if path else name, private)
