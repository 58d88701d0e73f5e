"""Costs of a card: of the catalog, or as its driver reports them now. Pure."""

from dataclasses import dataclass
from datetime import datetime

from bench.hardware.budget import CONTEXT, Cost, Figure, desktop_cost, driver_reserve
from bench.hardware.readings import MemoryReading
from bench.records.enums import OperatingSystem
from bench.records.prediction import BudgetBasis


@dataclass(frozen=True, slots=True)
class CardCosts:
    """The costs of one card.

    `read_at`: when its driver reported reserve and desktop; None of the catalog. `convolution`: whether
    cuDNN's workspace counts in what is reserved.
    """

    reserve: Cost
    desktop: Cost
    context: Cost = CONTEXT
    read_at: datetime | None = None
    convolution: bool = True

    @property
    def basis(self) -> BudgetBasis:
        """Return whose figures reserve and desktop are."""
        return "catalog" if self.read_at is None else "this_machine"


def catalog_costs(total_bytes: int, system: OperatingSystem) -> CardCosts:
    """Return the costs that other machines showed for a card with this total."""
    return CardCosts(driver_reserve(total_bytes, system), desktop_cost(system))


def costs_now(memory: MemoryReading | None, at: datetime) -> CardCosts | None:
    """Return the costs of a card as its driver reports them; None where it does not report its own part.

    The desktop is all that is in use now, by a desktop and by other programs.
    """
    if memory is None or memory.reserved_bytes is None or memory.total_bytes <= 0:
        return None
    reserve = Figure(memory.reserved_bytes, memory.reserved_bytes, f"this card, by {memory.source}")
    used = Figure(memory.used_bytes, memory.used_bytes, f"this card, by {memory.source}")
    return CardCosts(Cost("driver reserve now", (reserve,)), Cost("in use now", (used,)), read_at=at)


def given_desktop(size_bytes: int) -> Cost:
    """Return the use of a desktop as it was given."""
    return Cost("desktop", (Figure(size_bytes, size_bytes, "given: --desktop-uses"),))
