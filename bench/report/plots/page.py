"""Scripts, data and policy with which a page draws its plots offline.

The policy allows exactly these scripts, by their hash, and no other: nothing from a record can run, and
nothing can be loaded or sent.
"""

import base64
import hashlib
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from bench.report.plots.interface import Plots
from bench.report.plots.theme import config

_FOLDER: Final = Path(__file__).parent
_SCRIPTS: Final = ("vega.js", "plots.js")
_POLICY: Final = "default-src 'none'; {scripts}style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
# Inside a script element only these can end it or begin a comment; JSON has the same characters as escapes.
_ESCAPES: Final = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


@dataclass(frozen=True, slots=True)
class Inline:
    """The text of each script, the data, and the Content-Security-Policy that goes with them."""

    scripts: tuple[str, ...]
    data: str
    policy: str


def inline(plots: Plots) -> Inline:
    """The scripts and data of the plots; none if there is nothing to draw."""
    if not plots.figures:
        return Inline((), "", _POLICY.format(scripts=""))
    allowed = " ".join(f"'sha256-{_hash(script)}'" for script in scripts())
    return Inline(scripts(), _data(plots), _POLICY.format(scripts=f"script-src {allowed}; "))


def scripts() -> tuple[str, ...]:
    """The scripts that draw plots from the data in a page, in the order to run them."""
    return tuple(map(_text, _SCRIPTS))


def _data(plots: Plots) -> str:
    figures = [
        {"name": plot.name, "uses": [name for name in plots.data if f'"{name}"' in json.dumps(plot.spec)]}
        | {"spec": plot.spec}
        for plot in plots.figures
    ]
    return as_json({"config": config(), "data": plots.data, "plots": figures})


def as_json(value: object) -> str:
    """JSON that cannot end the HTML element around it, whatever a record contains.

    Raises:
        ValueError: NaN or an infinity, which no dataset has.
    """
    text = json.dumps(value, allow_nan=False, separators=(",", ":"), ensure_ascii=False)
    for character, escape in _ESCAPES.items():
        text = text.replace(character, escape)
    return text


@cache
def _text(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")


@cache
def _hash(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
