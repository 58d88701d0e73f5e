"""The formats of a report. A new one is a module with `render` and a line here."""

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from bench.report.interface import Render

FORMATS: Final[Mapping[str, str]] = {
    "html": "bench.report.html",
    "json": "bench.report.json",
    "md": "bench.report.markdown",
    "csv": "bench.report.csv",
}
"""By the word of `--format`, which is the extension of the file: the module that renders it."""


def renderer(name: str) -> "Render":
    """The function that renders a format; its libraries load only when it is chosen.

    Raises:
        KeyError: no such format.
    """
    render: Render = import_module(FORMATS[name]).render
    return render
