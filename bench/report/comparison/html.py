"""A comparison as one self-contained page without scripts, in the clothes of a report."""

from typing import Final

from bench.report.comparison.interface import ComparisonView
from bench.report.comparison.view import LEGEND
from bench.report.html import environment

MOST_CELLS: Final = 200
"""Of each side, and of each kind: those with figures, and those without."""


def render(view: ComparisonView) -> str:
    """The page as text. All from the records is escaped; a policy in the page forbids scripts as well."""
    return environment().get_template("comparison.html.j2").render(view=view, legend=LEGEND, most=MOST_CELLS)
