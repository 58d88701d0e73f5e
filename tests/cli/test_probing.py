"""How a search is shown while it goes on."""

import io

import pytest
from rich.console import Console

from bench.cli.display import LiveProbes, PlainProbes, Remaining, bounds
from bench.judge.bisection import Search
from bench.judge.limit import Line
from bench.run.protocol import Step
from tests.samples import records as sample

LINE = Line(sample.requested(10, 128))
CELL = LINE.cell(150)
BETWEEN = Search(start_s=10, ceiling_s=2790, fits_s=60, misfit_s=240)


@pytest.mark.parametrize(
    ("fits", "misfit", "words"),
    [
        (60, 240, "between 60 s and 240 s"),
        (60, None, "above 60 s"),
        (None, 240, "below 240 s"),
        (None, None, ""),
    ],
)
def test_where_the_limit_must_lie(fits: float | None, misfit: float | None, words: str) -> None:
    assert bounds(Search(10, 2790, fits, misfit)) == words


def test_a_log_has_a_line_for_each_probe(capsys: pytest.CaptureFixture[str]) -> None:
    with PlainProbes(Remaining({}), sample.RTX_4070) as shown:
        shown.probe_begins(CELL, 3, BETWEEN)
        shown.step_begins(Step(name="load"))
        shown.step_begins(Step(name="repeat"))
        shown.cell_ends(sample.out_of_memory(CELL.requested))
        shown.probe_begins(CELL, None, BETWEEN)
        shown.cell_ends(sample.not_measured(CELL.requested, sample.nothing_fits().cells[-1].outcome))
    loading, ended, inferred = capsys.readouterr().err.splitlines()
    head = "probe 3, between 60 s and 240 s: 150 s, 128 tokens, sdpa: "
    assert loading == f"{head}loading the model"
    assert ended.startswith(f"{head}out of memory: ")
    assert inferred.startswith("150 s, 128 tokens, sdpa: skipped: ")


def test_a_terminal_shows_the_probe_and_how_many_may_follow() -> None:
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=100, color_system=None)
    with LiveProbes(Remaining({}), sample.RTX_4070, console) as shown:
        shown.probe_begins(CELL, 3, BETWEEN)
        shown.step_begins(Step(name="repeat", number=1, total=1))
        shown.cell_ends(sample.measured(CELL.requested))
    text = screen.getvalue()
    assert " between 60 s and 240 s: 150 s, 128 tokens, sdpa: repeat" in text
    assert "5 more at most" in text
    assert "✓ probe 3, between 60 s and 240 s: 150 s, 128 tokens, sdpa: " in text
    assert "nearly done" not in text
