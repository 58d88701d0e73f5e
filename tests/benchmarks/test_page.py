"""What a page with all its plots costs: `bench report` of a record of 200 cells, and its opening in Chromium.

These are bounds in seconds that the project promises, so they are held against the medians of whole
commands and of whole openings; a machine that does other work besides will miss them.
"""

import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from time import perf_counter

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from tests.run.processes import environment
from tests.samples import large
from tools.picture import chromium

ROUNDS = int(os.environ.get("BENCH_PAIRS", "10"))
ALL = "html,json,md,csv"
# Stands in the page before its scripts: when the last plot was drawn, since the navigation began.
WHEN_DRAWN = """new MutationObserver(() => {
  if (document.documentElement.dataset.plots === 'drawn') window.drawn_ms ??= performance.now();
}).observe(document, {attributes: true, subtree: true})"""


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("record") / "large.json"
    path.write_text(large.two_hundred().model_dump_json())
    return path


@pytest.mark.parametrize("formats", ["html", ALL])
def test_report_of_200_cells(
    benchmark: BenchmarkFixture,
    capsys: pytest.CaptureFixture[str],
    home: Path,
    record: Path,
    tmp_path: Path,
    formats: str,
) -> None:
    took: list[float] = []

    def once() -> None:
        start = perf_counter()
        command = ["-m", "bench", "report", str(record), "--format", formats, "--out", str(tmp_path)]
        subprocess.run([sys.executable, *command], capture_output=True, env=environment(home), check=True)
        took.append(perf_counter() - start)

    benchmark.pedantic(once, rounds=ROUNDS, iterations=1)  # type: ignore[no-untyped-call]
    size = next(tmp_path.rglob("*.html")).stat().st_size
    with capsys.disabled():
        print(f"\nbench report, 200 cells, {formats}: {told(took)}; the page has {size:,} bytes")
    assert median(took) < 3


def test_a_page_of_200_cells_opens(
    benchmark: BenchmarkFixture, capsys: pytest.CaptureFixture[str], home: Path, record: Path, tmp_path: Path
) -> None:
    """From the start of the navigation until every plot is drawn and answers the keyboard."""
    command = ["-m", "bench", "report", str(record), "--format", "html", "--out", str(tmp_path)]
    subprocess.run([sys.executable, *command], capture_output=True, env=environment(home), check=True)
    page_path = next(tmp_path.rglob("*.html"))
    took: list[float] = []
    with chromium() as browser:

        def once() -> None:
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            page.add_init_script(WHEN_DRAWN)
            page.goto(page_path.as_uri())
            page.wait_for_function("window.drawn_ms")
            took.append(page.evaluate("window.drawn_ms") / 1000)
            page.locator("#plot-heat .canvas").focus()
            page.keyboard.press("ArrowRight")
            assert page.locator("#tip").is_visible()
            page.close()

        benchmark.pedantic(once, rounds=ROUNDS, iterations=1)  # type: ignore[no-untyped-call]
    with capsys.disabled():
        print(f"\na page of 200 cells, until all plots are drawn: {told(took)}")
    assert median(took) < 1


def told(took: list[float]) -> str:
    return f"median {median(took):.3g} s, {min(took):.3g} to {max(took):.3g} s"
