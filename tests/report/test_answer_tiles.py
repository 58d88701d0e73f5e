"""The four tiles of a prediction."""

from bench.report.view import view_of
from tests.report.test_answer import PLAN, SMALL
from tests.samples import predictions as derived


def test_longest_clip_speed_need_and_budget_each_with_what_it_is() -> None:
    tiles = {tile.label: tile for tile in view_of(PLAN).highlights}
    assert list(tiles) == ["Longest clip that fits", "Decode at most", "Needs", "Budget, headless"]
    assert tiles["Decode at most"].note == "a ceiling, not a forecast"
    assert tiles["Needs"].note.startswith("60 s × ")
    assert tiles["Needs"].note.endswith(", as upstream")
    assert tiles["Budget, headless"].note.startswith("with a desktop ")


def test_a_card_that_holds_no_clip_has_no_speed() -> None:
    labels = [tile.label for tile in view_of(SMALL).highlights]
    assert labels == ["Needs", "Budget, headless"]


def test_a_budget_that_was_not_asked_for_is_left_out() -> None:
    labels = [tile.label for tile in view_of(derived.derived_record(headroom="desktop")).highlights]
    assert labels[-1] == "Budget, with a desktop"
