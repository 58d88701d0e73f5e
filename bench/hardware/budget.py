"""Budgets: the bytes of a card that are available to a process, predicted or measured. Pure.

A budget is the card's total less the driver's reserve; with a desktop also less the desktop's use. A CUDA
process pays its context out of the budget.

Predicted, for a card of the catalog: each cost is a range, so that a budget is an interval. The total is the
catalog's, which is what NVML reports; torch's own total is smaller by the driver's reserve, so that the two
are never mixed. A part whose memory is the host's (NVIDIA GB10) has no total of its own: what is free there
depends on the host, and no budget can be predicted.

Measured, on a card of this machine: the driver reports its own reserve. A driver that does not (version 1 of
the memory call, or none at all) leaves the headless and the desktop budget unknown.
"""

from dataclasses import dataclass
from typing import Final, Literal

from bench.errors import UsageError
from bench.hardware.catalog import Card
from bench.hardware.display import DISPLAY_MOST_BYTES
from bench.hardware.readings import MemoryReading
from bench.records.base import Interval
from bench.records.card import Budget
from bench.records.enums import Fit
from bench.records.prediction import Term
from bench.units import MIB

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
    def interval(self) -> Interval:
        """Return the range, in bytes."""
        return Interval(low=self.low_bytes, high=self.high_bytes)

    @property
    def term(self) -> Term:
        """Return the range and its evidence in the form of a record."""
        return Term(low_bytes=self.low_bytes, high_bytes=self.high_bytes, evidence=self.evidence)


DRIVER_RESERVE: Final = Cost(
    205 * MIB,
    434 * MIB,
    614 * MIB,
    "driver reserve: 205 MiB (RTX 2080 SUPER, Windows), 434 MiB (RTX 4080 SUPER), 464 MiB (RTX 5070), "
    "486 MiB (RTX 5090), 614 MiB (H200)",
)
CONTEXT: Final = Cost(
    216 * MIB,
    428 * MIB,
    828 * MIB,
    "CUDA context and libraries: 216 MiB (RTX 5080 Laptop, bare), 428 MiB (RTX 4090, bare), "
    "518 MiB (H100), 828 MiB (RTX 5090, torch with libraries loaded)",
)
DESKTOP: Final = Cost(
    211 * MIB,
    797 * MIB,
    1600 * MIB,
    "idle desktop: 211 MiB (GNOME, RTX 2080 SUPER), 596 MiB (KDE, RTX 4080 SUPER), 797 MiB (RTX 4070, a "
    "monitor on the card less one on the CPU's graphics); 1600 MiB (KDE with a browser, many tabs)",
)

Basis = Literal["measured", "assumed"]
_MEASURED: Final = "measured here: in use on the card, less what programs that only compute use"


# --- predicted, for a card of the catalog -----------------------------------------------------------------


def headless_budget(card: Card) -> Interval:
    """Return the bytes available on a card without a display: its total less the driver's reserve.

    Raises:
        UsageError: the catalog does not know the card's memory.
    """
    return less(_total(card), DRIVER_RESERVE.term)


def desktop_budget(card: Card) -> Interval:
    """Return the bytes available on a card that also shows an idle desktop.

    Raises:
        UsageError: the catalog does not know the card's memory.
    """
    return less(headless_budget(card), DESKTOP.term)


def less(budget: Interval, cost: Term) -> Interval:
    """A budget after a cost, in bytes; neither end is below 0."""
    return Interval(low=max(0, budget.low - cost.high_bytes), high=max(0, budget.high - cost.low_bytes))


def fit(need: Interval, budget: Interval) -> Fit:
    """Return whether a need fits a budget: too close to call if the intervals overlap."""
    if need.high <= budget.low:
        return Fit.FITS
    return Fit.DOES_NOT_FIT if need.low > budget.high else Fit.TOO_CLOSE_TO_CALL


def _total(card: Card) -> Interval:
    if card.memory_total_bytes is None:
        why = f" ({card.remark})" if card.remark else ""
        raise UsageError(
            f"Nothing can be planned for {card.nvml_name}: the catalog knows no total of its memory{why}",
            hint="Measure on it with `bench run`, or plan for a card that `bench gpus` lists with a size",
        )
    return Interval(low=card.memory_total_bytes, high=card.memory_total_bytes)


# --- measured, on a card of this machine ------------------------------------------------------------------


def measured_budget(memory: MemoryReading | None, display: bool | None, graphics_bytes: int | None) -> Budget:
    """Return the budgets of a card: headless, with a desktop, and what is free now.

    Headless is the total less the driver's reserve; with a desktop, less its use too.

    `graphics_bytes` is the use of the desktop on this card, None where it is unknown. Without a display on
    the card, or where the figure is larger than any desktop's, the typical one of `DESKTOP` counts.
    """
    headless = use = source = None
    basis: Basis | None = None
    if memory is not None and memory.reserved_bytes is not None:
        headless = max(0, memory.total_bytes - memory.reserved_bytes)
        use, basis, source = _desktop_use(display, graphics_bytes)
    return Budget(
        headless_bytes=headless,
        desktop_bytes=None if headless is None or use is None else max(0, headless - use),
        now_bytes=None if memory is None else memory.free_bytes,
        desktop_use_bytes=use,
        desktop_use_source=source,
        desktop_use_basis=basis,
    )


def _desktop_use(display: bool | None, graphics_bytes: int | None) -> tuple[int, Basis, str]:
    if display and graphics_bytes is not None and graphics_bytes <= DISPLAY_MOST_BYTES:
        return graphics_bytes, "measured", _MEASURED
    return DESKTOP.typical_bytes, "assumed", f"assumed, {DESKTOP.evidence}"
