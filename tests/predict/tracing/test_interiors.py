"""One call of SDPA in a trace, held against torch's profiler: allocation by allocation."""

from contextlib import AbstractContextManager
from itertools import accumulate
from typing import Literal

import pytest
import torch
import torch.nn.functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel

from bench.predict.memory_events import MemoryEvents
from bench.predict.tracing.interiors import interior_of
from bench.predict.tracing.meta import META, LikeCpu
from bench.predict.tracing.recorder import Recorder
from bench.records.enums import AttentionKernel

MIB = 2**20
NUMBERS_OF_A_CPU = (4, 8)
"""A CPU allocates the number that a tensor is multiplied by, in float64 and in the type of the product."""


def inputs(queries: int, keys: int, dtype: torch.dtype) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Query, key and value of the released models, laid out as in the language model."""
    query = torch.zeros(1, queries, 32, 128, dtype=dtype).transpose(1, 2)
    return query, torch.zeros(1, 8, keys, 128, dtype=dtype), torch.zeros(1, 8, keys, 128, dtype=dtype)


def attend(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    return F.scaled_dot_product_attention(query, key, value, is_causal=query.shape[2] > 1, enable_gqa=True)


def chosen(kernel: AttentionKernel) -> AbstractContextManager[None]:
    return sdpa_kernel(SDPBackend.MATH if kernel == "math" else SDPBackend.FLASH_ATTENTION)


def traced(
    kernel: AttentionKernel, kind: Literal["cpu", "cuda"], queries: int, keys: int
) -> list[tuple[str, int]]:
    """Return the changes of memory in one call, with the operator that made each."""
    recorder = Recorder(1, interior_of(kernel, kind))
    with META, LikeCpu(), torch.no_grad():
        given = inputs(queries, keys, torch.bfloat16)
        with recorder, chosen(kernel):
            result = attend(*given)
    found = recorder.recording()
    sizes = {event.block: event.size_bytes for event in found.events if event.size_bytes}
    assert result.shape == (1, 32, queries, 128)
    return [
        (found.kernels[event.kernel].name, event.size_bytes or -sizes[event.block]) for event in found.events
    ]


def seen(kernel: AttentionKernel, queries: int, keys: int) -> list[int]:
    """Return the changes of memory in the real call."""
    given = inputs(queries, keys, torch.bfloat16)
    with MemoryEvents() as events, torch.no_grad(), chosen(kernel):
        events.mark("attention")
        result = attend(*given)
        events.mark("")
    del result
    (attention, *_) = events.segments()
    return [
        change.size_bytes
        for change in attention.changes
        if not (
            abs(change.size_bytes) in NUMBERS_OF_A_CPU and "aten::mul" in events.operators_at(change.time_ns)
        )
    ]


@pytest.mark.parametrize(("queries", "keys"), [(24, 24), (1, 40)])
def test_math_allocates_and_releases_as_the_profiler_sees_it(queries: int, keys: int) -> None:
    assert [size for _, size in traced("math", "cpu", queries, keys)] == seen("math", queries, keys)


@pytest.mark.parametrize(
    ("queries", "keys", "peak_mib"),
    [
        (832, 832, 251.29),
        (1657, 1657, 881.15),
        (1, 832, 45.63),
        (1, 1657, 90.85),
        (1, 8000, 438.51),
        (1, 32000, 1753.94),
    ],
)
def test_the_peak_of_math_is_the_one_that_was_measured(queries: int, keys: int, peak_mib: float) -> None:
    """By the profiler, on a CPU, with torch 2.13."""
    peak = max(accumulate(size for _, size in traced("math", "cuda", queries, keys)))
    assert peak / MIB == pytest.approx(peak_mib, abs=0.01)


def test_a_fused_kernel_allocates_its_output_and_flash_a_number_for_each_query() -> None:
    output, logsumexp = 24 * 32 * 128 * 2, 24 * 32 * 4
    flash = [size for _, size in traced("flash", "cuda", 24, 24)]
    assert flash == [output, logsumexp, -logsumexp]
    assert traced("memory_efficient", "cuda", 24, 24) == [
        ("aten::_scaled_dot_product_efficient_attention", output)
    ]


def test_a_cpu_has_one_fused_kernel() -> None:
    assert traced("memory_efficient", "cpu", 24, 24) == traced("flash", "cpu", 24, 24)
