"""Pages without records: the one for addresses that do not exist, and the list of data files."""

import base64
import hashlib

from bench.site import places
from bench.site.interface import DataFile
from bench.site.pages import layout


def not_found() -> str:
    """Return the page that hosts show for an address that does not exist, in whatever folder.

    Relative links lead nowhere from there: a script finds the root of the site by the names of its folders.
    """
    script = (layout.TEMPLATES / "not_found.js").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return layout.render("not_found.html.j2", places.NOT_FOUND, {"script": script, "script_hash": digest})


def data(files: tuple[DataFile, ...]) -> str:
    """Return the page of the data files."""
    return layout.render("data.html.j2", places.DATA, {"files": files})
