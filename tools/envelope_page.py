"""Fills in the figures of docs/envelope.md, between its markers.

python -m tools.envelope_page                  the worked example (seconds)
python -m tools.envelope_page --frontier       what moves the frontier, too (minutes)
"""

import argparse
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from bench.engines.native import quiet_transformers
from bench.hardware.budget import headless_budget
from tools.envelope_example import blocks
from tools.what_moves_the_frontier import Frontier, table

PAGE: Final = Path(__file__).parent.parent / "docs" / "envelope.md"
_MARKED: Final = re.compile(r"<!-- (?P<name>\w+) -->(?P<text>.*?)<!-- end -->", re.DOTALL)


def marked(page: str) -> dict[str, str]:
    """Name of each marker, and what stands between it and its end."""
    return {found["name"]: found["text"] for found in _MARKED.finditer(page)}


def filled(page: str, texts: Mapping[str, str]) -> str:
    """The page with these texts at their markers; the other markers keep theirs.

    Raises:
        KeyError: the page has no such marker.
    """
    missing = texts.keys() - marked(page).keys()
    if missing:
        raise KeyError(", ".join(sorted(missing)))

    def text(found: re.Match[str]) -> str:
        name = found["name"]
        return f"<!-- {name} -->{texts.get(name, found['text'])}<!-- end -->"

    return _MARKED.sub(text, page)


def main() -> None:
    """Write the page anew."""
    parser = argparse.ArgumentParser(description="Fills in the figures of docs/envelope.md.")
    parser.add_argument("--frontier", action="store_true", help="also what moves the frontier (minutes)")
    wanted = parser.parse_args()
    quiet_transformers()
    frontier = Frontier()
    texts = blocks(frontier)
    if wanted.frontier:
        texts["frontier"] = "\n" + "\n".join(table(frontier.rows(headless_budget(frontier.card).low))) + "\n"
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8"), texts), encoding="utf-8")


if __name__ == "__main__":
    main()
