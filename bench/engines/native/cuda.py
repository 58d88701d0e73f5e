"""Opens the CUDA context of a worker, with a limit on its memory if a card is emulated."""

import math

import torch

from bench.errors import FullCardError, MachineError
from bench.hardware.cuda_versions import is_too_old, not_started
from bench.hardware.system import this_system
from bench.records.reasons import NoContextFits
from bench.text import clean
from bench.units import both_units
from bench.wording.outcomes import reason


def require_cuda(device_kind: str) -> None:
    """Check that torch can use the card, before anything is loaded.

    Raises:
        MachineError: a build without CUDA, a driver that it cannot work with, or a CUDA that does not start.
    """
    if device_kind != "cuda" or torch.cuda.is_available():
        return
    if torch.version.cuda is None:
        raise MachineError(
            f"torch {torch.__version__} is built for the CPU only",
            hint="Install one for the card: make bench TORCH=cu130, or see the README",
        )
    from bench.hardware.nvml import driver_cuda

    speaks, built_for = driver_cuda(), torch.version.cuda
    if is_too_old(speaks, built_for) is False:
        what, fix = not_started(speaks, built_for, this_system())
        raise MachineError(what, hint=f"{fix}. `bench doctor` looks for other causes")
    raise MachineError(
        f"torch {torch.__version__} (CUDA {built_for}) cannot use this card's driver",
        hint="Update the NVIDIA driver, or install torch 2.9.1 with TORCH=cu128",
    )


def open_context(limit_bytes: int | None) -> None:
    """Create the CUDA context of this process on its one card, with one tensor of 512 bytes.

    With `limit_bytes`, the caching allocator never holds more than that from here on.

    Raises:
        FullCardError: not even a context fits.
        MachineError: the card cannot run a kernel of this torch, or is smaller than the limit.
    """
    try:
        if limit_bytes is not None:
            _limit(limit_bytes)
        torch.zeros(1, device="cuda")
        torch.cuda.synchronize()
    except RuntimeError as error:
        if is_full(error):
            raise FullCardError(
                reason(NoContextFits()),
                hint="Close the programs that nvidia-smi lists, then try again",
            ) from error
        lines = str(error).splitlines() or [type(error).__name__]
        raise MachineError(
            f"the card cannot be used: {clean(lines[0])}",
            hint="`bench doctor` looks for the cause",
        ) from error


def is_full(error: RuntimeError) -> bool:
    """Whether this error at the first use of a card says that it has no memory left.

    The allocator, the runtime (`CUDA error`) and the driver (`CUDA driver error`) all use the same words.
    """
    return isinstance(error, torch.OutOfMemoryError) or "out of memory" in str(error)


def _limit(limit_bytes: int) -> None:
    device = torch.cuda.current_device()
    total = int(torch.cuda.get_device_properties(device).total_memory)
    if limit_bytes >= total:  # a fraction of 1 is no limit
        raise MachineError(
            f"the emulated card would leave {both_units(limit_bytes)}; CUDA sees only {both_units(total)}",
            hint="Only a smaller card can be emulated",
        )
    torch.cuda.set_per_process_memory_fraction(fraction_of(limit_bytes, total), device)


def fraction_of(limit_bytes: int, total_bytes: int) -> float:
    """Return the fraction of a total (below 2**53) for which the allocator computes exactly this limit.

    It computes `size_t(fraction * double(total))` (setMemoryFraction in c10/cuda/CUDACachingAllocator.cpp),
    so that a quotient that was rounded down costs a byte, and with it a whole block.
    """
    fraction = limit_bytes / total_bytes
    while int(fraction * total_bytes) < limit_bytes:
        fraction = math.nextafter(fraction, 1.0)
    return fraction
