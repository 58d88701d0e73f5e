"""A comparison as one self-contained page without scripts, with the style sheet of a report."""

from typing import Final

from bench.report.comparison.interface import ComparisonView
from bench.report.comparison.view import LEGEND, evidence
from bench.report.html import environment

MOST_CELLS: Final = 200
"""Bound for each side: of cells with figures, and of cells without."""


def render(view: ComparisonView) -> str:
    """The page as text. Text of records is escaped; a policy in the page forbids scripts."""
    return (
        environment()
        .get_template("comparison.html.j2")
        .render(view=view, evidence=evidence, legend=LEGEND, most=MOST_CELLS)
    )
