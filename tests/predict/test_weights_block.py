"""The block that loading begins with."""

import pytest

from bench.hardware.catalog import Card, cards
from bench.predict.weights_block import weights_blocks
from bench.records.enums import WeightMode
from bench.units import MIB

WEIGHTS = 10_445_641_472


def card(slug: str) -> Card:
    return next(each for each in cards() if each.slug == slug)


@pytest.mark.parametrize("transformers", ["5.23.0", "4.57.1", None])
def test_a_large_card_takes_all_weights_at_once(transformers: str | None) -> None:
    assert weights_blocks(WEIGHTS, card("rtx-4090"), "linux", WeightMode.HUB, transformers) == (WEIGHTS,)


def test_transformers_5_goes_by_the_total_and_4_by_what_is_free() -> None:
    """On a card of 12 GB the total is enough; beside a desktop what is free is not."""
    newer, older = (
        weights_blocks(WEIGHTS, card("rtx-4070"), "linux", WeightMode.HUB, version)
        for version in ("5.23.0", "4.57.1")
    )
    assert newer == (WEIGHTS,)
    assert older[0] == WEIGHTS
    assert older[1] < WEIGHTS - 500 * MIB


def test_a_smaller_total_limits_the_block_but_not_that_of_random_weights() -> None:
    small = card("rtx-2080-ti")
    limited = weights_blocks(WEIGHTS, small, "linux", WeightMode.HUB, "5.23.0")
    assert max(limited) < WEIGHTS
    assert weights_blocks(WEIGHTS, small, "linux", WeightMode.RANDOM, "5.23.0") == (WEIGHTS,)
