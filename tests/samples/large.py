"""Records that are large in every way that a real one may be: many cells, traces, raw repeats."""

import math
from functools import cache

from bench.records.cell import CellResult, MemoryTrace, Requested
from bench.records.enums import Attention, Phase
from bench.records.record import Record
from tests.samples import cards
from tests.samples import records as sample

CLIPS = (5.0, 10.0, 20.0, 30.0, 60.0, 90.0, 120.0, 180.0, 240.0, 300.0)
TOKENS = (32, 64, 128, 192, 256, 384, 512, 768, 1024, 2048)
ATTENTIONS = (Attention.SDPA, Attention.FLASH_ATTENTION_2)
STRETCHES = 100


@cache
def two_hundred() -> Record:
    """200 cells of a card: each ran five times, with a cold start, all that a driver tells, and a trace."""
    wants = [(clip, n, attention) for attention in ATTENTIONS for clip in CLIPS for n in TOKENS]
    return cards.with_card([_cell(clip, n, attention) for clip, n, attention in wants])


def _cell(clip_seconds: float, max_tokens: int, attention: Attention) -> CellResult:
    wanted = sample.requested(clip_seconds, max_tokens, attention)
    cell = cards.on_card(cards.with_kernels(sample.measured(wanted, cold=True), attention.value))
    return traced(cell)


def traced(cell: CellResult, stretches: int = STRETCHES) -> CellResult:
    """The same cell with memory over time, as if it had been watched."""
    return cell.model_copy(update={"memory_trace": trace(cell.requested, stretches)})


def trace(wanted: Requested, stretches: int = STRETCHES) -> MemoryTrace:
    """Weights, a hump while the audio is encoded, the prefill's peak, then the growing KV cache."""
    repeat = sample.repeat(wanted)
    end, first = repeat.latency_s, repeat.time_to_first_token_s
    encode = repeat.preprocess_s or 0
    prefill = encode + (repeat.encode_s or 0)
    phases = {Phase.PREPROCESS: 0.0, Phase.ENCODE: encode, Phase.PREFILL: prefill, Phase.DECODE: first}
    half = stretches // 2
    times = [first * nth / half for nth in range(half)]
    times += [first + (end - first) * nth / (stretches - half) for nth in range(stretches - half)]
    lows = [_bytes_at(wanted, time, encode, prefill, first) for time in times]
    return MemoryTrace(
        what="allocated",
        source="allocation tracker",
        times_s=tuple(times),
        low_bytes=tuple(lows),
        high_bytes=tuple(low + 3_000_000 + 1_000_000 * (nth % 5) for nth, low in enumerate(lows)),
        end_s=end,
        phases=phases,
    )


def _bytes_at(wanted: Requested, time: float, encode: float, prefill: float, first: float) -> int:
    room = sample.peak_bytes(wanted) - sample.WEIGHTS_BYTES
    if time < encode:
        share = 0.02
    elif time < prefill:
        share = 0.6 * math.sin(math.pi * (time - encode) / (prefill - encode)) ** 2 + 0.05
    elif time < first:
        share = 0.5 + 0.5 * (time - prefill) / (first - prefill)
    else:
        share = 0.3 + 0.1 * (time - first)
    return sample.WEIGHTS_BYTES + round(room * min(share, 1.0))
