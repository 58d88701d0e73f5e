"""How a run is shown while it goes on."""

import io

import pytest
from rich.console import Console

from bench.cli.display import LiveProbes, PlainProbes, Remaining, bounds, display, outcome_of
from bench.hardware.device import the_cpu
from bench.judge.bisection import Search
from bench.judge.limit import Line
from bench.run.protocol import Step
from bench.run.run_spec import RunOptions, make_plan, refuse_to_choose
from tests.samples import cards
from tests.samples import records as sample


def test_outcomes_are_one_line_with_the_memory_figure_under_its_name() -> None:
    record = sample.standard()
    lines = {cell.outcome.status: outcome_of(cell, record.device) for cell in record.cells}
    assert "tok/s, first token " in lines["measured"]
    assert "peak" in lines["measured"]
    assert "GiB" in lines["measured"]
    assert lines["out_of_memory"].startswith("out of memory: ")
    assert lines["unsupported"] == f"unsupported: {sample.NO_FLASH}"
    assert not any("\n" in line for line in lines.values())


def test_energy_and_labels_stand_in_the_line_where_there_are_any() -> None:
    cell = cards.measured()
    assert cell.summary is not None
    labelled = cell.summary.model_copy(update={"labels": ("throttled",)})
    line = outcome_of(cell.model_copy(update={"summary": labelled}), cards.RTX_4070)
    assert line == "47.4 tok/s, first token 89.3 ms, process peak 10.49 GiB, 3.95 J/tok (throttled)"
    assert "J/tok" not in outcome_of(sample.measured(sample.requested()), sample.RTX_4070)


def test_out_of_memory_says_when_and_how_much() -> None:
    line = outcome_of(sample.out_of_memory(sample.requested()), sample.RTX_4070)
    assert "during prefill; 1.21 GiB requested, 0.38 GiB were free; the allocator held 11.27 GiB" in line


def test_time_left_follows_the_pace_of_the_cells_that_ran(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr("bench.cli.display.monotonic", lambda: now)
    remaining = Remaining({"a": 10.0, "b": 20.0, "c": 30.0})
    remaining.begin()
    assert remaining.seconds() == 60
    now = 20.0  # twice as long as estimated
    remaining.end("a", ran=True)
    remaining.begin()
    assert remaining.seconds() == 100
    now = 25.0
    assert remaining.seconds() == 95
    remaining.end("b", ran=False)  # out of memory at once: no pace to learn from
    remaining.begin()
    assert remaining.seconds() == 60


def test_what_is_done_or_cannot_run_takes_no_time(capsys: pytest.CaptureFixture[str]) -> None:
    plan = make_plan(RunOptions(suite="smoke", device=the_cpu().kind), refuse_to_choose)
    sdpa = [cell.cell_id for cell in plan.cells if cell.requested.attention == "sdpa"]
    whole, half = display(plan)._remaining.seconds(), display(plan, sdpa[:2])._remaining.seconds()
    assert 0 < half < whole
    assert display(plan, sdpa)._remaining.seconds() == 0


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
