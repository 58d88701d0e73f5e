"""A smaller card, emulated by this device: the memory that it would leave to the framework."""

from bench.errors import UsageError
from bench.hardware.budget import CONTEXT, DRIVER_RESERVE
from bench.hardware.device import Device
from bench.records.card import Emulation
from bench.units import both_units


def emulation(total_bytes: int, device: Device) -> Emulation:
    """Emulate a card of `total_bytes`: its memory without the driver's reserve and the CUDA context.

    Raises:
        UsageError: nothing would be left, or the device is smaller than the emulated card.
    """
    asked = f"--emulate-vram {both_units(total_bytes)}"
    spent = DRIVER_RESERVE.typical_bytes + CONTEXT.typical_bytes
    has = device.memory_total_bytes if device.kind == "cuda" else None
    if total_bytes <= spent:
        raise UsageError(
            f"{asked}: driver and CUDA context alone take {both_units(spent)}",
            hint="Name a card's total, such as 12282MiB",
        )
    if has is not None and total_bytes > has:
        raise UsageError(
            f"{asked}: {device.name} has {both_units(has)}", hint="A card can play a smaller one only"
        )
    return Emulation(
        total_bytes=total_bytes,
        reserve_bytes=DRIVER_RESERVE.typical_bytes,
        context_bytes=CONTEXT.typical_bytes,
        limit_bytes=total_bytes - spent,
        enforced_by="CUDA caching allocator" if device.kind == "cuda" else "allocation tracker",
    )
