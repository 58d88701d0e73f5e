"""Workspace against figures worked out by hand."""

import pytest

from bench.hardware.catalog import cards
from bench.predict.cuda_workspace import cublas_workspace_bytes, cudnn_layout_bytes, no_workspace
from bench.predict.trace import Call, Kernel
from bench.records.enums import Phase
from bench.units import MIB


def convolution(chunks: int, given: tuple[int, int, int], out: tuple[int, int, int], dtype: str) -> Kernel:
    """A 3 x 3 convolution in NCHW."""
    channels, height, width = given
    inputs = ((chunks, *given), (out[0], channels, 3, 3))
    strides = (
        (channels * height * width, height * width, width, 1),
        (channels * 9, 9, 3, 1),
    )
    call = Call(inputs=inputs, strides=strides, output=(chunks, *out), dtype=dtype)
    return Kernel("aten::convolution", "audio_encoder.conv", Phase.ENCODE, call)


@pytest.mark.parametrize(
    ("capabilities", "expected"),
    [(("7.5", "8.0", "8.6", "8.9"), 8519680), (("9.0", "10.0", "12.0", "12.1"), 32 * MIB)],
)
def test_cublas_takes_what_torch_gives_it(capabilities: tuple[str, ...], expected: int) -> None:
    assert {cublas_workspace_bytes(capability) for capability in capabilities} == {expected}


def test_every_card_of_the_catalog_has_a_cublas_workspace() -> None:
    assert {cublas_workspace_bytes(card.compute_capability) for card in cards()} == {8519680, 32 * MIB}


def test_the_second_convolution_of_a_long_clip_may_be_copied_as_a_whole() -> None:
    kernel = convolution(64, (480, 64, 200), (480, 32, 100), "bfloat16")
    given, out, weight = 64 * 480 * 64 * 200, 64 * 480 * 32 * 100, 480 * 480 * 9
    assert cudnn_layout_bytes(kernel) == 2 * (given + out + weight)


def test_channels_are_padded_to_eight() -> None:
    kernel = convolution(2, (1, 128, 400), (12, 64, 200), "float16")
    given, out, weight = 2 * 8 * 128 * 400, 2 * 16 * 64 * 200, 16 * 8 * 9
    assert cudnn_layout_bytes(kernel) == 2 * (given + out + weight)


def test_there_is_nothing_to_copy_in_32_bits_or_for_other_kernels() -> None:
    assert cudnn_layout_bytes(convolution(1, (8, 4, 4), (8, 2, 2), "float32")) == 0
    call = Call(((4, 4), (4, 4)), ((4, 1), (4, 1)), (4, 4), "bfloat16")
    assert cudnn_layout_bytes(Kernel("aten::mm", "lm_head", Phase.PREFILL, call)) == 0
    assert cudnn_layout_bytes(Kernel("aten::convolution", "", Phase.ENCODE)) == 0
    assert no_workspace(Kernel("aten::mm", "lm_head", Phase.PREFILL, call)) == 0


def test_channels_last_need_no_copy() -> None:
    call = Call(((1, 8, 4, 4), (8, 8, 3, 3)), ((128, 1, 32, 8), (72, 9, 3, 1)), (1, 8, 2, 2), "bfloat16")
    assert cudnn_layout_bytes(Kernel("aten::convolution", "", Phase.ENCODE, call)) == 0
