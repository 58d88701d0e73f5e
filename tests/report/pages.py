"""What tests read of a page: its markup without the scripts that are the project's own."""

from pathlib import Path
from typing import Final

import bench.report.plots

PLOTS: Final = Path(bench.report.plots.__file__).parent
_DATA: Final = '<script type="application/json" id="plots-data">'


def read_script(name: str) -> str:
    """A script as the project keeps it."""
    return (PLOTS / name).read_text(encoding="utf-8")


def markup(page: str) -> str:
    """The page without its own scripts: a `<script` that is left is a record's."""
    for name in ("vega.js", "plots.js"):
        page = page.replace(f"<script>{read_script(name)}</script>", "")
    return page.replace(_DATA, "", 1)
