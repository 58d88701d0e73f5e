"""A record with more cells than a person can read becomes a page that opens, and says what it left out."""

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from bench.records.enums import Attention
from bench.records.record import Record
from bench.report.html import render
from bench.report.truncate import MAX_CELLS, limited, spread
from bench.report.view import view_of
from tests.samples import cards
from tests.samples import records as sample


def many(clips: int, tokens: int, attention: Attention = Attention.SDPA) -> Record:
    """A grid of measured cells, unsealed: a seal of so many takes longer than the test."""
    cell = cards.measured(attention=attention)
    cells = [
        cell.model_copy(
            update={
                "cell_id": hashlib.sha256(f"{clip} {n}".encode()).hexdigest()[:16],
                "requested": cell.requested.model_copy(update={"clip_seconds": float(clip), "max_tokens": n}),
            }
        )
        for clip in range(1, clips + 1)
        for n in range(1, tokens + 1)
    ]
    return sample.record([]).model_copy(update={"cells": tuple(cells)})


def test_a_view_of_two_hundred_cells_is_shown_whole() -> None:
    view = view_of(many(20, 10))
    assert limited(view) == (view, "")


def test_a_larger_one_is_cut_evenly_and_keeps_its_ends() -> None:
    view, words = limited(view_of(many(60, 40)))
    (grid,) = view.grids
    assert len(view.rows) <= MAX_CELLS
    assert (grid.columns[0], grid.columns[-1]) == ("1", "40")
    assert (grid.lines[0].clip, grid.lines[-1].clip) == ("1 s", "60 s")
    assert f"shows {len(view.rows)} of 2,400 cells" in words
    assert "bench report --format csv" in words


def test_the_page_says_so_and_every_link_leads_somewhere() -> None:
    source = render(view_of(many(60, 40)))
    assert 'class="cut"' in source
    assert len(source.encode()) < 1_500_000
    assert source.count('<tbody id="c-') == source.count('class="big" href="#c-')


def test_cells_that_share_nothing_do_not_make_a_grid_of_their_square() -> None:
    cell = cards.measured()
    cells = [
        cell.model_copy(
            update={
                "cell_id": f"{nth:016x}",
                "requested": cell.requested.model_copy(
                    update={"clip_seconds": float(nth), "max_tokens": nth}
                ),
            }
        )
        for nth in range(1, 1501)
    ]
    (grid,) = view_of(sample.record([]).model_copy(update={"cells": tuple(cells)})).grids
    assert len(grid.rows) == 1500
    assert sum(len(line.cells) for line in grid.lines) <= 50 * 1500


@given(st.lists(st.integers(), unique=True), st.integers(2, 50))
def test_a_spread_keeps_order_and_both_ends(values: list[int], most: int) -> None:
    found = spread(values, most)
    assert len(found) == min(len(values), most)
    assert [value for value in values if value in set(found)] == found
    assert found[:1] == values[:1]
    assert found[-1:] == values[-1:]
