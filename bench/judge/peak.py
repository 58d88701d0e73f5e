"""Which of the memory figures of a cell answers "how much does it take"."""

from dataclasses import dataclass
from typing import Final, Literal

from bench.records.schema import CellResult, DeviceInfo

PeakMetric = Literal[
    "process_peak_bytes",
    "device_peak_bytes",
    "reserved_peak_bytes",
    "allocated_peak_bytes",
    "resident_peak_bytes",
]

PEAK_WORDS: Final[dict[PeakMetric, str]] = {
    "process_peak_bytes": "process peak",
    "device_peak_bytes": "whole-device peak",
    "reserved_peak_bytes": "reserved peak",
    "allocated_peak_bytes": "allocated peak",
    "resident_peak_bytes": "resident peak",
}

# A card must hold what the process takes, CUDA context included. Where the driver does not tell (WDDM, WSL2),
# the next best figure stands in, under its own name: the names are never mixed.
_ON_GPU: Final[tuple[PeakMetric, ...]] = (
    "process_peak_bytes",
    "device_peak_bytes",
    "reserved_peak_bytes",
    "allocated_peak_bytes",
)
_ON_CPU: Final[tuple[PeakMetric, ...]] = ("resident_peak_bytes", "allocated_peak_bytes")


@dataclass(frozen=True, slots=True)
class Peak:
    """A memory peak and the name of the figure that it is."""

    metric: PeakMetric
    size_bytes: int

    @property
    def words(self) -> str:
        """`process peak`: what kind of figure this is."""
        return PEAK_WORDS[self.metric]


def peak_of(cell: CellResult, device: DeviceInfo) -> Peak | None:
    """The figure that says most about the memory that the cell took, or None where nothing was read."""
    if cell.summary is None:
        return None
    for metric in _ON_CPU if device.kind == "cpu" else _ON_GPU:
        size_bytes: int | None = getattr(cell.summary, metric)
        if size_bytes is not None:
            return Peak(metric, size_bytes)
    return None
