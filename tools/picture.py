"""Make the picture of the README: the page of an RTX 4070 in a headless Chromium.

python -m tools.picture                    docs/images/report.png
python -m tools.picture --out FILE.png     another file
"""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from playwright.sync_api import Browser, Page, sync_playwright

from bench.cli.app import run

ROOT: Final = Path(__file__).parent.parent
RECORDS: Final = ROOT / "results" / "MOSS-Audio-4B-Instruct" / "rtx-4070"
PICTURE: Final = ROOT / "docs" / "images" / "report.png"
WIDTH: Final = 1200
HEIGHT: Final = 2080
"""Pixels of the picture: down to the first plots."""

CHROMIUM: Final = Path("/usr/bin/chromium")
FLAGS: Final = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DRAWN: Final = "!document.querySelector('.plot') || document.documentElement.dataset.plots === 'drawn'"


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless browser that asks the network for nothing of its own.

    Raises:
        FileNotFoundError: Chromium is not installed.
    """
    if not CHROMIUM.exists():
        raise FileNotFoundError("Chromium is missing: apt-get install -y chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


def show(page: Page, path: Path) -> None:
    """Open a page of a report, and wait until its plots are drawn."""
    page.goto(path.as_uri(), wait_until="load")
    page.wait_for_function(DRAWN)


def main(arguments: list[str] | None = None) -> None:
    """Write the report of the card into a temporary folder, and take its picture."""
    parser = argparse.ArgumentParser(description="Make the picture of the README.")
    parser.add_argument("--out", type=Path, default=PICTURE, help="the PNG file (default: %(default)s)")
    out = parser.parse_args(arguments).out
    with TemporaryDirectory(prefix="picture-") as folder, chromium() as browser:
        if code := run(["report", str(RECORDS), "--format", "html", "--no-index", "--out", folder]):
            raise SystemExit(code)
        (report,) = Path(folder).rglob("check.html")
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
        show(page, report)
        page.screenshot(path=out)


if __name__ == "__main__":
    main()
