"""A comparison as one self-contained page without scripts, in the clothes of a report."""

from bench.report.comparison.interface import ComparisonView
from bench.report.comparison.view import LEGEND
from bench.report.html import environment


def render(view: ComparisonView) -> str:
    """The page as text. All from the records is escaped; a policy in the page forbids scripts as well."""
    return environment().get_template("comparison.html.j2").render(view=view, legend=LEGEND)
