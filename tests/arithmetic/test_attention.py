"""What attention takes inside, against torch's own allocations and against figures of its profiler."""

import json
from typing import Final

import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import scaled_dot_product_attention

from bench import shipped
from bench.arithmetic.attention import attention_bytes, math_extra_bytes
from bench.arithmetic.shapes import LanguageShapes, shapes_of
from bench.predict.memory_events import MemoryEvents
from bench.records.enums import SdpaKernel
from bench.units import MIB

FOUR_B = shapes_of(
    json.loads(shipped.data("models", "MOSS-Audio-4B-Instruct.json").read_bytes())
).language_config
CALLS: Final[tuple[tuple[SdpaKernel, bool], ...]] = (
    ("memory_efficient", True),
    ("memory_efficient", False),
    ("flash", True),
    ("math", True),
)


def shapes(heads: int, groups: int, head_dim: int) -> LanguageShapes:
    return LanguageShapes(1, 1, 1, 1, heads, groups, head_dim)


def seen(text: LanguageShapes, queries: int, positions: int, dtype: torch.dtype) -> int:
    """What torch allocates inside its math kernel at most."""
    query = torch.ones(1, text.num_attention_heads, queries, text.head_dim, dtype=dtype)
    keys = torch.ones(1, text.num_key_value_heads, positions, text.head_dim, dtype=dtype)
    grouped = text.num_key_value_heads < text.num_attention_heads
    with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), MemoryEvents() as events:
        events.mark("attention")
        scaled_dot_product_attention(query, keys, keys, is_causal=queries > 1, enable_gqa=grouped)
    (segment,) = events.segments()
    return segment.peak - segment.before


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
@pytest.mark.parametrize("groups", [2, 8])
@pytest.mark.parametrize(("queries", "positions"), [(8, 8), (64, 64), (300, 300), (1, 64), (1, 500)])
def test_math_takes_what_torch_allocates(
    dtype: torch.dtype, groups: int, queries: int, positions: int
) -> None:
    text = shapes(8, groups, 32)
    predicted = attention_bytes(
        text, "math", queries=queries, positions=positions, element_bytes=dtype.itemsize
    )
    assert predicted == seen(text, queries, positions, dtype)


@pytest.mark.parametrize(
    ("queries", "positions", "mib"),
    [(832, 832, 251.3), (1657, 1657, 881.1), (1, 1657, 90.9), (1, 8000, 438.5), (1, 32000, 1753.9)],
)
def test_math_at_the_shapes_of_the_4b_model(queries: int, positions: int, mib: float) -> None:
    """Seen by torch's profiler with torch 2.13."""
    found = attention_bytes(FOUR_B, "math", queries=queries, positions=positions, element_bytes=2)
    assert found / MIB == pytest.approx(mib, abs=0.06)


def test_a_fused_kernel_that_takes_no_groups_has_the_keys_and_values_of_every_head() -> None:
    grouped, repeated, flash, math = (
        attention_bytes(FOUR_B, kernel, queries=1657, positions=1657, element_bytes=2, is_grouped=is_grouped)
        for kernel, is_grouped in CALLS
    )
    assert repeated - grouped == 2 * 32 * 128 * 1657 * 2
    assert grouped == flash
    assert math_extra_bytes(FOUR_B, 1657, 2) == math - flash
