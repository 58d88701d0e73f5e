"""The share of a card's bandwidth and BF16 rate that a cell achieved. Pure; None in is None out."""

import math
from collections.abc import Sequence
from statistics import median

from bench.records.cell import Repeat, Work


def bandwidth_fraction(
    work: Work | None, decode_tokens_per_s: float | None, bytes_per_s: float | None
) -> float | None:
    """Bytes that decoding must read, at the rate that was measured, over the card's memory bandwidth."""
    if work is None or decode_tokens_per_s is None or bytes_per_s is None:
        return None
    if decode_tokens_per_s <= 0 or bytes_per_s <= 0:
        return None
    return _finite(work.decode_bytes_per_token * decode_tokens_per_s / bytes_per_s)


def bf16_fraction(
    work: Work | None, repeats: Sequence[Repeat], operations_per_s: float | None
) -> float | None:
    """Operations of the prefill over the time it took, over the card's BF16 rate: the median of the repeats.

    The prefill is time to first token less preprocessing and encoder. A repeat in which nothing is left for
    it says nothing. The rate is that of the specification: a card that boosts above it can pass 1.
    """
    if work is None or operations_per_s is None or operations_per_s <= 0:
        return None
    durations = [_prefill_s(repeat) for repeat in repeats]
    rates = [
        work.prefill_operations / duration_s
        for duration_s in durations
        if duration_s is not None and duration_s > 0
    ]
    return _finite(median(rates) / operations_per_s) if rates else None


def _prefill_s(repeat: Repeat) -> float | None:
    if repeat.preprocess_s is None or repeat.encode_s is None:
        return None
    return repeat.time_to_first_token_s - repeat.preprocess_s - repeat.encode_s


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
