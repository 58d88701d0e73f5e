"""The tables of docs/comparing.md on how often an interval holds, against theory and a small simulation."""

import math

import pytest

from bench.records.metrics import kind_of
from tools import interval_coverage as tool

_DEVIATIONS = 4
"""Chance is allowed so many standard errors."""


def table() -> dict[str, list[str]]:
    text = tool.PAGE.read_text(encoding="utf-8").partition(tool.MARKS[0])[2].partition(tool.MARKS[1])[0]
    rows = ([each.strip() for each in line.strip("|").split("|")] for line in text.splitlines() if line)
    return {name: figures for name, *figures in rows}


def is_near(share: float, expected: float, samples: int) -> bool:
    return abs(share - expected) <= _DEVIATIONS * math.sqrt(expected * (1 - expected) / samples)


@pytest.mark.parametrize("name", tool.DISTRIBUTIONS)
def test_a_range_holds_the_median_as_often_as_theory_says(name: str) -> None:
    for n, figure, stated in zip(tool.SIZES, table()[name], table()["stated as"], strict=True):
        assert stated == ("95 %" if kind_of(n) == "bootstrap_95" else f"range of {n}")
        if kind_of(n) == "range":
            assert is_near(float(figure) / 100, 1 - 2 / 2**n, tool.SAMPLES)


def test_the_figures_are_what_the_code_gives() -> None:
    few = 300
    name = "log-normal (skewed)"
    found = table()
    assert is_near(tool.coverage(name, 3, few), float(found[name][0]) / 100, few)
    for drift, figure in zip(tool.DRIFTS, found["4 processes a side, rank sum"], strict=True):
        assert is_near(tool.coverage_of_processes(4, drift, few), float(figure) / 100, few)
    assert is_near(
        tool.coverage_of_pairs(6, 1.0, few), float(found["6 pairs in alternation, signed rank"][2]) / 100, few
    )
