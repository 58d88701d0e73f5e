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

from dataclasses import dataclass
from statistics import median
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
class Figure:
    """One observation of a cost: its least and most bytes, the same where one figure was seen, and where."""

    low_bytes: int
    high_bytes: int
    source: str

    @property
    def text(self) -> str:
        """`243 to 378 MiB (RTX 3060 12 GB)`."""
        low, high = (f"{size / MIB:g}" for size in (self.low_bytes, self.high_bytes))
        return f"{low if low == high else f'{low} to {high}'} MiB ({self.source})"


@dataclass(frozen=True, slots=True)
class Cost:
    """Memory that the framework's allocator does not get: what was observed of it on real machines.

    `low_bytes` and `high_bytes` are the least and the most of all figures, `typical_bytes` is their median,
    in which a range counts by its middle. `least_bytes` extends the range below the least figure, where that
    one is known roughly. `remark` is added to the evidence.
    """

    what: str
    figures: tuple[Figure, ...]
    remark: str = ""
    least_bytes: int | None = None

    @property
    def low_bytes(self) -> int:
        """Return the lower end of the range."""
        low = min(figure.low_bytes for figure in self.figures)
        return low if self.least_bytes is None else min(low, self.least_bytes)

    @property
    def typical_bytes(self) -> int:
        """Return the median of the figures."""
        return round(median((figure.low_bytes + figure.high_bytes) / 2 for figure in self.figures))

    @property
    def high_bytes(self) -> int:
        """Return the upper end of the range."""
        return max(figure.high_bytes for figure in self.figures)

    @property
    def evidence(self) -> str:
        """Return the figures with their sources, smallest first."""
        ordered = sorted(self.figures, key=lambda figure: figure.low_bytes + figure.high_bytes)
        return f"{self.what}: {', '.join(figure.text for figure in ordered)}{self.remark}"

    @property
    def interval(self) -> ByteInterval:
        """Return the range, in bytes."""
        return ByteInterval(low=self.low_bytes, high=self.high_bytes)

    @property
    def term(self) -> Term:
        """Return the range, the typical value and the evidence in the form of a record."""
        return Term(
            low_bytes=self.low_bytes,
            typical_bytes=self.typical_bytes,
            high_bytes=self.high_bytes,
            evidence=self.evidence,
        )


def _seen(low_mib: int, source: str, high_mib: int | None = None) -> Figure:
    return Figure(low_mib * MIB, (low_mib if high_mib is None else high_mib) * MIB, source)


_RESERVE_TO_12_GIB: Final = Cost(
    "driver reserve on Linux, cards of up to 12 GiB, the total of NVML less torch's",
    (
        _seen(171, "RTX 3080 12 GB"),
        _seen(243, "RTX 3060 12 GB", 378),
        _seen(265, "RTX A2000 12 GB"),
        _seen(280, "RTX 4070"),
        _seen(288, "RTX 4070, another host"),
        _seen(517, "a 12 GB card of which torch states 11.49 GiB", 528),
        _seen(400, "RTX 2080 SUPER, by NVML", 408),
    ),
)
"""11.49 GiB is rounded, and 12288 MiB is the largest total of such a card."""
_RESERVE_ABOVE: Final = Cost(
    "driver reserve on Linux, cards above 12 GiB",
    (
        _seen(221, "a 16 GB card of which torch states 15.70 GiB", 231),
        _seen(307, "RTX 5070 Ti"),
        _seen(347, "RTX 4090", 483),
        _seen(434, "RTX 4080 SUPER"),
        _seen(486, "RTX 5090"),
        _seen(598, "RTX A6000"),
        _seen(614, "H200"),
    ),
)
"""15.70 GiB is rounded: the smallest total of NVML for such a card is 16303 MiB, 221 to 231 MiB more."""
_RESERVE_WINDOWS: Final = Cost(
    "driver reserve on Windows",
    (
        _seen(0, "RTX 4070: torch states NVML's total"),
        _seen(0, "RTX 4090: the same"),
        _seen(28, "RTX 5080"),
        _seen(205, "RTX 2080 SUPER, by NVML"),
    ),
)
CONTEXT: Final = Cost(
    "CUDA context and libraries",
    (
        _seen(83, "a 12 GB card of which torch states 11.74 GiB"),
        _seen(89, "another such card"),
        _seen(108, "RTX 4060 Laptop"),
        _seen(118, "a 12 GB card"),
        _seen(216, "RTX 5080 Laptop, bare"),
        _seen(344, "RTX 3090"),
        _seen(349, "a 16 GB card"),
        _seen(428, "RTX 4090", 565),
        _seen(518, "H100"),
        _seen(828, "RTX 5090, libraries loaded"),
    ),
    least_bytes=80 * MIB,
)
"""The small figures are from texts of torch's out-of-memory errors, to about 15 MiB: the range begins at 80.
It grows with the number of multiprocessors, which the catalog does not have: one range for all cards."""
_DESKTOP_LINUX: Final = Cost(
    "desktop",
    (
        _seen(211, "idle, GNOME, RTX 2080 SUPER"),
        _seen(596, "idle, KDE, RTX 4080 SUPER"),
        _seen(797, "RTX 4070, a monitor on the card less one on the CPU's graphics"),
        _seen(1600, "KDE with a browser, many tabs"),
    ),
)
_DESKTOP_WINDOWS: Final = Cost(
    "desktop of Windows",
    (
        _seen(702, "idle, RTX 2080 SUPER"),
        _seen(797, "idle, RTX 2080 SUPER, again"),
        _seen(1403, "in use, RTX 4060 Ti"),
        _seen(1500, "in use, RTX 4060, about"),
    ),
    "; left out: 3046 MiB in use (RTX 5070 Ti), with programs that can be closed",
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


def typical_bytes(total_bytes: int, *costs: Term | None) -> int | None:
    """Return what typical costs leave of a total, at least 0; None where one of them is not known."""
    taken = [None if cost is None else cost.typical_bytes for cost in costs]
    known = [size for size in taken if size is not None]
    return max(0, total_bytes - sum(known)) if len(known) == len(taken) else None


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
            f"No prediction is possible for {card.nvml_name}: the catalog has no memory size for it{why}",
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
