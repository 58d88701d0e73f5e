"""Grids of clip length and new tokens."""

from dataclasses import replace

from bench.records.enums import Profile
from bench.report.grid import ceiling_lines, one_title
from bench.report.view import view_of
from tests.samples import records as sample
from tests.samples.predictions import derived_record


def test_a_grid_is_clips_by_tokens() -> None:
    grid = view_of(sample.standard()).grids[0]
    assert grid.columns == ("128", "256", "512", "1,024")
    assert [line.clip for line in grid.lines] == ["10 s", "30 s", "60 s", "120 s", "300 s", "600 s"]
    words = [cell.row.status.word for cell in grid.lines[-1].cells if cell]
    assert words == ["ran", "ran", "out of memory", "skipped"]


def test_a_grid_with_holes_says_so() -> None:
    cells = [sample.measured(sample.requested(10.0, 128)), sample.measured(sample.requested(60.0, 512))]
    grid = view_of(sample.record(cells)).grids[0]
    assert [[cell is not None for cell in line.cells] for line in grid.lines] == [
        [True, False],
        [False, True],
    ]


def test_an_attention_that_cannot_run_is_one_line() -> None:
    view = view_of(sample.standard())
    assert view.grids[0].uniform is None
    assert view.grids[1].uniform is not None
    assert view.misses[-1].cells == ("all 24 cells of FlashAttention 2",)


def test_cells_that_differ_in_another_setting_stand_in_another_grid() -> None:
    lean = sample.requested().model_copy(update={"profile": Profile.LEAN})
    view = view_of(sample.record([sample.measured(sample.requested()), sample.measured(lean)]))
    assert [grid.title for grid in view.grids] == ["SDPA, profile faithful", "SDPA, profile lean"]


def test_more_memory_is_a_stronger_tint() -> None:
    lines = view_of(sample.all_measured_48()).grids[0].lines
    first, last = lines[0].cells[0], lines[-1].cells[-1]
    assert first is not None
    assert last is not None
    assert (first.heat, last.heat) == (0, 4)


def test_equal_memory_has_no_tint() -> None:
    view = view_of(sample.record([sample.measured(sample.requested())]))
    assert view.grids[0].lines[0].cells[0] is not None
    assert view.grids[0].lines[0].cells[0].heat is None
    assert view.heat_legend == ""


def test_titles_are_joined_and_words_at_both_ends_are_said_once() -> None:
    assert one_title(["SDPA", "FlashAttention 2"]) == "SDPA and FlashAttention 2"
    assert one_title(["SDPA, lean, Linux", "SDPA, lean, Windows"]) == "SDPA, lean, Linux and Windows"
    assert one_title(["SDPA, lean", "FlashAttention 2, lean"]) == "SDPA and FlashAttention 2, lean"
    assert one_title(["SDPA", "SDPA, lean"]) == "SDPA and SDPA, lean"
    assert one_title(["SDPA, lean"]) == "SDPA, lean"


def test_equal_ceilings_are_one_line_with_all_settings() -> None:
    record = derived_record()
    rows = view_of(record).rows
    twice = [*rows, *(replace(row, variant=f"{row.variant}, elsewhere") for row in rows)]
    lines = ceiling_lines(twice)
    assert lines
    assert all("elsewhere" in line.title for line in lines)
    shown = {(line.shape, *line.figures.items()) for line in lines}
    assert len(shown) == len(lines)
