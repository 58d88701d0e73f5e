"""check.json: the document as JSON on one line."""

from bench.report.interface import View


def render(view: View) -> str:
    """The document as text."""
    return view.check.model_dump_json() + "\n"
