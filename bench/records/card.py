"""Readings of the driver of a graphics card: before a run, and while each cell ran."""

from typing import Literal

from pydantic import Field

from bench.records.base import Bytes, Frozen, Seconds


class Budget(Frozen):
    """Memory available to a program, CUDA context included; `desktop`: less what a desktop takes."""

    headless_bytes: Bytes | None = Field(
        description="total less what the driver keeps for itself; null under Windows, which has a desktop"
    )
    desktop_bytes: Bytes | None = Field(description="that, less what a desktop takes")
    now_bytes: Bytes | None = Field(description="free when it was read")
    desktop_use_bytes: Bytes | None = Field(description="what was taken off for a desktop")
    desktop_use_source: str | None = Field(description="measured here, or assumed, and on what evidence")
    desktop_use_basis: Literal["measured", "assumed"] | None = Field(
        default=None, description="the same as a code, without the evidence; null in records of 1.0"
    )


class DeviceState(Frozen):
    """A graphics card as it was found, before the run's first CUDA call. Holds no names of programs."""

    memory_source: str | None = Field(description="which call of the driver reported the memory")
    memory_reserved_bytes: Bytes | None = Field(description="kept by the driver; null where it does not say")
    used_bytes: Bytes | None = Field(description="in use, without the driver's own part where that is known")
    used_by_others_bytes: Bytes | None = Field(description="sum over processes whose use the driver reports")
    other_processes: int | None
    display: bool | None = Field(description="whether a display is on this card, from the evidence")
    display_evidence: tuple[str, ...] = ()
    budget: Budget
    power_limit_w: float | None = None
    power_limit_default_w: float | None = None
    ecc: bool | None = None
    persistence: bool | None = None
    pcie_generation_max: int | None = None
    pcie_width_max: int | None = None


class Emulation(Frozen):
    """A smaller card that this device emulated: limit = total - reserve - context."""

    total_bytes: Bytes = Field(description="memory of the emulated card")
    reserve_bytes: Bytes = Field(description="what its driver would keep")
    context_bytes: Bytes = Field(description="what its CUDA context would take")
    limit_bytes: Bytes = Field(description="what the framework was left")
    enforced_by: Literal["CUDA caching allocator", "allocation tracker"]


class Sampled(Frozen):
    """Sampling of a figure: period, number of samples, largest gap."""

    period_s: Seconds = Field(description="requested")
    samples: int
    largest_gap_s: Seconds | None = Field(description="between two samples; null below two")


class DeviceMemory(Frozen):
    """Memory of the card over one cell, as the driver saw it. A peak between two samples is not in it."""

    source: str | None = Field(description="which call of the driver reported it")
    sampler: Sampled
    baseline_bytes: Bytes | None = Field(description="in use before the first CUDA call of the run")
    device_peak_bytes: Bytes | None = Field(description="everything on the card, over the whole cell")
    process_peak_bytes: Bytes | None = Field(
        description="the worker; null where the driver does not report it"
    )
    context_bytes: Bytes | None = Field(
        description="the worker less what its allocator held, after the last repeat"
    )
    context_source: Literal["process", "device"] | None
    residue_bytes: int | None = Field(
        description="in use after the worker had ended, less the baseline; null where it went on"
    )
    back_at_baseline: bool | None = Field(
        description="whether the baseline was reached within the wait; null where the worker went on"
    )
    waited_s: Seconds | None
    driver_error: str | None = Field(default=None, description="what it said when it stopped answering")
    contended: bool | None = Field(
        default=None,
        description="whether another program computed on the card; null where that cannot be known",
    )


class Range(Frozen):
    """Least, median and most of a sampled figure."""

    low: float
    median: float
    high: float


class Power(Frozen):
    """Energy, clocks and what held them back, over the timed repeats of one cell."""

    source: Literal["energy counter", "integrated power"] | None = Field(
        description="where the energy is from"
    )
    sampler: Sampled
    energies_j: tuple[float, ...] = Field(description="one per repeat; empty where nothing reported it")
    power_w: Range | None
    temperature_c: Range | None
    sm_clock_mhz: Range | None
    memory_clock_mhz: Range | None
    throttle_reasons: dict[str, float] | None = Field(
        description="share of the samples in which each was in force; null where not reported"
    )
    pcie_generation: int | None = Field(description="highest seen: it is lowered when idle")
    pcie_width: int | None
