"""Memory of one generation, per phase: the framework's live bytes and the process's resident set."""

import gc
import os
import sys
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import psutil
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from bench.records.schema import PhaseMemory
from bench.records.words import Phase


class Resident:
    """The resident set of this process and its peak since the last reset.

    Linux keeps the peak itself (VmHWM) and resets it when 5 is written to clear_refs (proc(5)): exact,
    with no sampling. Elsewhere the peak of a phase is not to be had, and is None.
    """

    def __init__(self) -> None:
        self._process = psutil.Process()
        self.source = "VmHWM of proc(5), reset at each phase" if self._reset_peak() else None

    def now(self) -> int:
        """Resident bytes."""
        return int(self._process.memory_info().rss)

    def begin(self) -> None:
        """Start a new peak."""
        self._reset_peak()

    def peak(self) -> int | None:
        """Largest resident set since `begin`, in bytes; None where the system cannot tell."""
        if self.source is None:
            return None
        status = Path("/proc/self/status").read_text(encoding="ascii")
        line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024

    @staticmethod
    def _reset_peak() -> bool:
        if sys.platform != "linux":
            return False
        try:
            descriptor = os.open("/proc/self/clear_refs", os.O_WRONLY)
        except OSError:  # some containers mount proc read-only
            return False
        try:
            os.write(descriptor, b"5")
        except OSError:
            return False
        finally:
            os.close(descriptor)
        return True


class Allocated(Protocol):
    """The framework's own count of live bytes."""

    source: str

    def begin(self) -> None:
        """Start a new peak at what is live now."""

    def now(self) -> int:
        """Live bytes."""

    def peak(self) -> int:
        """Most live bytes since `begin`."""

    def reserved_peak(self) -> int | None:
        """Most bytes held by the caching allocator since `begin`; None where there is no such allocator."""


class CudaAllocated:
    """The CUDA caching allocator's counters."""

    source = "CUDA caching allocator"

    def __init__(self, device: torch.device) -> None:
        self._device = device

    def give_back(self) -> None:
        """Return cached blocks to the driver, so that a peak holds nothing of what ran before."""
        gc.collect()
        torch.cuda.synchronize(self._device)
        torch.cuda.empty_cache()

    def begin(self) -> None:
        """Start a new peak."""
        torch.cuda.reset_peak_memory_stats(self._device)

    def now(self) -> int:
        """Live bytes."""
        return int(torch.cuda.memory_allocated(self._device))

    def peak(self) -> int:
        """Most live bytes."""
        return int(torch.cuda.max_memory_allocated(self._device))

    def reserved_peak(self) -> int:
        """Most bytes reserved."""
        return int(torch.cuda.max_memory_reserved(self._device))


@dataclass(slots=True)
class _Storage:
    """A storage that is alive, and the bytes that were counted for it."""

    reference: weakref.ref[torch.UntypedStorage]
    size: int


def _tensors(result: object) -> Iterator[torch.Tensor]:
    """The tensors in what an operator returns: one, a tuple, or a tuple with lists in it."""
    if isinstance(result, torch.Tensor):
        yield result
    elif isinstance(result, tuple | list):
        for part in result:
            yield from _tensors(part)


class AllocationTracker(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts the bytes of every storage that an operator returns for as long as it lives.

    It sees what the dispatcher sees: workspace that a kernel takes and gives back inside one operator is not
    in it (on the CPU there is no allocator to ask). Storages that were alive before it was entered are added
    with `adopt`.
    """

    source = "allocation tracker (tensors that the dispatcher sees)"

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._live = 0
        self._peak = 0
        self._known: dict[int, _Storage] = {}

    def __torch_dispatch__(
        self,
        func: Callable[..., Any],
        types: tuple[type, ...],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Run one operator and count what it returns."""
        result = func(*args, **(kwargs or {}))
        for tensor in _tensors(result):
            self.adopt(tensor)
        return result

    def adopt(self, tensor: torch.Tensor) -> None:
        """Count the storage of a tensor, once, until it is freed; a storage that was resized, anew."""
        storage = tensor.untyped_storage()
        key, size = storage._cdata, storage.nbytes()
        known = self._known.get(key)
        if known is None:
            self._known[key] = _Storage(weakref.ref(storage, partial(self._release, key)), size)
            self._live += size
        else:
            self._live += size - known.size
            known.size = size
        self._peak = max(self._peak, self._live)

    def _release(self, key: int, _reference: object) -> None:
        self._live -= self._known.pop(key).size

    def begin(self) -> None:
        """Start a new peak at what is live now."""
        self._peak = self._live

    def now(self) -> int:
        """Live bytes."""
        return self._live

    def peak(self) -> int:
        """Most live bytes."""
        return self._peak

    def reserved_peak(self) -> None:
        """The CPU has no caching allocator."""


class MemoryWatch:
    """An observer that takes the peaks of each phase of one generation."""

    def __init__(self, allocated: Allocated, resident: Resident) -> None:
        self._allocated = allocated
        self._resident = resident
        self._current: Phase | None = None
        self.phases: dict[Phase, PhaseMemory] = {}

    def begin(self, phase: Phase) -> None:
        """Close the phase before, and start new peaks."""
        self._close()
        self._current = phase
        self._allocated.begin()
        self._resident.begin()

    def token(self) -> None:
        """Tokens change no phase here: the engine begins `decode` after the first."""

    def end(self) -> None:
        """Close the last phase."""
        self._close()
        self._current = None

    def _close(self) -> None:
        if self._current is None:
            return
        self.phases[self._current] = PhaseMemory(
            allocated_peak_bytes=self._allocated.peak(),
            allocated_end_bytes=self._allocated.now(),
            reserved_peak_bytes=self._allocated.reserved_peak(),
            resident_peak_bytes=self._resident.peak(),
            resident_end_bytes=self._resident.now(),
        )
