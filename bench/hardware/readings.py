"""A driver's readings of a graphics card, as plain values: sizes in bytes, None where not reported."""

from dataclasses import dataclass
from typing import Literal

MemorySource = Literal["NVML memory v2", "NVML memory v1"]


class DriverLost(Exception):  # noqa: N818 - a state of the card, not of this program
    """The card, or the driver, stopped answering. The message is one line; `code` is NVML's."""

    def __init__(self, message: str, code: int | None = None) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class MemoryReading:
    """One reading of the memory of the whole card.

    `source` names the call. In version 2, total = reserved + used + free; in version 1 `used` includes the
    driver's reserve, and `reserved_bytes` is None.
    """

    source: MemorySource
    total_bytes: int
    used_bytes: int
    free_bytes: int
    reserved_bytes: int | None


@dataclass(frozen=True, slots=True)
class GpuProcess:
    """A process on the card. A pid in both of the driver's lists is one process of both kinds."""

    pid: int
    used_bytes: int | None
    compute: bool
    graphics: bool
    name: str | None = None


@dataclass(frozen=True, slots=True)
class DriverGpu:
    """One GPU, or one MIG slice of it, as NVML reports it in one reading.

    `number` is the card's in `nvidia-smi`, which also counts cards that do not answer; slices have that of
    their card, whose UUID is `card_uuid`.
    """

    uuid: str
    name: str
    compute_capability: str | None
    driver: str | None
    driver_cuda: str | None = None
    memory: MemoryReading | None = None
    processes: tuple[GpuProcess, ...] | None = None
    display_active: bool | None = None
    display_connected: bool | None = None
    power_limit_w: float | None = None
    power_limit_default_w: float | None = None
    ecc: bool | None = None
    persistence: bool | None = None
    pcie_generation_max: int | None = None
    pcie_width_max: int | None = None
    is_mig: bool = False
    number: int = 0
    card_uuid: str | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """One reading of a card while it works; `at_s` is on the host's monotonic clock (`time.perf_counter`).

    `energy_j` counts from an arbitrary zero. `processes` maps pid to bytes, None where not reported; the
    mapping is None where the driver gives no list.
    """

    at_s: float
    used_bytes: int | None = None
    processes: dict[int, int | None] | None = None
    power_w: float | None = None
    energy_j: float | None = None


@dataclass(frozen=True, slots=True)
class SlowSample:
    """Values that change slowly and are read less often. `drawing` are the pids of processes that draw."""

    at_s: float
    temperature_c: float | None = None
    sm_clock_mhz: float | None = None
    memory_clock_mhz: float | None = None
    throttle_reasons: frozenset[str] | None = None
    pcie_generation: int | None = None
    pcie_width: int | None = None
    drawing: frozenset[int] = frozenset()
