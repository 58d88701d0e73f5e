"""Workspace from small probes, held against the real operators at sizes that were not probed."""

import math
from collections.abc import Callable
from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from bench.predict import cpu_workspace
from bench.predict.cpu_workspace import ProbedWorkspace
from bench.predict.memory_events import MemoryEvents
from bench.predict.trace import Call, Kernel
from bench.records.enums import Phase

MIB = 2**20
ATTENTION = "aten::_scaled_dot_product_flash_attention_for_cpu"


def kernel(name: str, output: tuple[int, ...], *tensors: Tensor) -> Kernel:
    call = Call(
        inputs=tuple(tuple(tensor.shape) for tensor in tensors),
        strides=tuple(tuple(tensor.stride()) for tensor in tensors),
        output=output,
        dtype=str(tensors[0].dtype).removeprefix("torch."),
    )
    return Kernel(name, "", Phase.ENCODE, call)


def zeros(*shape: int, dtype: torch.dtype = torch.bfloat16) -> Tensor:
    return torch.zeros(*shape, dtype=dtype)


@torch.no_grad()
def seen(run: Callable[..., object], *tensors: Tensor) -> tuple[int, int]:
    """What the real operator takes beyond its outputs, and its outputs."""
    with MemoryEvents() as events:
        events.mark("here")
        result = run(*tensors)
        events.mark("over")
    segment = events.segments()[0]
    del result
    return segment.peak - segment.after, segment.after - segment.before


