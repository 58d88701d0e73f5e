"""Ceilings of speed from a card's bandwidth and BF16 rate: bounds, not forecasts. Pure.

Real kernels stay well below. The rates are the maker's; a card that boosts
above its specification can pass them. The BF16 rate is a bound for 32 bits too: no kernel for them is faster.

Encoding, prefill and decoding follow each other: the first layer of the language model takes the audio
embeddings that the last kernel of the encoder's side writes, and every decoded token takes the token before.
Within a phase, arithmetic and reading may overlap entirely, so that the longer of the two counts; phases
cannot overlap, so that their shortest times add up to a bound of the whole. Data in the cache of the chip is
read again for free, but the weights of a step are many times larger than any such cache.
"""

from typing import Final, NamedTuple

from bench.arithmetic import architecture
from bench.arithmetic.shapes import Shapes
from bench.hardware.catalog import Card
from bench.records.prediction import Ceiling

_BF16_SINCE: Final = 8.0
_UNKNOWN: Final = Ceiling(
    decode_tokens_per_s=None, encode_s=None, prefill_s=None, time_to_first_token_s=None, latency_s=None
)


class _Rates(NamedTuple):
    bytes_per_s: float
    operations_per_s: float

    def shortest_s(self, operations: float, weights_bytes: float) -> float:
        """Shortest time: that of the arithmetic, or of reading the weights once, whichever is longer."""
        return max(operations / self.operations_per_s, weights_bytes / self.bytes_per_s)


def ceiling(
    shapes: Shapes,
    card: Card,
    *,
    mel_frames: int,
    prompt_tokens: int,
    max_tokens: int,
    logits_positions: int,
    element_bytes: int,
) -> Ceiling:
    """The shortest times and the highest rate of one generation on this card.

    Time to first token excludes preprocessing, which no figure of the card bounds. An answer of one token
    has no decode rate. All is None where the catalog lacks the bandwidth or the BF16 rate, and for a card
    without BF16 (compute capability below 8.0), which emulates it.
    """
    rates = _rates(card)
    if rates is None:
        return _UNKNOWN
    decode_per_s = rates.bytes_per_s / architecture.decode_bytes_per_token(
        shapes, prompt_tokens=prompt_tokens, generated_tokens=max_tokens, element_bytes=element_bytes
    )
    encode_s = rates.shortest_s(
        architecture.encode_operations(shapes, mel_frames), _encode_weights(shapes) * element_bytes
    )
    prefill_s = rates.shortest_s(
        architecture.prefill_operations(
            shapes, prompt_tokens=prompt_tokens, logits_positions=logits_positions
        ),
        _prefill_weights(shapes) * element_bytes,
    )
    first_s = encode_s + prefill_s
    return Ceiling(
        decode_tokens_per_s=decode_per_s if max_tokens > 1 else None,
        encode_s=encode_s,
        prefill_s=prefill_s,
        time_to_first_token_s=first_s,
        latency_s=first_s + (max_tokens - 1) / decode_per_s,
    )


def _rates(card: Card) -> _Rates | None:
    bandwidth, operations = card.memory_bandwidth_bytes_per_s, card.bf16_operations_per_s
    if not bandwidth or not operations or float(card.compute_capability) < _BF16_SINCE:
        return None
    return _Rates(bandwidth, operations)


def _encode_weights(shapes: Shapes) -> int:
    parts = architecture.parameters(shapes)
    return parts.audio_encoder + parts.audio_adapter + parts.deepstack_mergers


def _prefill_weights(shapes: Shapes) -> int:
    """The layers, the norm and the head. Of the embeddings, as large as the head, only rows are read."""
    return architecture.parameters(shapes).language_model
