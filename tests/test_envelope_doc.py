"""Every figure of docs/envelope.md is what the prediction says."""

import re

import pytest

from bench.engines.profiles import settings_of
from bench.hardware.budget import headless_budget
from bench.records.enums import Profile
from tools.envelope_example import blocks
from tools.envelope_page import PAGE, filled, marked
from tools.frontier_settings import CHANGES, Change, faithful_case, lean_case
from tools.what_moves_the_frontier import Frontier

pytestmark = pytest.mark.full_size  # it traces the 4B model dozens of times

TEXT = PAGE.read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in marked(TEXT)["frontier"].strip().splitlines()[2:]
]


@pytest.fixture(scope="module")
def frontier() -> Frontier:
    return Frontier()


def length(cell: str) -> int:
    return 0 if cell == "none" else int(cell.removesuffix(" s"))


def test_the_worked_example_is_what_the_prediction_says(frontier: Frontier) -> None:
    found = marked(TEXT)
    assert {name: text for name, text in found.items() if name != "frontier"} == blocks(frontier)


def test_the_profiles_reach_as_far_as_the_page_says_and_no_further(frontier: Frontier) -> None:
    _, _, faithful, _, lean, _ = ROWS[0]
    room = headless_budget(frontier.card).low
    cases = (faithful_case(frontier.config), length(faithful)), (lean_case(frontier.config), length(lean))
    for case, longest in cases:
        assert frontier.surely_fits(case, longest, room)
        assert not frontier.surely_fits(case, longest + 1, room)


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.name)
def test_every_setting_has_its_row_whose_differences_are_those_of_its_lengths(change: Change) -> None:
    place = CHANGES.index(change)
    name, output, alone, gained, inside, more = ROWS[1 + place]
    assert name.removesuffix(" (part of `lean`)") == CHANGES[place].name
    assert name.endswith(" (part of `lean`)") == CHANGES[place].is_lean
    assert output == ("same" if CHANGES[place].same_output else "another")
    assert gained == f"{length(alone) - length(ROWS[0][2]):+d} s"
    assert more == f"{length(inside) - length(ROWS[0][4]):+d} s"


@pytest.mark.parametrize("place", [0, 1, 3, 8, 9])
def test_a_setting_alone_reaches_as_far_as_the_page_says(frontier: Frontier, place: int) -> None:
    """Those whose lengths cost one trace of a short clip each."""
    longest = length(ROWS[1 + place][2])
    case, room = CHANGES[place].apply(faithful_case(frontier.config)), headless_budget(frontier.card).low
    assert longest == 0 or frontier.surely_fits(case, longest, room)
    assert not frontier.surely_fits(case, longest + 1, room)


def test_lean_is_the_profile_of_the_engine(frontier: Frontier) -> None:
    case, profile = lean_case(frontier.config), settings_of(Profile.LEAN)
    assert case.setting.logits_positions == profile.logits_positions
    assert case.setting.chunks_at_once == profile.encoder_chunks_at_once
    assert case.setting.mlp_positions_at_once == profile.mlp_positions_at_once
    assert bool(case.memory.leaving) == (profile.embeddings == "host")
    assert case.memory.weights_bytes - case.memory.staying_bytes == 151_936 * 2_560 * 2
    for change in CHANGES:
        if change.undo is not None:
            case = change.undo(case)
    assert case == faithful_case(frontier.config)


def test_nothing_in_bf16_surely_fits_beside_a_large_desktop(frontier: Frontier) -> None:
    from bench.hardware.budget import desktop_budget

    room = desktop_budget(frontier.card).low
    for case in (faithful_case(frontier.config), lean_case(frontier.config)):
        assert not frontier.surely_fits(case, 1, room)


def test_the_page_names_the_settings_of_lean() -> None:
    lean = settings_of(Profile.LEAN)
    assert f"takes {lean.encoder_chunks_at_once} chunks of audio" in TEXT
    assert f"in pieces of {lean.mlp_positions_at_once} positions" in TEXT


def test_filling_changes_what_is_marked_and_nothing_else() -> None:
    page = "a <!-- x -->1<!-- end --> b <!-- y -->\n2\n<!-- end -->"
    assert filled(page, {"x": "3"}) == page.replace("1", "3")
    assert filled(TEXT, marked(TEXT)) == TEXT
    with pytest.raises(KeyError, match="z"):
        filled(page, {"z": ""})


def test_every_marker_has_its_end() -> None:
    assert len(re.findall("<!-- (?!end)", TEXT)) == TEXT.count("<!-- end -->") == len(marked(TEXT))
