from bench.hardware.catalog import cards
from bench.predict.target import every_card, targets
from tests.predict.planned import LINUX


def test_every_card_of_known_memory_comes_from_little_to_much() -> None:
    known, unknown = every_card(LINUX)
    assert len(known) + len(unknown) == len(cards())
    totals = [target.info.memory_total_bytes or 0 for target in known]
    assert totals == sorted(totals)
    assert [card.slug for card in unknown] == ["gb10"]


def test_a_card_has_the_planned_system_and_the_cpu_none() -> None:
    card, cpu = targets(["rtx-4070", "cpu"], LINUX)
    assert (card.system, cpu.system) == (LINUX, None)
