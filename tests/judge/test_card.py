"""What the state of the card takes from the figures."""

import pytest

from bench.judge.verdict import judge
from bench.records.card import DeviceState, Sampled
from bench.records.record import CellResult, Record
from tests.samples import cards


def caveats(record: Record) -> tuple[str, ...]:
    return judge(record).caveats


def state(**changed: object) -> DeviceState:
    return cards.STATE.model_copy(update=changed)


def seen(**changed: object) -> CellResult:
    cell = cards.measured()
    assert cell.device_memory is not None
    return cell.model_copy(update={"device_memory": cell.device_memory.model_copy(update=changed)})


def test_a_card_in_good_order_has_no_caveat() -> None:
    assert caveats(cards.with_card([cards.measured()])) == ()


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (
            state(other_processes=1, used_by_others_bytes=1_500_000_000),
            "1 other program used the card and held 1.50 GB (1.40 GiB)",
        ),
        (state(other_processes=3, used_by_others_bytes=None), "3 other programs used the card: less"),
        (state(display=True), "A display is on this card"),
        (state(power_limit_w=120.0), "The power limit is 120 W, below the card's 200 W"),
    ],
)
def test_the_state_of_the_card_is_a_caveat(found: DeviceState, words: str) -> None:
    told = caveats(cards.with_card([cards.measured()], state=found))
    assert any(words in caveat for caveat in told)


def test_what_is_not_known_is_no_caveat() -> None:
    unknown = state(other_processes=None, display=None, power_limit_w=None, power_limit_default_w=None)
    assert caveats(cards.with_card([cards.measured()], state=unknown)) == ()


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        (seen(back_at_baseline=False, residue_bytes=90_000_000), "left memory in use on the card"),
        (seen(driver_error="GPU is lost"), "a driver that no longer answered"),
        (
            seen(sampler=Sampled(period_s=0.02, samples=50, largest_gap_s=0.2)),
            "gaps of over 5 periods: a sampled peak is weak",
        ),
    ],
)
def test_how_a_cell_was_watched_is_a_caveat(cell: CellResult, words: str) -> None:
    told = caveats(cards.with_card([cell, cards.measured(30.0)]))
    assert any(caveat.startswith("1 of 2 cells") and words in caveat for caveat in told)


def test_a_card_that_the_catalog_does_not_have_has_no_shares() -> None:
    unknown = cards.RTX_4070.model_copy(update={"catalogued": False})
    told = caveats(cards.with_card([cards.measured()], device=unknown))
    assert any("not in the catalog" in caveat for caveat in told)
