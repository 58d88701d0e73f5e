"""Tells running out of memory from every other error, and what was known at that moment."""

import re

import torch

from bench.records.schema import OutOfMemory
from bench.records.scrub import scrub
from bench.records.words import Phase
from bench.units import MIB, both_units

# c10/core/impl/alloc_cpu.cpp: "DefaultCPUAllocator: can't allocate memory: you tried to allocate N bytes."
_CPU_ALLOCATOR = re.compile(
    r"DefaultCPUAllocator: (?:can't allocate|not enough) memory.*?allocate (\d+) bytes", re.S
)
# What CUDA and its libraries say when they, and not torch's allocator, find no room.
_CUDA_LIBRARIES = re.compile(
    r"CUDA error: out of memory|CUBLAS_STATUS_ALLOC_FAILED|CUDNN_STATUS_ALLOC_FAILED|CUDA_ERROR_OUT_OF_MEMORY"
)
# cuBLAS also says this of a broken installation: it means memory only where hardly any is left.
_NO_HANDLE = "CUBLAS_STATUS_NOT_INITIALIZED"
_HARDLY_ANY = 256 * MIB
_CUDA_REQUEST = re.compile(r"Tried to allocate (\d+(?:\.\d+)?) (KiB|MiB|GiB)")
_FACTORS = {"KiB": 2**10, "MiB": MIB, "GiB": 2**30}


def out_of_memory(error: BaseException, phase: Phase | None, device: torch.device) -> OutOfMemory | None:
    """The outcome, if this error means that memory ran out; else None."""
    if isinstance(error, torch.OutOfMemoryError) or (
        device.type == "cuda" and _from_a_library(error, device)
    ):
        return _on_device(error, phase, device)
    on_cpu = _CPU_ALLOCATOR.search(str(error))
    if on_cpu is not None:
        return _on_host(phase, int(on_cpu[1]))
    return _on_host(phase, None) if isinstance(error, MemoryError) else None


def _from_a_library(error: BaseException, device: torch.device) -> bool:
    text = str(error)
    if _NO_HANDLE in text:
        free = _free_bytes(device)
        return free is not None and free < _HARDLY_ANY
    return _CUDA_LIBRARIES.search(text) is not None


def _free_bytes(device: torch.device) -> int | None:
    try:
        return torch.cuda.mem_get_info(device)[0]
    except RuntimeError:  # after some errors the driver answers nothing more in this process
        return None


def _on_device(error: BaseException, phase: Phase | None, device: torch.device) -> OutOfMemory:
    request = _CUDA_REQUEST.search(str(error))
    asked = round(float(request[1]) * _FACTORS[request[2]]) if request else None
    cuda = device.type == "cuda"
    return OutOfMemory(
        reason=scrub(str(error).splitlines()[0])[:300],
        phase=phase,
        requested_bytes=asked,
        free_bytes=_free_bytes(device) if cuda else None,
        reserved_bytes=torch.cuda.memory_reserved(device) if cuda else None,
    )


def _on_host(phase: Phase | None, requested_bytes: int | None) -> OutOfMemory:
    asked = f" for {both_units(requested_bytes)}" if requested_bytes is not None else ""
    return OutOfMemory(
        reason=f"the machine refused memory{asked} in {phase or 'set-up'}",
        phase=phase,
        requested_bytes=requested_bytes,
    )
