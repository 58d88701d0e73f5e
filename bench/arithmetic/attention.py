"""Memory that one layer's attention takes while it runs, by kernel, from the shapes.

*math* is what torch runs where no fused kernel takes the call (`_scaled_dot_product_attention_math`, read in
torch 2.13). It computes in float32, copies keys and values for every head, and stores the scores of all pairs
of positions. Fused kernels allocate their result and a number per query.
"""

from typing import Final

from bench.arithmetic.shapes import LanguageShapes
from bench.records.enums import SdpaKernel

_MATH_AND_FUSED: Final[tuple[SdpaKernel, SdpaKernel]] = ("math", "flash")
_FLOAT: Final = 4
_BOOL: Final = 1


def attention_bytes(
    text: LanguageShapes,
    kernel: SdpaKernel,
    *,
    queries: int,
    positions: int,
    element_bytes: int,
    is_grouped: bool = True,
) -> int:
    """Return the most bytes that are live inside the attention of one layer, beyond its arguments.

    A prompt has as many `queries` as `positions` and a causal mask; a decode step has one query and none.
    `element_bytes` is the size of a number of the model. `is_grouped`: keys and values are not repeated
    before the call. With the shapes of the 4B model in BF16, math takes 292 L^2 + 73,760 L + 4 bytes for a
    prompt of L positions.
    """
    one, of_keys = queries * text.head_dim, positions * text.head_dim
    heads, groups = text.num_attention_heads, text.num_key_value_heads
    is_repeated = groups < heads
    if kernel != "math":
        repeated = 2 * heads * of_keys * element_bytes if is_repeated and not is_grouped else 0
        return repeated + heads * (one * element_bytes + queries * _FLOAT)
    is_converted = element_bytes != _FLOAT
    query = heads * one * _FLOAT * (2 if is_converted else 1)  # as float32, and scaled
    keys = 2 * groups * of_keys * _FLOAT if is_converted else 0
    keys += 2 * heads * of_keys * _FLOAT if is_repeated else 0
    scaled_keys = heads * of_keys * _FLOAT
    scores = heads * queries * positions * _FLOAT
    mask = queries * positions * _FLOAT if queries > 1 else 0
    masked = heads * queries * positions * _BOOL  # which scores are minus infinity
    in_product = scaled_keys + scores
    in_softmax = 2 * scores + masked + heads * queries * _BOOL + _FLOAT  # rows without a score, and a zero
    result = heads * one
    in_result = scores + result * _FLOAT
    if is_converted:  # both go back to the model's type
        in_result += (heads * queries * positions + result) * element_bytes
    return query + keys + mask + max(in_product, in_softmax, in_result)


def math_extra_bytes(text: LanguageShapes, positions: int, element_bytes: int) -> int:
    """Return what math takes more than a fused kernel in the attention of a prompt of so many positions."""
    math, fused = (
        attention_bytes(text, kernel, queries=positions, positions=positions, element_bytes=element_bytes)
        for kernel in _MATH_AND_FUSED
    )
    return math - fused
