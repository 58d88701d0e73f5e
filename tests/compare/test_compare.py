"""A comparison over several cells."""

import pytest

from bench.compare.compare import compare_pairs
from bench.errors import UsageError
from bench.records.comparison import ChangeVerdict
from tests.samples.comparisons import STEADY, against, cell, record, requests

RATE = "decode_tokens_per_s"


def test_over_many_cells_the_ratio_is_the_geometric_mean() -> None:
    wants = requests(3)
    base = record(*(cell(want) for want in wants))
    new = record(
        *(cell(want, slow=slow) for want, slow in zip(wants, (2.1, 2.2, 2.3), strict=True)), number=1
    )
    found = against([base], [new])
    ratios = [1 + by.change for c in found.cells if (by := c.metrics[RATE]).change is not None]
    assert found.overall[RATE].change == pytest.approx((ratios[0] * ratios[1] * ratios[2]) ** (1 / 3) - 1)
    assert found.overall[RATE].verdict is ChangeVerdict.SLOWER


def test_no_pair_is_no_comparison() -> None:
    with pytest.raises(UsageError, match="no pair"):
        compare_pairs([], ("a", "b"))


def test_one_cell_at_less_than_half_its_speed_is_not_the_same_within_noise() -> None:
    wants = requests(4)
    base = record(*(cell(want, factors=STEADY[:3]) for want in wants))
    cells = [cell(want, slow=2.5 if n == 1 else 1.0, factors=STEADY[:3]) for n, want in enumerate(wants)]
    found = against([base], [record(*cells, number=1)])
    assert [c.metrics[RATE].verdict for c in found.cells].count(ChangeVerdict.SLOWER) == 1
    assert found.overall[RATE].verdict in {ChangeVerdict.SLOWER, ChangeVerdict.CANNOT_TELL}


def test_two_repeats_in_each_of_four_cells_cannot_tell_either() -> None:
    wants = requests(4)
    base, new = (
        record(*(cell(want, slow=slow, factors=STEADY[:2]) for want in wants), number=n)
        for n, slow in enumerate((1.0, 2.0))
    )
    assert against([base], [new]).overall[RATE].verdict is ChangeVerdict.CANNOT_TELL


def test_cells_of_one_side_are_listed() -> None:
    wants = requests(3)
    found = against(
        [record(cell(wants[0]), cell(wants[1]))], [record(cell(wants[1]), cell(wants[2]), number=1)]
    )
    assert [c.clip_seconds for c in found.only_in_base] == [10.0]
    assert [c.clip_seconds for c in found.only_in_new] == [30.0]
    assert [c.clip_seconds for c in found.cells] == [20.0]
