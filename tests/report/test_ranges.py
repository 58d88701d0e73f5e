"""Ranges in words."""

import pytest

from bench.records.base import ByteInterval
from bench.records.prediction import Term
from bench.report.ranges import both_units, gib, span
from bench.units import GIB, MIB, NOT_AVAILABLE


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        ("47.0 tok/s", "47.8 tok/s", "47.0\u201347.8 tok/s"),
        ("47.0 tok/s", "47.0 tok/s", "47.0 tok/s"),
        ("2", "3", "2\u20133"),
        ("900 ms", "1.2 s", "900 ms \u2013 1.2 s"),
        ("1 min 2 s", "1 min 9 s", "1 min 2 s \u2013 1 min 9 s"),
    ],
)
def test_a_unit_is_there_once_where_both_ends_have_it(low: str, high: str, words: str) -> None:
    assert span(low, high) == words


def test_memory_comes_in_both_units() -> None:
    size = ByteInterval(low=1 * GIB, high=2 * GIB)
    assert gib(size) == "1.00\u20132.00 GiB"
    assert both_units(size) == "1.07\u20132.15 GB (1.00\u20132.00 GiB)"


def test_both_ends_have_the_unit_of_the_larger() -> None:
    assert gib(Term(low_bytes=0, high_bytes=205 * MIB, evidence="")) == "0.00\u20130.20 GiB"
    assert gib(Term(low_bytes=0, high_bytes=80 * MIB, evidence="")) == "0.0\u201380.0 MiB"


def test_no_range_is_said_to_be_missing() -> None:
    assert both_units(None) == gib(None) == NOT_AVAILABLE
