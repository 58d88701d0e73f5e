"""What the driver reported of the card during a cell."""

from bench.report.view import view_of
from tests.samples import cards


def test_what_the_driver_did_not_tell_is_a_word_not_zero() -> None:
    bare = cards.STATE.model_copy(
        update={
            "other_processes": None,
            "display": None,
            "power_limit_w": None,
            "budget": cards.STATE.budget.model_copy(
                update={"headless_bytes": None, "desktop_bytes": None, "now_bytes": None}
            ),
        }
    )
    view = view_of(cards.with_card([cards.measured()], state=bare))
    texts = {fact.label: fact.text for fact in view.card}
    labels = ("Budget without a desktop", "Free when the run began", "Other programs", "Power limit", "ECC")
    assert [texts[label] for label in labels] == ["n/a"] * 5
    assert view.card_lines[0] == "Card: at most 10.49 GiB taken"


def test_a_context_that_other_programs_are_in_says_so() -> None:
    cell = cards.measured()
    assert cell.device_memory is not None
    seen = cell.device_memory.model_copy(update={"context_source": "device", "back_at_baseline": False})
    view = view_of(cards.with_card([cell.model_copy(update={"device_memory": seen})]))
    figures = view.rows[0].figures
    assert figures["context_bytes"].note == "of the whole device"
    assert figures["residue_bytes"].note == "not back at the baseline"


def test_never_held_back_is_said_only_where_somebody_looked() -> None:
    cell = cards.measured()
    assert cell.power is not None
    free = cell.power.model_copy(update={"throttle_reasons": {}})
    blind = free.model_copy(update={"throttle_reasons": None})
    for power, text in ((free, "never"), (blind, "n/a")):
        view = view_of(cards.with_card([cell.model_copy(update={"power": power})]))
        assert view.rows[0].figures["held_back_share"].text == text
