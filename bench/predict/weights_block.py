"""The block that loading allocates before the weights, by the way they are loaded. Pure.

`from_pretrained` with a `device_map` allocates the bytes of all weights at once and releases them
(`caching_allocator_warmup` in `transformers/modeling_utils.py`), so that the weights lie in one segment. The
block is not larger than the card's memory less 1.2 GiB: in transformers 5 of its total as torch has it, in
4.57 of what is free. Weights beyond the block get segments of their own. Random weights are preceded by a
block of all their bytes (`bench/weights/random.py`).
"""

from typing import Final

from bench.hardware.budget import CONTEXT, desktop_cost, driver_reserve, has_wddm
from bench.hardware.catalog import Card
from bench.records.enums import OperatingSystem, WeightMode
from bench.units import MIB

_SPARED_BYTES: Final = int(1.2 * 1024**3)
_STEP_BYTES: Final = 256 * MIB
"""Limits are estimates: in whole steps, cards of nearly one size share their predictions."""
_FIRST_OF_TOTAL: Final = 5
"""The first major version of transformers that goes by the card's total."""


def weights_blocks(
    weights_bytes: int, card: Card, system: OperatingSystem, weight_mode: WeightMode, transformers: str | None
) -> tuple[int, ...]:
    """Return the blocks that are possible, in bytes, the largest first: one, unless a range decides.

    `transformers` is the version; without one the newest rule is taken.
    """
    total = card.memory_total_bytes
    if weight_mode is WeightMode.RANDOM or total is None:
        return (weights_bytes,)
    reserve, desktop = driver_reserve(total, system), desktop_cost(system)
    if weights_bytes > total - reserve.low_bytes:
        return (weights_bytes,)  # such a card cannot load them, whatever the block
    taken = [(reserve.low_bytes, reserve.high_bytes)]
    if transformers is not None and int(transformers.partition(".")[0]) < _FIRST_OF_TOTAL:
        least_desktop = desktop.low_bytes if has_wddm(system) else 0
        taken += [(CONTEXT.low_bytes, CONTEXT.high_bytes), (least_desktop, desktop.high_bytes)]
    limits = (total - sum(cost[end] for cost in taken) - _SPARED_BYTES for end in (0, 1))
    found = {
        weights_bytes if limit >= weights_bytes else max(0, limit // _STEP_BYTES * _STEP_BYTES)
        for limit in limits
    }
    return tuple(sorted(found, reverse=True))
