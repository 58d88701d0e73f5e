"""A smaller card, played by this device: what of it the framework would be left."""

from bench.errors import UsageError
from bench.hardware.budget import CONTEXT, DRIVER_RESERVE
from bench.hardware.device import Device
from bench.records.card import Emulation
from bench.units import both_units


def emulation(total_bytes: int, device: Device) -> Emulation:
    """Play a card of `total_bytes`: what is left of it after the driver's reserve and the CUDA context.

    Raises:
        UsageError: nothing would be left, or the device is smaller than the card it should play.
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
