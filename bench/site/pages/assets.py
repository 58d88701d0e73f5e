"""The files that all pages share: the style, and the scripts of the site's own."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from bench.report import html
from bench.report.plots import page as plots
from bench.site.pages import card, contribute, front, layout


def files() -> Mapping[str, str]:
    """Return the text of each file, by its path below the root."""
    reports = Path(html.__file__).parent / "templates"
    styles = (reports / "report.css", reports / "overview.css", layout.TEMPLATES / "site.css")
    scripts = {
        front.FINDER: layout.TEMPLATES / "finder.js",
        front.OVERVIEW: reports / "overview.js",
        contribute.UPLOAD: layout.TEMPLATES / "upload.js",
    }
    return MappingProxyType(
        {
            layout.STYLE: "".join(path.read_text(encoding="utf-8") for path in styles),
            **{path: source.read_text(encoding="utf-8") for path, source in scripts.items()},
            **dict(zip(card.PLOT_SCRIPTS, plots.scripts(), strict=True)),
        }
    )
