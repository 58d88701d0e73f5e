"""The vectors are those of RFC 8785, sections 3.2.2 to 3.2.4 and appendix B."""

import json
import math
import struct
from typing import cast

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from bench.errors import RecordError
from bench.store.canonical import canonical, content_hash, parse, sha256_of

# Appendix B: IEEE 754 bits in hex, and the JSON number that they must become.
NUMBERS = {
    "0000000000000000": "0",
    "8000000000000000": "0",
    "0000000000000001": "5e-324",
    "8000000000000001": "-5e-324",
    "7fefffffffffffff": "1.7976931348623157e+308",
    "ffefffffffffffff": "-1.7976931348623157e+308",
    "4340000000000000": "9007199254740992",
    "c340000000000000": "-9007199254740992",
    "4430000000000000": "295147905179352830000",
    "44b52d02c7e14af5": "9.999999999999997e+22",
    "44b52d02c7e14af6": "1e+23",
    "44b52d02c7e14af7": "1.0000000000000001e+23",
    "444b1ae4d6e2ef4e": "999999999999999700000",
    "444b1ae4d6e2ef4f": "999999999999999900000",
    "444b1ae4d6e2ef50": "1e+21",
    "3eb0c6f7a0b5ed8c": "9.999999999999997e-7",
    "3eb0c6f7a0b5ed8d": "0.000001",
    "41b3de4355555553": "333333333.3333332",
    "41b3de4355555554": "333333333.33333325",
    "41b3de4355555555": "333333333.3333333",
    "41b3de4355555556": "333333333.3333334",
    "41b3de4355555557": "333333333.33333343",
    "becbf647612f3696": "-0.0000033333333333333333",
    "43143ff3c1cb0959": "1424953923781206.2",
}


@pytest.mark.parametrize(("bits", "text"), NUMBERS.items())
def test_numbers_of_the_rfc(bits: str, text: str) -> None:
    number = struct.unpack(">d", bytes.fromhex(bits))[0]
    assert canonical(number) == text.encode()


def test_the_whole_example_of_the_rfc() -> None:
    text = r"""{
      "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
      "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
      "literals": [null, true, false]
    }"""
    expected = (
        '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
        '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    )
    assert canonical(parse(text)).decode() == expected


def test_keys_are_sorted_as_the_rfc_sorts_them() -> None:
    """By UTF-16 code units: the emoji comes before the Hebrew letter, unlike in code point order."""
    text = r"""{
      "\u20ac": "Euro Sign", "\r": "Carriage Return", "\ufb33": "Hebrew Letter Dalet With Dagesh",
      "1": "One", "\ud83d\ude00": "Emoji: Grinning Face", "\u0080": "Control",
      "\u00f6": "Latin Small Letter O With Diaeresis"
    }"""
    document = cast("dict[str, str]", json.loads(canonical(parse(text))))
    assert [value.split(":")[0].split()[0] for value in document.values()] == [
        "Carriage",
        "One",
        "Control",
        "Latin",
        "Euro",
        "Emoji",
        "Hebrew",
    ]


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1, "a": 2}',
        '{"outer": {"b": 1, "b": 1}}',
        '{"a": 1, "\\u0061": 2}',
        "[NaN]",
        "[Infinity]",
        "[-Infinity]",
        "[" * 200_000 + "]" * 200_000,
        '{"a":' * 200_000,
        "9" * 5000,
        "{'a': 1}",
        "",
        b"\xff\xfe\xfa",
    ],
)
def test_what_two_readers_could_read_differently_is_refused(text: str | bytes) -> None:
    with pytest.raises(RecordError) as caught:
        parse(text)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    "document",
    [2**53, -(2**53), math.nan, math.inf, "\ud800", {"\ud800": 1}, [[{"deep": 2**64}]]],
    ids=repr,
)
def test_what_has_no_canonical_form_is_refused(document: JsonValue) -> None:
    with pytest.raises(RecordError, match="no canonical form"):
        canonical(document)


def test_numbers_too_large_for_a_double_are_refused() -> None:
    with pytest.raises(RecordError, match="no canonical form"):
        canonical(parse("[1e400]"))


def test_a_document_that_is_nested_too_deeply_is_refused() -> None:
    document: JsonValue = []
    for _ in range(10_000):
        document = [document]
    with pytest.raises(RecordError, match="nested too deeply"):
        canonical(document)


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(-(2.0**53) + 1, 2.0**53 - 1)  # beyond, Python reads the RFC's spelling as an integer
    | st.text(st.characters(exclude_categories=["Cs"]))
)
KEYS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
DOCUMENTS: st.SearchStrategy[JsonValue] = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=20,
)


@given(DOCUMENTS)
def test_reading_the_canonical_form_and_writing_it_again_changes_nothing(document: JsonValue) -> None:
    once = canonical(document)
    assert canonical(parse(once)) == once


@given(DOCUMENTS)
def test_it_is_what_the_reference_implementation_writes(document: JsonValue) -> None:
    """The quick way writes plain documents; whatever is odd goes the slow one."""
    assert canonical(document) == rfc8785.dumps(document)


@given(st.floats(allow_nan=False, allow_infinity=False, width=64))
def test_every_number_is_written_as_the_reference_implementation_does(number: float) -> None:
    assert canonical([number]) == rfc8785.dumps([number])


def reordered(document: JsonValue) -> JsonValue:
    if isinstance(document, dict):
        return {key: reordered(document[key]) for key in reversed(document)}
    return [reordered(item) for item in document] if isinstance(document, list) else document


@given(DOCUMENTS)
def test_the_hash_does_not_depend_on_key_order(document: JsonValue) -> None:
    assert sha256_of(reordered(document)) == sha256_of(document)


@given(st.integers(-(2**53) + 1, 2**53 - 1))
def test_whole_numbers_have_one_spelling(number: int) -> None:
    assert sha256_of([number]) == sha256_of([float(number)])


def test_true_is_not_one() -> None:
    assert sha256_of([True]) != sha256_of([1])


@given(st.dictionaries(KEYS, SCALARS, max_size=4), st.text("0123456789abcdef", min_size=1))
def test_the_content_hash_covers_all_but_itself(document: dict[str, JsonValue], stated: str) -> None:
    document = {key: value for key, value in document.items() if key != "content_hash"}
    assert content_hash({**document, "content_hash": stated}) == content_hash(document)
    assert content_hash({**document, "one more key!": 1}) != content_hash(document)
