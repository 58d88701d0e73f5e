"""The devices of a plan: cards of the catalog, which need not be in this machine, and this machine's CPU."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from bench.errors import DeviceError, PackageError, UsageError
from bench.hardware import catalog
from bench.hardware import device as devices
from bench.hardware.budget import total_of
from bench.hardware.card_costs import CardCosts, catalog_costs, costs_now
from bench.hardware.catalog import Card
from bench.hardware.device import Device
from bench.hardware.system import this_system
from bench.records.prediction import PlannedSystem
from bench.records.record import DeviceInfo

CPU = "cpu"


@dataclass(frozen=True, slots=True)
class Target:
    """One device to plan for. `card`, `system` and `costs` are None for the CPU.

    `notes` are remarks on how the card of this machine was chosen.
    """

    info: DeviceInfo
    card: Card | None
    system: PlannedSystem | None
    costs: CardCosts | None = None
    notes: tuple[str, ...] = ()


def targets(names: Sequence[str], system: PlannedSystem, *, catalog_only: bool = True) -> tuple[Target, ...]:
    """Return the devices of these names, each once; without names the graphics cards of this machine.

    Unless `catalog_only`, the costs of a card that is in this machine, planned for this machine's system, are
    what its driver reports now, as far as it does.

    Raises:
        UsageError: an unknown name, a card of unknown memory, or no name and no card.
        DeviceError: no name, and a driver that does not answer.
    """
    found = [_named(name, system) for name in names] if names else _here(system)
    distinct = {target.info.slug: target for target in found}.values()
    if catalog_only or system.os != this_system().planned or all(target.card is None for target in distinct):
        return tuple(distinct)
    here = _gpus()
    return tuple(_with_reading(target, here) for target in distinct)


def _gpus() -> tuple[Device, ...]:
    """Return the usable cards of this machine; none where the driver does not answer, or cannot be asked."""
    try:
        return devices.gpus()
    except (DeviceError, PackageError):
        return ()


def _with_reading(target: Target, here: Sequence[Device]) -> Target:
    """Return the target with the costs of the card in this machine; of equal ones the freest."""
    equal = [gpu for gpu in here if gpu.slug == target.info.slug]
    if target.card is None or not equal:
        return target
    chosen = devices.freest(equal)
    memory = None if chosen.driver_gpu is None else chosen.driver_gpu.memory
    costs = costs_now(memory, datetime.now(UTC).replace(microsecond=0))
    if costs is None or memory is None:
        return target
    info = target.info.model_copy(update={"memory_total_bytes": memory.total_bytes})
    return replace(target, info=info, costs=costs, notes=chosen.choice_notes)


def on_system(target: Target, system: PlannedSystem) -> Target:
    """Return the card on another system, with the costs that other machines showed there."""
    total = target.info.memory_total_bytes or 0
    return replace(target, system=system, costs=catalog_costs(total, system.os), notes=())


def every_card(system: PlannedSystem) -> tuple[tuple[Target, ...], tuple[Card, ...]]:
    """Return the cards of the catalog by memory, least first, and those of unknown memory."""
    known = [card for card in catalog.cards() if card.memory_total_bytes is not None]
    unknown = [card for card in catalog.cards() if card.memory_total_bytes is None]
    known.sort(key=lambda card: (card.memory_total_bytes or 0, card.slug))
    return tuple(_of_card(card, system, catalogued=True) for card in known), tuple(unknown)


def _named(name: str, system: PlannedSystem) -> Target:
    if name == CPU:
        return Target(devices.the_cpu().info(), None, None)
    card = next((card for card in catalog.cards() if card.slug == name), None)
    return _of_card(card, system, catalogued=True) if card is not None else _uncatalogued(name, system)


def _uncatalogued(name: str, system: PlannedSystem) -> Target:
    """Return a card of this machine that is not in the catalog."""
    try:
        here = devices.every_gpu()
    except DeviceError:  # a driver that does not answer; the name may be a misspelled one of the catalog
        here = ()
    found = next((gpu for gpu in here if gpu.slug == name), None)
    if found is None:
        near = catalog.nearest_slugs(name, tuple(gpu.slug for gpu in here))
        hint = f"Did you mean {', '.join(near)}?" if near else "`bench gpus` lists the names"
        raise UsageError(f"no graphics card is called '{name}'", hint=hint)
    return _of_device(found, system)


def _here(system: PlannedSystem) -> list[Target]:
    found = devices.gpus()
    if not found:
        raise UsageError(
            "no graphics card is here to plan for",
            hint="Name one, such as --gpu rtx-4070 (`bench gpus` lists them), or ask for --any-gpu",
        )
    return [_of_device(gpu, system) for gpu in found]


def _of_device(gpu: Device, system: PlannedSystem) -> Target:
    if gpu.entry is not None:
        return _of_card(gpu.entry, system, catalogued=True)
    if gpu.compute_capability is None:
        raise UsageError(
            f"the driver does not report the compute capability of {gpu.name}",
            hint="Name a card of the catalog with --gpu",
        )
    card = Card(gpu.slug, gpu.name, gpu.compute_capability, gpu.memory_total_bytes)
    return _of_card(card, system, catalogued=False)


def _of_card(card: Card, system: PlannedSystem, *, catalogued: bool) -> Target:
    total = total_of(card)
    return Target(
        DeviceInfo(
            kind="cuda",
            slug=card.slug,
            name=card.nvml_name,
            memory_total_bytes=total,
            compute_capability=card.compute_capability,
            catalogued=catalogued,
            memory_bandwidth_bytes_per_s=card.memory_bandwidth_bytes_per_s,
            bf16_operations_per_s=card.bf16_operations_per_s,
        ),
        card,
        system,
        catalog_costs(total, system.os),
    )
