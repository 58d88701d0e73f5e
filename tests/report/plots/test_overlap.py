"""Lines that lie on one another are drawn once and named together; a single point makes no plot."""

import json

import pytest

from bench.records.cell import CellResult
from bench.records.enums import Attention
from bench.report.plots.interface import Datum
from bench.report.plots.overlap import along_clips, left_out, without_overlaps
from bench.report.plots.series import Drawn, Series, drawn
from tests.report.plots.shown import plot
from tests.samples import cards
from tests.samples.reruns import with_rate

SETTINGS = ("SDPA, lean", "FlashAttention 2, lean")


def cell(setting: int, tokens: int, clip: float, size: float | None) -> Datum:
    datum: Datum = {"v": setting, "s": tokens, "c": clip, "k": "ran" if size else "out_of_memory"}
    return datum | ({"m": size} if size else {})


def shown(*cells: Datum) -> Drawn:
    """What is drawn of these cells, where a difference of 0.1 is visible."""
    series = Series(SETTINGS, (128, 512), (), is_mixed=False)
    return without_overlaps(drawn(series, cells), cells, ("m",), 0.1)


def line(setting: int, tokens: int, *sizes: float | None) -> list[Datum]:
    return [cell(setting, tokens, 10.0 * nth, size) for nth, size in enumerate(sizes, 1)]


def test_settings_on_one_another_are_one_line_with_both_names() -> None:
    found = shown(*line(0, 0, 9.0, 10.0), *line(1, 0, 9.05, 9.95))
    assert found.variants == ((0, 1),)
    assert found.names == [(0, "SDPA and FlashAttention 2, lean")]


def test_token_counts_on_one_another_are_one_line_with_both_names() -> None:
    found = shown(*line(0, 0, 9.0, 10.0), *line(0, 1, 9.05, 10.0))
    assert [entry.label for entry in found.key()] == ["128 and 512 new tokens"]


@pytest.mark.parametrize(
    "other",
    [
        line(1, 0, 9.0, 10.2),
        line(1, 0, 9.0),
        line(1, 0, 9.0, 10.0, 11.0),
        line(1, 0, 9.0, None),
        line(1, 1, 9.0, 10.0),
    ],
    ids=["visibly more", "a shorter line", "a longer line", "ran out of memory", "another token count"],
)
def test_lines_that_differ_anywhere_are_two(other: list[Datum]) -> None:
    assert shown(*line(0, 0, 9.0, 10.0), *other).variants == ((0,), (1,))


def test_token_counts_that_differ_in_one_setting_are_two() -> None:
    found = shown(
        *line(0, 0, 9.0, 10.0), *line(0, 1, 9.0, 10.0), *line(1, 0, 5.0, 6.0), *line(1, 1, 5.0, 7.0)
    )
    assert found.lines == ((0,), (1,))


def test_a_setting_without_one_of_the_token_counts_does_not_keep_them_apart() -> None:
    found = shown(*line(0, 0, 9.0, 10.0), *line(0, 1, 9.0, 10.0), *line(1, 0, 5.0, 6.0))
    assert found.lines == ((0, 1),)


def test_a_line_is_drawn_even_if_another_setting_has_it_under_another_count() -> None:
    alone = shown(*line(0, 0, 9.0, 10.0), *line(1, 1, 9.0, 10.0))
    assert alone.lines == ((0,), (1,))
    one_more = shown(*line(0, 0, 9.0, 10.0), *line(0, 1, 9.0, 10.0), *line(1, 1, 5.0, 6.0))
    assert one_more.lines == ((0,), (1,))


def test_the_plot_draws_one_of_them_and_offers_no_choice() -> None:
    cells = [one for clip in (10.0, 60.0) for one in (cards.measured(clip), flash(clip))]
    memory = plot(cards.with_card(cells), "memory")
    assert "params" not in memory.spec
    assert "indexof([0], datum.v) >= 0" in json.dumps(memory.spec)
    labels = [entry.label for entry in memory.key]
    assert labels[:2] == ["128 new tokens", "SDPA and FlashAttention 2"]


def test_a_visible_difference_in_speed_keeps_both_settings() -> None:
    slow = [with_rate(cards.measured(clip), 20.0) for clip in (10.0, 60.0)]
    fast = [with_rate(flash(clip), 40.0) for clip in (10.0, 60.0)]
    found = plot(cards.with_card([*slow, *fast]), "speed")
    assert [entry.label for entry in found.key] == ["128 new tokens", "SDPA", "FlashAttention 2"]


def flash(clip: float) -> CellResult:
    return cards.measured(clip, 128, Attention.FLASH_ATTENTION_2)


def test_of_one_clip_length_nothing_is_drawn() -> None:
    assert along_clips([cell(0, 0, 10.0, 9.0), cell(0, 1, 10.0, 9.5), cell(1, 0, 60.0, 9.0)]) == []


def test_a_setting_of_one_clip_length_is_no_choice_and_the_page_says_so() -> None:
    cells = [datum for setting in range(4) for datum in line(setting, 0, 9.0, 10.0)]
    cells.append(cell(4, 0, 10.0, 9.0))
    found = along_clips(cells)
    assert {datum["v"] for datum in found} == {0, 1, 2, 3}
    assert left_out(cells, found) == "Settings with one clip length only are in the table."
    assert left_out(found, found) == ""
