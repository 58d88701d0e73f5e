"""Recognises errors that mean exhausted memory, and turns them into outcomes."""

import re

import torch

from bench.errors import MachineError
from bench.measure.tracker import EmulatedMemoryError
from bench.records.cell import OutOfMemory
from bench.records.enums import Phase
from bench.records.reasons import DeviceRefused, HostRefused
from bench.store.scrub import scrub
from bench.units import MIB, both_units
from bench.wording import outcomes

# c10/core/impl/alloc_cpu.cpp: "DefaultCPUAllocator: can't allocate memory: you tried to allocate N bytes."
_CPU_ALLOCATOR = re.compile(
    r"DefaultCPUAllocator: (?:can't allocate|not enough) memory.*?allocate (\d+) bytes", re.S
)
# Errors of CUDA and its libraries when they, and not torch's allocator, get no memory.
_CUDA_LIBRARIES = re.compile(
    r"CUDA (?:driver )?error: out of memory|CUDA_ERROR_OUT_OF_MEMORY"
    r"|CUBLAS_STATUS_ALLOC_FAILED|CUDNN_STATUS_ALLOC_FAILED"
    r"|CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED"
    # On a MIG slice in a container torch's allocator fails in NVML while it writes its message.
    r"|NVML_SUCCESS == .*INTERNAL ASSERT FAILED.*CUDACachingAllocator"
)
_HOST_OF_A_LIBRARY = "CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED"
# A convolution tries one engine after another and reports exhausted memory as this; the allocator counts it.
_NO_ENGINE = "unable to find an engine to execute this computation"
# cuBLAS reports a broken installation in the same way: it means memory only if hardly any is free.
_NO_HANDLE = "CUBLAS_STATUS_NOT_INITIALIZED"
_HARDLY_ANY = 256 * MIB
# format_size in c10/cuda/CUDACachingAllocator.cpp: two decimals, whole bytes up to 1024.
_CUDA_REQUEST = re.compile(r"Tried to allocate (\d+(?:\.\d+)?) (bytes|KiB|MiB|GiB)")
_FACTORS = {"bytes": 1, "KiB": 2**10, "MiB": MIB, "GiB": 2**30}


def out_of_memory(
    error: BaseException, phase: Phase | None, device: torch.device, limit_bytes: int | None = None
) -> OutOfMemory | None:
    """Return the outcome if this error means that the device's memory ran out, else None.

    `limit_bytes` is the limit of the CUDA caching allocator on an emulated card.

    Raises:
        MachineError: a graphics card was computing, and the machine's memory ran out instead of the card's.
    """
    if isinstance(error, EmulatedMemoryError):
        return outcomes.out_of_memory(
            error.reason,
            phase=phase,
            requested_bytes=error.reason.requested_bytes,
            free_bytes=error.reason.free_bytes,
        )
    if isinstance(error, torch.OutOfMemoryError) or (
        device.type == "cuda" and _from_a_library(error, device)
    ):
        return _on_device(error, phase, device, limit_bytes)
    on_cpu = _CPU_ALLOCATOR.search(str(error))
    if on_cpu is None and not isinstance(error, MemoryError) and _HOST_OF_A_LIBRARY not in str(error):
        return None
    requested_bytes = int(on_cpu[1]) if on_cpu is not None else None
    if device.type == "cuda":
        raise _not_of_the_card(requested_bytes) from error
    return _on_host(phase, requested_bytes)


def _from_a_library(error: BaseException, device: torch.device) -> bool:
    text = str(error)
    if _NO_HANDLE in text:
        free = _free_bytes(device)
        return free is not None and free < _HARDLY_ANY
    if _NO_ENGINE in text:
        return int(torch.cuda.memory_stats(device).get("num_ooms", 0)) > 0
    return _CUDA_LIBRARIES.search(text) is not None


def _free_bytes(device: torch.device) -> int | None:
    try:
        return torch.cuda.mem_get_info(device)[0]
    except RuntimeError:  # after some errors the driver no longer answers in this process
        return None


def _on_device(
    error: BaseException, phase: Phase | None, device: torch.device, limit_bytes: int | None
) -> OutOfMemory:
    request = _CUDA_REQUEST.search(str(error))
    asked = round(float(request[1]) * _FACTORS[request[2]]) if request else None
    # Tensors of the failed call are still alive: the error's traceback refers to them.
    reserved = torch.cuda.memory_reserved(device) if device.type == "cuda" else None
    return outcomes.out_of_memory(
        DeviceRefused(error=scrub(str(error).splitlines()[0])[:300]),
        phase=phase,
        requested_bytes=asked,
        free_bytes=_least(
            _free_bytes(device) if device.type == "cuda" else None,
            max(0, limit_bytes - reserved) if limit_bytes is not None and reserved is not None else None,
        ),
        reserved_bytes=reserved,
    )


def _least(*sizes: int | None) -> int | None:
    return min((size for size in sizes if size is not None), default=None)


def _not_of_the_card(requested_bytes: int | None) -> MachineError:
    asked = f" and refused {both_units(requested_bytes)}" if requested_bytes is not None else ""
    return MachineError(
        f"the machine's own memory ran out{asked}, not the card's", hint="Close programs or add swap space"
    )


def _on_host(phase: Phase | None, requested_bytes: int | None) -> OutOfMemory:
    return outcomes.out_of_memory(
        HostRefused(requested_bytes=requested_bytes, phase=phase),
        phase=phase,
        requested_bytes=requested_bytes,
    )
