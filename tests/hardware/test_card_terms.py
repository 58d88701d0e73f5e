"""What is left of a card, and when an interval fits it."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.errors import ExitCode, UsageError
from bench.hardware import allowance
from bench.hardware.card_terms import CONTEXT, DESKTOP, DRIVER_RESERVE, desktop_room, fit, headless_room
from bench.hardware.catalog import Card, cards
from bench.records.base import Interval
from bench.records.enums import Fit
from bench.units import MIB


def card(slug: str) -> Card:
    return next(found for found in cards() if found.slug == slug)


def test_headless_is_the_total_less_what_the_driver_keeps() -> None:
    assert headless_room(card("rtx-4070")) == Interval(low=(12282 - 614) * MIB, high=(12282 - 205) * MIB)


def test_beside_a_desktop_there_is_less() -> None:
    room = desktop_room(card("rtx-4070"))
    assert room == Interval(low=(12282 - 614 - 1600) * MIB, high=(12282 - 205 - 211) * MIB)


def test_no_room_is_less_than_none() -> None:
    tiny = replace(card("rtx-4070"), memory_total_bytes=300 * MIB)
    assert headless_room(tiny) == Interval(low=0, high=95 * MIB)
    assert desktop_room(tiny) == Interval(low=0, high=0)


def test_terms_carry_their_evidence() -> None:
    assert DRIVER_RESERVE.evidence == allowance.RESERVE.evidence
    assert CONTEXT.low_bytes == allowance.CONTEXT.low_bytes
    assert DESKTOP.high_bytes == allowance.DESKTOP.high_bytes


def test_a_card_without_known_memory_is_refused_in_one_line() -> None:
    with pytest.raises(
        UsageError, match=r"NVIDIA GB10: .* no total of its memory \(memory is the host's"
    ) as no:
        headless_room(card("gb10"))
    assert no.value.exit_code is ExitCode.USAGE
    assert "bench run" in str(no.value)
    assert "\n" not in str(no.value)


@pytest.mark.parametrize(
    ("need", "expected"),
    [
        ((1, 100), Fit.FITS),
        ((1, 101), Fit.TOO_CLOSE_TO_CALL),
        ((200, 300), Fit.TOO_CLOSE_TO_CALL),
        ((201, 300), Fit.DOES_NOT_FIT),
    ],
)
def test_only_a_whole_interval_says_yes_or_no(need: tuple[int, int], expected: Fit) -> None:
    assert fit(Interval(low=need[0], high=need[1]), Interval(low=100, high=200)) is expected


@given(st.lists(st.integers(0, 100), min_size=4, max_size=4), st.integers(0, 50))
def test_needing_more_never_fits_better(ends: list[int], more: int) -> None:
    order = [Fit.FITS, Fit.TOO_CLOSE_TO_CALL, Fit.DOES_NOT_FIT]
    (a, b), (c, d) = sorted(ends[:2]), sorted(ends[2:])
    room = Interval(low=c, high=d)
    now, then = fit(Interval(low=a, high=b), room), fit(Interval(low=a + more, high=b + more), room)
    assert order.index(then) >= order.index(now)