def stem(data: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    return torch.convolution(data, weight, bias, [2, 2], [1, 1], [1, 1], False, [0, 0], 1)


def close(found: int, real: tuple[int, int]) -> bool:
    """Within 5 %, or so little beside the output that it does not matter."""
    workspace, output = real
    return found == pytest.approx(workspace, rel=0.05, abs=0.001 * output)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
@pytest.mark.parametrize(("channels", "bins", "frames"), [(1, 128, 400), (480, 32, 100)])
def test_the_stem_at_a_number_of_chunks_that_was_not_probed(
    channels: int, bins: int, frames: int, dtype: torch.dtype
) -> None:
    tensors = (
        zeros(5, channels, bins, frames, dtype=dtype),
        zeros(480, channels, 3, 3, dtype=dtype),
        zeros(480, dtype=dtype),
    )
    asked = kernel("aten::convolution", (5, 480, bins // 2, frames // 2), *tensors)
    assert close(ProbedWorkspace()(asked), seen(stem, *tensors))


def test_chunks_that_are_cut_out_of_a_clip_are_copied_first() -> None:
    cut = zeros(1, 128, 5 * 400).unflatten(2, (5, 400)).permute(2, 0, 1, 3)  # type: ignore[no-untyped-call]
    tensors = cut, zeros(480, 1, 3, 3), zeros(480)
    found = ProbedWorkspace()(kernel("aten::convolution", (5, 480, 64, 200), *tensors))
    workspace, _ = seen(stem, *tensors)
    assert found == pytest.approx(workspace, rel=0.001)


def test_the_weight_of_a_batched_product_is_copied_for_each_chunk() -> None:
    """The projection of the stem, whose input is no contiguous tensor."""
    flat = zeros(7, 480, 16, 50).permute(0, 3, 1, 2).flatten(2)
    weight = zeros(1280, 7680).t()[None].expand(7, -1, -1)
    found = ProbedWorkspace()(kernel("aten::bmm", (7, 50, 1280), flat, weight))
    assert close(found, seen(torch.bmm, flat, weight))


@pytest.mark.parametrize("rows", [1, 93, 836, 2000])
def test_products_of_the_language_model(rows: int) -> None:
    data, weight = zeros(rows, 2560), zeros(9728, 2560).t()
    found = ProbedWorkspace()(kernel("aten::mm", (rows, 9728), data, weight))
    assert close(found, seen(torch.mm, data, weight))


def test_more_columns_take_no_more_or_a_copy_of_the_result() -> None:
    """The logits: 151,936 columns in the model, cut here to what a test can afford."""
    data, weight = zeros(300, 1280), zeros(30_000, 1280).t()
    found = ProbedWorkspace()(kernel("aten::mm", (300, 30_000), data, weight))
    assert close(found, seen(torch.mm, data, weight))


def test_a_batched_product_that_copies_its_weight_copies_all_columns() -> None:
    """The logits of the last position, whose hidden state is cut out of those of the prompt.

    Whether a weight is copied at all depends on the instructions of the CPU.
    """
    last, weight = zeros(1, 400, 256)[:, -1:], zeros(30_000, 256).t()[None]
    found = ProbedWorkspace()(kernel("aten::bmm", (1, 1, 30_000), last, weight))
    workspace, _ = real = seen(torch.bmm, last, weight)
    assert close(found, real)
    assert workspace == 0 or workspace > weight.nbytes


def test_a_product_with_a_bias() -> None:
    bias, data, weight = zeros(1280), zeros(1400, 5120), zeros(1280, 5120).t()
    for spread in (bias, bias.expand(1400, 1280)):
        found = ProbedWorkspace()(kernel("aten::addmm", (1400, 1280), spread, data, weight))
        assert close(found, seen(torch.addmm, spread, data, weight))


@pytest.mark.parametrize("positions", [50, 416, 2500])
def test_fused_attention_with_fewer_keys_than_queries(positions: int) -> None:
    query = zeros(1, positions, 8, 128).transpose(1, 2)
    key = zeros(1, positions, 2, 128).transpose(1, 2)
    value = zeros(1, positions, 2, 128).transpose(1, 2)
    asked = kernel(ATTENTION, (1, 8, positions, 128), query, key, value)
    attend = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
    real = seen(lambda *qkv: attend(*qkv, 0.0, True), query, key, value)
    assert close(ProbedWorkspace()(asked), real)


def test_fused_attention_over_many_chunks() -> None:
    qkv = [zeros(9, 20, 50, 64) for _ in range(3)]
    attend = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
    assert close(ProbedWorkspace()(kernel(ATTENTION, (9, 20, 50, 64), *qkv)), seen(attend, *qkv))


def test_eager_attention_in_both_products() -> None:
    query, key, value = zeros(32, 300, 128), zeros(32, 300, 128), zeros(32, 300, 128)
    scores, turned = zeros(32, 300, 300), key.transpose(1, 2)
    workspace = ProbedWorkspace()
    assert close(
        workspace(kernel("aten::bmm", (32, 300, 300), query, turned)), seen(torch.bmm, query, turned)
    )
    assert close(
        workspace(kernel("aten::bmm", (32, 300, 128), scores, value)), seen(torch.bmm, scores, value)
    )


def test_kernels_that_take_none_and_kernels_without_shapes() -> None:
    workspace = ProbedWorkspace()
    assert workspace(Kernel("aten::mm", "", Phase.ENCODE)) == 0
    assert workspace(kernel("aten::silu", (10,), zeros(10))) == 0


def test_what_was_prepared_is_not_run_again(monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = ProbedWorkspace()
    asked = [kernel("aten::mm", (rows, 64), zeros(rows, 32), zeros(64, 32).t()) for rows in (1, 7, 5000)]
    workspace.prepare(asked)
    before = [workspace(one) for one in asked]
    monkeypatch.delattr(cpu_workspace, "MemoryEvents")
    assert [workspace(one) for one in asked] == before


def test_one_machine_gives_one_answer() -> None:
    asked = kernel("aten::mm", (93, 1024), zeros(93, 2560), zeros(1024, 2560).t())
    assert ProbedWorkspace()(asked) == ProbedWorkspace()(asked)


LONG = st.integers(1, 40_960)


def meta(*shape: int) -> Tensor:
    return torch.empty(*shape, device="meta")


@given(rows=LONG, batch=st.integers(1, 64))
def test_no_probe_is_large_however_long_the_clip(rows: int, batch: int) -> None:
    asked = [
        kernel("aten::mm", (), meta(rows, 9728), meta(2560, 9728).t()),
        kernel("aten::mm", (), meta(rows, 2560), meta(151_936, 2560).t()),
        kernel("aten::bmm", (), meta(batch, rows, 128), meta(batch, rows, 128).transpose(1, 2)),
        kernel("aten::bmm", (), meta(batch, rows, rows), meta(batch, rows, 128)),
        kernel("aten::bmm", (), meta(1, 1, 2560), meta(1, 151_936, 2560).transpose(1, 2)),
        kernel("aten::convolution", (batch, 480, 64, 200), meta(batch, 1, 128, 400), meta(480, 1, 3, 3)),
        kernel(ATTENTION, (), *(meta(1, 32, rows, 128) for _ in range(3))),
    ]
    for one in asked:
        operation = cpu_workspace._operation(one)
        assert operation is not None
        for probe in cpu_workspace._probes(operation):
            assert all(math.prod(shape) * 4 <= 128 * MIB for shape in probe.shapes)


@given(st.permutations(range(3)), st.tuples(*[st.integers(2, 9)] * 3), st.integers(0, 2), st.integers(1, 30))
def test_a_resized_tensor_keeps_the_order_of_its_strides(
    order: list[int], shape: tuple[int, int, int], axis: int, size: int
) -> None:
    back = [order.index(place) for place in range(3)]
    tensor = torch.empty([shape[place] for place in order], device="meta").permute(back)
    wanted = [size if place == axis else length for place, length in enumerate(shape)]
    made = torch.empty([wanted[place] for place in order], device="meta").permute(back)
    found = cpu_workspace._packed(tuple(tensor.shape), tensor.stride(), tuple(wanted))
    assert found == made.stride()
    inward = [found[place] for place in order]
    assert all(outer >= inner for outer, inner in pairwise(inward))
