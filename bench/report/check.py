"""`check.json`: the compact document that pages and scripts read. `docs/check.md` explains it."""

from bench.report.interface import View


def render(view: View) -> str:
    """The document as JSON on one line."""
    return view.check.model_dump_json() + "\n"
