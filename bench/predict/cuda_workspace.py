"""Workspace of kernels on a CUDA device: of cuBLAS for the whole process, of cuDNN for one call. Pure.

cuBLAS. torch gives each handle and stream one workspace out of its own allocator, at the first product of
matrices, and keeps it. It is 2 x 4096 KiB + 8 x 16 KiB = 8.125 MiB, and 32 MiB on compute capability 9
(Hopper), 10 and 12 (Blackwell). Source: `parseChosenWorkspaceSize` in aten/src/ATen/cuda/CublasHandlePool.cpp
of torch 2.13; releases from before pull request 175344 (February 2026), 2.9.1 among them, take 8.125 MiB on
Blackwell too. `CUBLAS_WORKSPACE_CONFIG` changes it, and is ignored here. Products with a bias (`addmm`)
go through cuBLASLt, which shares that workspace since the two were unified; before, it took 1 MiB of its own.

cuDNN. Its kernels for tensor cores work on NHWC. For 16 bits in NCHW, which is what the encoder's stem has,
"the cuDNN library may use padding, folding, and NCHW-to-NHWC transformations to call the Tensor Core
operations" (cuDNN documentation, convolution functions). Copies of input, weight and output with channels
padded to multiples of 8 are therefore the upper bound. Winograd and FFT, which need more, are not available
for a stride of 2. The least is nothing: where one algorithm gets no memory, torch tries the next
(aten/src/ATen/native/cudnn/Conv_v8.cpp, which catches `OutOfMemoryError` around each plan). Both are bounds
from documents, not measurements: which algorithm cuDNN takes depends on its version and the card.
"""

from collections.abc import Sequence
from math import prod
from typing import Final

from bench.predict.trace import Kernel
from bench.units import MIB

CUBLAS_BYTES: Final = (2 * 4096 + 8 * 16) * 1024
CUBLAS_LARGE_BYTES: Final = 32 * MIB
_LARGE_ON: Final = frozenset({"9", "10", "12"})
_CHANNELS_TOGETHER: Final = 8
_SIXTEEN_BITS: Final = frozenset({"bfloat16", "float16"})
_BYTES: Final = 2
_PRODUCTS: Final = frozenset({"aten::mm", "aten::addmm", "aten::bmm", "aten::baddbmm"})


def cublas_workspace_bytes(compute_capability: str) -> int:
    """Bytes that torch keeps for cuBLAS from the first product on, per handle and stream: 8519680 on 8.9."""
    major = compute_capability.partition(".")[0]
    return CUBLAS_LARGE_BYTES if major in _LARGE_ON else CUBLAS_BYTES


def is_product(kernel: Kernel) -> bool:
    """Return whether cuBLAS computes this kernel: the first such one allocates its workspace."""
    return kernel.name in _PRODUCTS


def cudnn_layout_bytes(kernel: Kernel) -> int:
    """The most that cuDNN takes to change the layout of a convolution in 16 bits; 0 for all other kernels.

    A convolution whose input has its channels last has that layout already.
    """
    call = kernel.call
    if call is None or "convolution" not in kernel.name or call.dtype not in _SIXTEEN_BITS:
        return 0
    given, weight = call.inputs[:2]
    if _has_channels_last(given, call.strides[0]):
        return 0
    shapes = (given, call.output, (_padded(weight[0]), *weight[1:]))
    return _BYTES * sum(_in_own_layout(shape) for shape in shapes)


def no_workspace(_kernel: Kernel) -> int:
    """Return 0, for kernels that take no workspace."""
    return 0


def _in_own_layout(shape: Sequence[int]) -> int:
    """Values of a tensor [n, channels, ...] with its channels padded."""
    return shape[0] * _padded(shape[1]) * prod(shape[2:])


def _padded(channels: int) -> int:
    return -(-channels // _CHANNELS_TOGETHER) * _CHANNELS_TOGETHER


def _has_channels_last(shape: Sequence[int], strides: Sequence[int]) -> bool:
    return shape[1] > 1 and strides[1] == 1
