"""Budgets: the bytes of a card that are available to a process, predicted or measured. Pure.

A budget is the card's total less the driver's reserve; with a desktop also less the desktop's use. A CUDA
process pays its context out of the budget. Under Windows, and in WSL2, there is always a desktop: there is no
headless budget, and what exceeds the other one is moved to system memory instead of failing.

Predicted, for a card of the catalog: each cost is a range, so that a budget is an interval. The total is the
catalog's, which is what NVML reports; torch's own total is smaller by the driver's reserve, so that the two
are never mixed. A part whose memory is the host's (NVIDIA GB10) has no total of its own: what is free there
depends on the host, and no budget can be predicted.

Measured, on a card of this machine: the driver reports its own reserve. A driver that does not (version 1 of
the memory call, or none at all) leaves the headless and the desktop budget unknown.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from bench.errors import UsageError
from bench.hardware.catalog import Card
from bench.hardware.display import DISPLAY_MOST_BYTES
from bench.hardware.readings import MemoryReading
from bench.records.base import ByteInterval
from bench.records.card import Budget
from bench.records.enums import Fit, OperatingSystem
from bench.records.prediction import Term
from bench.units import GIB, MIB

BudgetKind = Literal["headless", "desktop"]


@dataclass(frozen=True, slots=True)
class Cost:
    """Memory that the framework's allocator does not get, as the range on real machines.

    `typical_bytes` is the value where a single one is needed; `evidence` names the sources.
    """

    low_bytes: int
    typical_bytes: int
    high_bytes: int
    evidence: str

    @property
    def interval(self) -> ByteInterval:
        """Return the range, in bytes."""
        return ByteInterval(low=self.low_bytes, high=self.high_bytes)

    @property
    def term(self) -> Term:
        """Return the range and its evidence in the form of a record."""
        return Term(low_bytes=self.low_bytes, high_bytes=self.high_bytes, evidence=self.evidence)


_RESERVE_TO_12_GIB: Final = Cost(
    171 * MIB,
    288 * MIB,
    528 * MIB,
    "driver reserve on Linux, cards of up to 12 GiB, the total of NVML less torch's: 171 MiB (RTX 3080 "
    "12 GB), 243 to 378 MiB (RTX 3060 12 GB), 265 MiB (RTX A2000 12 GB), 280 and 288 MiB (RTX 4070), 517 to "
    "528 MiB (a 12 GB card of which torch states 11.49 GiB); by NVML 400 to 408 MiB (RTX 2080 SUPER)",
)
"""11.49 GiB is rounded, and 12288 MiB is the largest total of such a card."""
_RESERVE_ABOVE: Final = Cost(
    221 * MIB,
    434 * MIB,
    614 * MIB,
    "driver reserve on Linux, cards above 12 GiB: 221 MiB (a 16 GB card of which torch states 15.70 GiB), "
    "307 MiB (RTX 5070 Ti), 347 to 483 MiB (RTX 4090), 434 MiB (RTX 4080 SUPER), 486 MiB (RTX 5090), "
    "598 MiB (RTX A6000), 614 MiB (H200)",
)
"""15.70 GiB is rounded: the smallest total of NVML for such a card is 16303 MiB, 221 to 231 MiB more."""
_RESERVE_WINDOWS: Final = Cost(
    0,
    205 * MIB,
    205 * MIB,
    "driver reserve on Windows: none (RTX 4070, RTX 4090: torch states NVML's total), 28 MiB (RTX 5080), "
    "205 MiB (RTX 2080 SUPER, by NVML)",
)
CONTEXT: Final = Cost(
    80 * MIB,
    428 * MIB,
    828 * MIB,
    "CUDA context and libraries: 83 and 89 MiB (12 GB cards of which torch states 11.74 GiB), 108 MiB "
    "(RTX 4060 Laptop), 118 MiB (a 12 GB card), 216 MiB (RTX 5080 Laptop, bare), 344 MiB (RTX 3090), 349 MiB "
    "(a 16 GB card), 428 to 565 MiB (RTX 4090), 518 MiB (H100), 828 MiB (RTX 5090, libraries loaded)",
)
"""The small figures are from texts of torch's out-of-memory errors, to about 15 MiB. It grows with the number
of multiprocessors, which the catalog does not have: one range for all cards."""
_DESKTOP_LINUX: Final = Cost(
    211 * MIB,
    797 * MIB,
    1600 * MIB,
    "idle desktop: 211 MiB (GNOME, RTX 2080 SUPER), 596 MiB (KDE, RTX 4080 SUPER), 797 MiB (RTX 4070, a "
    "monitor on the card less one on the CPU's graphics); 1600 MiB (KDE with a browser, many tabs)",
)
_DESKTOP_WINDOWS: Final = Cost(
    702 * MIB,
    797 * MIB,
    1500 * MIB,
    "desktop of Windows: 702 and 797 MiB (idle, RTX 2080 SUPER); 1403 MiB (RTX 4060 Ti) and about 1500 MiB "
    "(RTX 4060) in use. Left out: 3046 MiB in use (RTX 5070 Ti), with programs that can be closed",
)
"""With the reserve of that card, 205 MiB, an idle desktop leaves about a GiB less than the total: there a
spill to system memory was seen to begin."""
_CARDS_WITH_SMALL_RESERVE_BYTES: Final = 12 * GIB


def has_wddm(system: OperatingSystem) -> bool:
    """Whether Windows manages the card's memory: always a desktop, and a spill instead of an end."""
    return system != "linux"


