"""The GPUs that CUDA_VISIBLE_DEVICES leaves to this process. Pure."""

from collections.abc import Sequence
from typing import Final

VARIABLE: Final = "CUDA_VISIBLE_DEVICES"


def visible(uuids: Sequence[str | None], wanted: str | None) -> tuple[int, ...]:
    """Places in `uuids` (in PCI order) of the GPUs that `wanted` names, by number or by the start of a UUID.

    All of them without `wanted`. As in CUDA, the list ends at the first entry that names nothing, or two.
    """
    if wanted is None:
        return tuple(range(len(uuids)))
    chosen: list[int] = []
    for entry in wanted.split(","):
        place = _place(uuids, entry.strip())
        if place is None:
            break
        chosen.append(place)
    return tuple(dict.fromkeys(chosen))


def _place(uuids: Sequence[str | None], entry: str) -> int | None:
    if entry.isdecimal():
        return int(entry) if int(entry) < len(uuids) else None
    begun = [place for place, uuid in enumerate(uuids) if entry and uuid and uuid.startswith(entry)]
    return begun[0] if len(begun) == 1 else None


def has_numbers(wanted: str | None) -> bool:
    """Whether `wanted` has numbers: CUDA counts the fastest first unless CUDA_DEVICE_ORDER is PCI_BUS_ID."""
    return any(entry.strip().isdecimal() for entry in (wanted or "").split(","))
