"""Errors that mean memory, and errors that do not."""

import traceback

import pytest
import torch

from bench.engines.native.out_of_memory import out_of_memory
from bench.errors import MachineError
from bench.measure.tracker import EmulatedMemoryError
from bench.records.enums import Phase
from bench.records.reasons import EmulatedCardFull
from bench.run.child import cause

_HOST = "CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED"
CPU, CUDA = torch.device("cpu"), torch.device("cuda")


@pytest.mark.parametrize(
    "message",
    [
        "CUDA error: out of memory\nCUDA kernel errors might be asynchronously reported",
        "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
        "cuDNN error: CUDNN_STATUS_ALLOC_FAILED",
        "CUDA driver error: out of memory",
        "cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED",
        'NVML_SUCCESS == r INTERNAL ASSERT FAILED at "c10/cuda/CUDACachingAllocator.cpp":1016, please report',
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


@pytest.mark.parametrize(("ooms", "is_memory"), [(3, True), (0, False)])
def test_a_convolution_without_an_engine_means_memory_only_where_the_allocator_refused_some(
    ooms: int, is_memory: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "memory_stats", lambda device: {"num_ooms": ooms})
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (0, 12_000_000_000))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda device: 0)
    error = RuntimeError("GET was unable to find an engine to execute this computation")
    assert (out_of_memory(error, Phase.ENCODE, CUDA) is not None) is is_memory


@pytest.mark.parametrize(("free", "is_memory"), [(10_000_000, True), (8_000_000_000, False)])
def test_a_handle_that_cannot_be_made_means_memory_only_where_none_is_left(
    free: int, is_memory: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (free, 12_000_000_000))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda device: 0)
    error = RuntimeError("CUDA error: CUBLAS_STATUS_NOT_INITIALIZED when calling `cublasCreate(handle)`")
    assert (out_of_memory(error, None, CUDA) is not None) is is_memory


# As torch writes it, on one line (malloc in c10/cuda/CUDACachingAllocator.cpp).
CUDA_TEXT = (
    "CUDA out of memory. Tried to allocate {asked}. GPU 0 has a total capacity of 23.65 GiB of which "
    "12.51 GiB is free. Including non-PyTorch memory, this process has 11.13 GiB memory in use. {allowed}"
    "Of the allocated memory 10.02 GiB is allocated by PyTorch, and 632.00 MiB "
    "is reserved by PyTorch but unallocated."
)


@pytest.mark.parametrize(
    ("asked", "requested_bytes"),
    [("1.50 GiB", 1_610_612_736), ("20.00 MiB", 20_971_520), ("2.00 KiB", 2048), ("512 bytes", 512)],
)
def test_what_the_allocator_says_becomes_bytes(
    asked: str, requested_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (300_000_000, 24_000_000_000))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda device: 11_000_000_000)
    error = torch.OutOfMemoryError(CUDA_TEXT.format(asked=asked, allowed=""))
    outcome = out_of_memory(error, Phase.PREFILL, CUDA)
    assert outcome is not None
    assert (outcome.requested_bytes, outcome.free_bytes) == (requested_bytes, 300_000_000)
    assert outcome.reserved_bytes == 11_000_000_000


@pytest.mark.parametrize(("device_free", "free"), [(13_000_000_000, 500_000_000), (200_000_000, 200_000_000)])
def test_on_an_emulated_card_free_is_what_the_limit_leaves(
    device_free: int, free: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unless the real card has even less."""
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (device_free, 24_000_000_000))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda device: 11_000_000_000)
    error = torch.OutOfMemoryError(CUDA_TEXT.format(asked="1.50 GiB", allowed="10.71 GiB allowed; "))
    outcome = out_of_memory(error, Phase.DECODE, CUDA, limit_bytes=11_500_000_000)
    assert outcome is not None
    assert outcome.free_bytes == free


def test_an_emulated_card_on_a_cpu_tells_exact_bytes() -> None:
    full = EmulatedCardFull(requested_bytes=700, free_bytes=300, limit_bytes=1000)
    error = EmulatedMemoryError(full)
    outcome = out_of_memory(error, Phase.ENCODE, CPU, limit_bytes=1000)
    assert outcome is not None
    assert outcome.reason_code == full
    assert (outcome.requested_bytes, outcome.free_bytes, outcome.reserved_bytes) == (700, 300, None)
    assert outcome.phase is Phase.ENCODE


HOST_TEXT = (
    "[enforce fail at alloc_cpu.cpp:130] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to "
    "allocate 8000000000 bytes. Error code 12 (Cannot allocate memory)"
)


@pytest.mark.parametrize("error", [RuntimeError(HOST_TEXT), MemoryError()])
def test_a_machine_without_memory_is_no_verdict_on_its_card(error: BaseException) -> None:
    on_cpu = out_of_memory(error, Phase.LOAD, CPU)
    assert on_cpu is not None
    assert on_cpu.requested_bytes == (8_000_000_000 if isinstance(error, RuntimeError) else None)
    with pytest.raises(MachineError, match="machine's own memory ran out"):
        out_of_memory(error, Phase.LOAD, CUDA)


def test_a_library_without_memory_of_the_machine_is_no_verdict_on_the_card_either() -> None:
    with pytest.raises(MachineError, match="machine's own memory"):
        out_of_memory(RuntimeError("cuDNN error: " + _HOST), Phase.ENCODE, CUDA)


def test_the_reason_of_the_failure_names_the_memory_of_the_machine() -> None:
    with pytest.raises(MachineError) as raised:
        out_of_memory(MemoryError(), Phase.LOAD, CUDA)
    tail = tuple("".join(traceback.format_exception(raised.value)).splitlines())
    assert "machine's own memory ran out, not the card's" in cause(tail)


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