def driver_reserve(total_bytes: int, system: OperatingSystem) -> Cost:
    """Return what the driver keeps of a card with this total, as NVML reports it."""
    if has_wddm(system):
        return _RESERVE_WINDOWS
    return _RESERVE_TO_12_GIB if total_bytes <= _CARDS_WITH_SMALL_RESERVE_BYTES else _RESERVE_ABOVE


def desktop_cost(system: OperatingSystem) -> Cost:
    """Return what a desktop takes."""
    return _DESKTOP_WINDOWS if has_wddm(system) else _DESKTOP_LINUX


Basis = Literal["measured", "assumed"]
_MEASURED: Final = "measured here: in use on the card, less what programs that only compute use"


# --- predicted, for a card of the catalog -----------------------------------------------------------------


def budgets(card: Card, system: OperatingSystem) -> Mapping[BudgetKind, ByteInterval]:
    """Return the bytes available on a card: without a display, where the system can be, and with a desktop.

    Raises:
        UsageError: the catalog does not know the card's memory.
    """
    total = total_of(card)
    headless = less(ByteInterval(low=total, high=total), driver_reserve(total, system).term)
    desktop = less(headless, desktop_cost(system).term)
    return {"desktop": desktop} if has_wddm(system) else {"headless": headless, "desktop": desktop}


def less(budget: ByteInterval, cost: Term) -> ByteInterval:
    """A budget after a cost, in bytes; neither end is below 0."""
    return ByteInterval(low=max(0, budget.low - cost.high_bytes), high=max(0, budget.high - cost.low_bytes))


def fit(need: ByteInterval, budget: ByteInterval) -> Fit:
    """Return whether a need fits a budget: too close to call if the intervals overlap."""
    if need.high <= budget.low:
        return Fit.FITS
    return Fit.DOES_NOT_FIT if need.low > budget.high else Fit.TOO_CLOSE_TO_CALL


def total_of(card: Card) -> int:
    """Return the card's memory as NVML reports it.

    Raises:
        UsageError: the catalog does not know it.
    """
    if card.memory_total_bytes is None:
        why = f" ({card.remark})" if card.remark else ""
        raise UsageError(
            f"Nothing can be planned for {card.nvml_name}: the catalog knows no total of its memory{why}",
            hint="Measure on it with `bench run`, or plan for a card that `bench gpus` lists with a size",
        )
    return card.memory_total_bytes


# --- measured, on a card of this machine ------------------------------------------------------------------


def measured_budget(
    memory: MemoryReading | None, display: bool | None, graphics_bytes: int | None, *, wddm: bool = False
) -> Budget:
    """Return the budgets of a card: headless, with a desktop, and what is free now.

    Headless is the total less the driver's reserve, null where Windows manages the card (`wddm`); with a
    desktop, less its use too.

    `graphics_bytes` is the use of the desktop on this card, None where it is unknown. Without a display on
    the card, or where the figure is larger than any desktop's, the typical one counts.
    """
    headless = use = source = None
    basis: Basis | None = None
    if memory is not None and memory.reserved_bytes is not None:
        headless = max(0, memory.total_bytes - memory.reserved_bytes)
        use, basis, source = _desktop_use(
            display, graphics_bytes, desktop_cost("windows" if wddm else "linux")
        )
    return Budget(
        headless_bytes=None if wddm else headless,
        desktop_bytes=None if headless is None or use is None else max(0, headless - use),
        now_bytes=None if memory is None else memory.free_bytes,
        desktop_use_bytes=use,
        desktop_use_source=source,
        desktop_use_basis=basis,
    )


def _desktop_use(display: bool | None, graphics_bytes: int | None, assumed: Cost) -> tuple[int, Basis, str]:
    if display and graphics_bytes is not None and graphics_bytes <= DISPLAY_MOST_BYTES:
        return graphics_bytes, "measured", _MEASURED
    return assumed.typical_bytes, "assumed", f"assumed, {assumed.evidence}"
