"""What is there after each event of a stretch of a trace, and its highest moment. Pure.

A kernel takes its workspace once its outputs are there, at the last of its allocations, and gives it back
when it ends.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

ByteCounts = NDArray[np.int64]
Indices = NDArray[np.int64]
Flags = NDArray[np.bool_]

NOBODY: Final = -1
"""In place of the index of a kernel."""


@dataclass(frozen=True, slots=True)
class Peak:
    """The highest of some moments, as parts and by the index of its kernel; and the most of two parts."""

    cache_bytes: int
    activations_bytes: int
    workspace_bytes: int
    kernel: int
    activations_peak_bytes: int
    workspace_peak_bytes: int

    @property
    def allocated_bytes(self) -> int:
        """All three parts."""
        return self.cache_bytes + self.activations_bytes + self.workspace_bytes


@dataclass(frozen=True, slots=True)
class MemorySeries:
    """Bytes at each moment: the first is what was there before, each other follows an event."""

    cache: ByteCounts
    activations: ByteCounts
    workspace: ByteCounts
    kernels: Indices

    def between(self, first: int, end: int) -> "MemorySeries":
        """From before event number `first` until after the last one before `end`."""
        part = slice(first, end + 1)
        workspace, kernels = self.workspace[part].copy(), self.kernels[part].copy()
        workspace[0], kernels[0] = 0, NOBODY  # of the kernel before, which has ended
        return MemorySeries(self.cache[part], self.activations[part], workspace, kernels)

    def peak(self) -> Peak:
        """The highest moment, the earliest of equals."""
        place = int(np.argmax(self.cache + self.activations + self.workspace))
        return Peak(
            cache_bytes=int(self.cache[place]),
            activations_bytes=int(self.activations[place]),
            workspace_bytes=int(self.workspace[place]),
            kernel=int(self.kernels[place]),
            activations_peak_bytes=int(self.activations.max()),
            workspace_peak_bytes=int(self.workspace.max()),
        )


def moments(
    changes: ByteCounts, is_cache: Flags, workspace: ByteCounts, kernels: Indices, before: tuple[int, int]
) -> MemorySeries:
    """Running sums of the changes that events make, from KV cache and other bytes `before` the first."""
    return MemorySeries(
        cache=_sums(np.where(is_cache, changes, 0), before[0]),
        activations=_sums(np.where(is_cache, 0, changes), before[1]),
        workspace=np.concatenate(([0], workspace)),
        kernels=np.concatenate(([NOBODY], kernels)),
    )


def workspace_moments(kernels: Indices, changes: ByteCounts, taken: ByteCounts) -> ByteCounts:
    """Workspace after each event: what its kernel takes where it made its last allocation, else none."""
    allocates = changes > 0
    goes_on = np.zeros_like(allocates)
    goes_on[:-1] = allocates[1:] & (kernels[1:] == kernels[:-1])
    return np.where(allocates & ~goes_on, taken[kernels], 0)


def highest(peaks: list[Peak]) -> Peak:
    """The highest of several, the earliest of equals, with the most of each part over all of them."""
    top = max(peaks, key=lambda peak: peak.allocated_bytes)
    return Peak(
        cache_bytes=top.cache_bytes,
        activations_bytes=top.activations_bytes,
        workspace_bytes=top.workspace_bytes,
        kernel=top.kernel,
        activations_peak_bytes=max(peak.activations_peak_bytes for peak in peaks),
        workspace_peak_bytes=max(peak.workspace_peak_bytes for peak in peaks),
    )


def _sums(changes: ByteCounts, before: int) -> ByteCounts:
    return np.cumsum(np.concatenate(([before], changes)), dtype=np.int64)
