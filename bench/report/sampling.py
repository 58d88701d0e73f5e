"""How closely a sampled figure was watched, in words."""

from bench import units
from bench.records.card import Sampled


def sampled(sampler: Sampled) -> str:
    """`812 samples, every 20.0 ms, largest gap 41.0 ms`."""
    counted = f"{sampler.samples:,} sample{'' if sampler.samples == 1 else 's'}"
    gap = f", largest gap {units.seconds(sampler.largest_gap_s)}" if sampler.largest_gap_s is not None else ""
    return f"{counted}, every {units.seconds(sampler.period_s)}{gap}"
