"""Errors that mean memory, and errors that do not."""

import pytest
import torch

from bench.records.words import Phase
from bench.run.child import cause
from bench.run.out_of_memory import out_of_memory

CPU, CUDA = torch.device("cpu"), torch.device("cuda")


@pytest.mark.parametrize(
    "message",
    [
        "CUDA error: out of memory\nCUDA kernel errors might be asynchronously reported",
        "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
        "cuDNN error: CUDNN_STATUS_ALLOC_FAILED",
    ],
)
def test_libraries_that_find_no_room_on_the_card_are_out_of_memory(
    message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (1_000_000, 12_000_000_000))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda device: 11_000_000_000)
    outcome = out_of_memory(RuntimeError(message), Phase.PREFILL, CUDA)
    assert outcome is not None
    assert (outcome.phase, outcome.free_bytes) == (Phase.PREFILL, 1_000_000)
    assert out_of_memory(RuntimeError(message), Phase.PREFILL, CPU) is None


@pytest.mark.parametrize(("free", "is_memory"), [(10_000_000, True), (8_000_000_000, False)])
def test_a_handle_that_cannot_be_made_means_memory_only_where_none_is_left(
    free: int, is_memory: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (free, 12_000_000_000))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda device: 0)
    error = RuntimeError("CUDA error: CUBLAS_STATUS_NOT_INITIALIZED when calling `cublasCreate(handle)`")
    assert (out_of_memory(error, None, CUDA) is not None) is is_memory


def test_other_errors_are_not() -> None:
    assert out_of_memory(RuntimeError("CUDA error: no kernel image is available"), None, CPU) is None
    assert out_of_memory(ValueError("out of range"), None, CPU) is None


def test_the_cause_is_the_line_that_names_the_error() -> None:
    tail = (
        'File "<path>/worker.py", line 72, in main',
        "torch.AcceleratorError: CUDA error: no kernel image is available for execution on the device",
        "CUDA kernel errors might be asynchronously reported at some other API call.",
        "Compile with `TORCH_USE_CUDA_DSA` to enable device-side assertions.",
    )
    assert cause(tail) == tail[1]
    assert cause(("killed",)) == "killed"
