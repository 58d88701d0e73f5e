"""Which settings and token counts are lines of their own."""

from bench.report.plots.series import NOT_DRAWN, places, series
from bench.report.plots.theme import MAX_SERIES
from bench.report.view import view_of
from tests.report.plots.shown import plots_of
from tests.samples import cards, large
from tests.samples import predictions as derived
from tests.samples import records as sample


def test_many_token_counts_are_thinned_in_lines_and_the_page_says_so() -> None:
    cells = [cards.measured(clip, n) for clip in (10.0, 60.0) for n in large.TOKENS]
    found = plots_of(cards.with_card(cells))
    tokens = [entry.label for entry in found.figures[0].key if "new tokens" in entry.label]
    assert tokens[0] == "32 and 64 new tokens"
    assert tokens[1:] == [f"{n:,} new tokens" for n in (192, 384, 768, 2048)]
    assert found.notes == ("4 more numbers of new tokens are not drawn as lines; the tables have them.",)


def test_a_prediction_among_cells_that_ran_is_a_setting_of_its_own_and_its_ceiling_no_speed() -> None:
    predicted = derived.predicted(sample.requested(60.0))
    whole = cards.with_card([cards.measured(), predicted])
    ran, other = plots_of(whole).data["cells"]
    assert (ran["v"], other["v"]) == (0, 1)
    assert str(other["cell"]).endswith("SDPA, predicted, nothing was run")
    assert "r" in ran
    assert "r" not in other


def test_lines_are_spread_over_the_whole_ramp() -> None:
    assert places(0) == []
    assert places(2) == [0, MAX_SERIES - 1]
    assert places(MAX_SERIES) == list(range(MAX_SERIES))


def test_a_token_count_that_is_not_drawn_has_no_line() -> None:
    view = view_of(cards.with_card([cards.measured(10.0, n) for n in large.TOKENS]))
    found = series(view)
    assert len(found.tokens) == MAX_SERIES
    numbers = {row.max_tokens: found.line(row) for row in view.rows}
    assert {tokens for tokens, line in numbers.items() if line == NOT_DRAWN} == set(found.left_out)


def test_the_settings_name_a_cell_only_where_there_are_several() -> None:
    one = view_of(cards.with_card([cards.measured()]))
    assert series(one).words(one.rows[0]) == "10 s × 128"
    two = view_of(sample.all_measured_48())
    assert series(two).words(two.rows[0]) == f"10 s × 128, {two.rows[0].variant}"
