"""Every kind of record has a sentence about what it counts for."""

from itertools import product

import pytest

from bench.receiver.states import State
from bench.records.enums import Provenance, WeightMode
from bench.wording.submissions import counts_for, state


@pytest.mark.parametrize(("provenance", "weights"), list(product(Provenance, WeightMode)))
def test_each_kind_has_one(provenance: Provenance, weights: WeightMode) -> None:
    assert counts_for(provenance, weights).split()[0] in {"as", "for"}


def test_only_published_weights_enter_the_medians() -> None:
    assert "medians" in counts_for(Provenance.MEASURED, WeightMode.HUB)
    for weights in set(WeightMode) - {WeightMode.HUB}:
        assert "medians" not in counts_for(Provenance.MEASURED, weights)
    assert "medians" not in counts_for(Provenance.EMULATED, WeightMode.HUB)


def test_each_state_of_a_submission_has_a_meaning_and_an_unknown_one_its_name() -> None:
    for each in State:
        assert state(each).startswith(f"{each}: ")
    assert state("queued") == "queued"
