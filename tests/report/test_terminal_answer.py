"""The answer in the terminal: a table of at most 80 columns, and lines below 60."""

import pytest

from bench.report.terminal import brief, plain
from bench.report.view import view_of
from tests.report.test_answer import PLAN, with_lean
from tests.samples import cards

VIEW = view_of(with_lean(PLAN, 600.0))


def test_the_headline_the_lengths_and_the_command_come_in_this_order() -> None:
    text = plain(brief(VIEW, 80), 80)
    words = ("Predicted: ", "fits up to", "2 min 8 s", "lean (SDPA)", "Type: bench run --gpu rtx-4070")
    places = [text.index(word) for word in words]
    assert places == sorted(places)
    assert max(map(len, text.splitlines())) <= 80
    assert "…" not in text


@pytest.mark.parametrize("width", [40, 59])
def test_a_narrow_terminal_gets_lines_without_a_bar(width: int) -> None:
    text = plain(brief(VIEW, width), width)
    assert "█" not in text
    assert "fits up to 2 min 8 s" in " ".join(text.split())
    lines = [line.strip() for line in text.splitlines()]
    lengths = [line for line in lines if line.startswith(("fits up to", "likely up to", "does not fit from"))]
    # None is broken at the end of a line.
    assert len(lengths) == 3 * sum(line in {"headless", "with a desktop"} for line in lines)
    assert all(line.endswith((" s", " min", "uncertain", "n/a")) for line in lengths), lengths


def test_a_bar_shows_each_part_that_exists() -> None:
    (row,) = (line for line in plain(brief(VIEW, 80), 80).splitlines() if "2 min 8 s" in line and "█" in line)
    assert {"█", "▓", "░"} <= set(row)


def test_a_run_ends_with_its_speed_and_the_way_to_its_details() -> None:
    text = plain(brief(view_of(cards.rtx_4070()), 80), 80)
    assert "tok/s" in text
    assert "-v" in text
    assert "Predicted" not in text
