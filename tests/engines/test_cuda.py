"""The share of a card that the CUDA allocator is held to."""

import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from bench.engines.cuda import fraction_of, open_context, require_cuda
from bench.errors import MachineError
from bench.units import MIB


@given(st.integers(4 * 2**30, 300 * 2**30), st.floats(0.001, 0.999))
@example(25_393_692_672, (12_282 - 862) * MIB / 25_393_692_672)
def test_the_allocator_makes_the_very_limit_of_it(total: int, share: float) -> None:
    limit = int(total * share)
    fraction = fraction_of(limit, total)
    assert 0 < fraction < 1  # 1 would be no limit at all
    assert int(fraction * float(total)) == limit


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a torch that cannot use a card")
def test_a_card_that_cannot_be_used_is_told_in_one_line() -> None:
    with pytest.raises(MachineError):
        require_cuda("cuda")
    if torch.version.cuda is not None:
        with pytest.raises(MachineError, match="the card cannot be used"):
            open_context(None)
