"""The devices of this machine, and the choice of one for a run."""

import os
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal

import psutil

from bench.errors import DeviceError, UsageError
from bench.hardware import catalog
from bench.hardware.no_gpu import why_no_gpu
from bench.hardware.readings import DriverGpu
from bench.hardware.system import this_system
from bench.packages import importing
from bench.text import MAX_NAME, clean
from bench.units import gib

if TYPE_CHECKING:
    from bench.records.record import DeviceInfo

_VISIBLE: Final = "CUDA_VISIBLE_DEVICES"
_NUMBER: Final = re.compile(r"[0-9]{1,4}")


@dataclass(frozen=True, slots=True)
class Device:
    """One GPU, or the CPU. `uuid` stays on this machine; `free_bytes` is what was free when it was read.

    `entry` is the card in the catalog, `driver_gpu` the driver's readings. `choice_notes` are remarks on how
    the device was chosen.
    """

    kind: Literal["cpu", "cuda"]
    slug: str
    name: str
    memory_total_bytes: int | None
    free_bytes: int | None = None
    uuid: str | None = None
    compute_capability: str | None = None
    driver: str | None = None
    entry: catalog.Card | None = None
    driver_gpu: DriverGpu | None = None
    choice_notes: tuple[str, ...] = ()

    @property
    def catalogued(self) -> bool | None:
        """Whether the catalog has this card; None for the CPU."""
        return None if self.kind == "cpu" else self.entry is not None

    def info(self) -> "DeviceInfo":
        """Return the part that a record contains."""
        from bench.records.record import DeviceInfo

        return DeviceInfo(
            kind=self.kind,
            slug=self.slug,
            name=self.name,
            memory_total_bytes=self.memory_total_bytes,
            compute_capability=self.compute_capability,
            driver=self.driver,
            catalogued=self.catalogued,
            memory_bandwidth_bytes_per_s=self.entry.memory_bandwidth_bytes_per_s if self.entry else None,
            bf16_operations_per_s=self.entry.bf16_operations_per_s if self.entry else None,
        )


def gpus() -> tuple[Device, ...]:
    """Return the NVIDIA GPUs that this process may use, in PCI order; none without a driver.

    Raises:
        DeviceError: there is a driver, and it does not answer.
    """
    return _usable(every_gpu())


def every_gpu() -> tuple[Device, ...]:
    """Return the NVIDIA GPUs of this machine, including those that CUDA_VISIBLE_DEVICES hides.

    Raises:
        DeviceError: there is a driver, and it does not answer.
        PackageError: nvidia-ml-py is missing or hidden; only who asks for a card needs it.
    """
    with importing():
        from bench.hardware import nvml
    return tuple(_device(gpu) for gpu in nvml.gpus())


def unusable() -> tuple[DeviceError, ...]:
    """Return the error of each card that cannot be used.

    Raises:
        DeviceError, PackageError: as `every_gpu`.
    """
    with importing():
        from bench.hardware import nvml
    return nvml.unusable()


def _device(gpu: DriverGpu) -> Device:
    total = gpu.memory.total_bytes if gpu.memory else None
    return Device(
        kind="cuda",
        slug=catalog.slug_of(gpu.name, total),
        name=gpu.name,
        memory_total_bytes=total,
        free_bytes=gpu.memory.free_bytes if gpu.memory else None,
        uuid=gpu.uuid,
        compute_capability=gpu.compute_capability,
        driver=gpu.driver,
        entry=catalog.identify(gpu.name, total),
        driver_gpu=gpu,
    )


def _usable(every: tuple[Device, ...]) -> tuple[Device, ...]:
    """Return the GPUs that CUDA_VISIBLE_DEVICES leaves, in its order; its numbers are `nvidia-smi`'s."""
    wanted = os.environ.get(_VISIBLE)
    left = tuple(every[place] for place in visible([gpu.driver_gpu for gpu in every], wanted))
    notes: list[str] = []
    is_unclear = has_numbers(wanted) and os.environ.get("CUDA_DEVICE_ORDER") != "PCI_BUS_ID"
    if is_unclear and len({gpu.slug for gpu in every}) > 1:
        notes.append(f"{_hiding()} is taken in PCI order, as nvidia-smi counts: {_listed(left)}")
    if any(_is_one_of_several(gpu, wanted) for gpu in left):
        notes.append(f"{_hiding()} is a card in MIG mode, of which CUDA uses the first instance")
    return tuple(replace(gpu, choice_notes=tuple(notes)) for gpu in left)


def _is_one_of_several(gpu: Device, wanted: str | None) -> bool:
    """Whether this is a slice of the card with the number or UUID `wanted`."""
    is_mig = gpu.driver_gpu is not None and gpu.driver_gpu.is_mig
    return is_mig and wanted is not None and "MIG-" not in wanted


def _listed(found: tuple[Device, ...]) -> str:
    counts = Counter(gpu.slug for gpu in found)
    return ", ".join(slug if count == 1 else f"{count} x {slug}" for slug, count in counts.items())


def the_cpu() -> Device:
    """Return the CPU, with the machine's memory."""
    from bench.hardware.environment import cpu_name

    name = cpu_name() or "CPU"
    memory = psutil.virtual_memory()
    slug = "cpu-" + catalog.slugify(name)
    return Device("cpu", slug, name, memory_total_bytes=int(memory.total), free_bytes=int(memory.available))


def card(slug: str) -> Device:
    """Return the card in this machine that `--gpu SLUG` names; of equal ones the freest, with a note.

    Raises:
        UsageError: no card in this machine or in the catalog has that name.
        DeviceError: a known card, and not in this machine, or hidden from this process.
    """
    every = every_gpu()
    found = _usable(every)
    order = [gpu.uuid for gpu in every]
    matching = sorted((gpu for gpu in found if gpu.slug == slug), key=lambda gpu: order.index(gpu.uuid))
    if matching:
        return freest(matching)
    _refuse_hidden(slug, [gpu for gpu in every if gpu.slug == slug])
    here = tuple(gpu.slug for gpu in every)
    if not catalog.is_known(slug):
        near = catalog.nearest_slugs(slug, here)
        hint = f"Did you mean {', '.join(near)}?" if near else "`bench gpus` lists the names"
        raise UsageError(f"no graphics card is called '{slug}'", hint=hint)
    if not here:
        raise DeviceError(
            f"no {slug} here: no NVIDIA GPU was found",
            hint="Run on the machine with the card, or use --device cpu",
        )
    hint = f"Use --gpu {found[0].slug}" if found else f"{_hiding()} hides what is here: unset it"
    failed = "".join(f"; {error.message}" for error in unusable())
    raise DeviceError(f"no {slug} here: found {_listed(every)}{failed}", hint=hint)


def freest(equal: Sequence[Device]) -> Device:
    """Return the card with the most free memory of those of one name (in PCI order), else the first."""
    chosen = max(equal, key=lambda gpu: gpu.free_bytes or 0)
    if len(equal) == 1:
        return chosen
    why = "the freest" if len({gpu.free_bytes for gpu in equal}) > 1 else "all equally free"
    note = (
        f"{len(equal)} cards here are {chosen.slug}: number {equal.index(chosen) + 1} of them in PCI order "
        f"is used (UUID ends in {(chosen.uuid or '')[-6:]}), {why}, with {gib(chosen.free_bytes)} free"
    )
    return replace(chosen, choice_notes=(*chosen.choice_notes, note))


def _refuse_hidden(name: str, hidden: list[Device]) -> None:
    if hidden:
        raise DeviceError(
            f"{name} is in this machine, but {_hiding()} hides it",
            hint=f"Unset it, or set it to {hidden[0].uuid}",
        )


def _hiding() -> str:
    return f"{_VISIBLE}={clean(os.environ.get(_VISIBLE, ''), MAX_NAME)}"


def device(name: str) -> Device:
    """Return the device that `--device cpu|SLUG|UUID` names.

    Raises:
        UsageError: an unknown name.
        DeviceError: it is not in this machine, or hidden from this process.
    """
    if name == "cpu":
        return the_cpu()
    if not name.startswith(("GPU-", "MIG-")):
        return card(name)
    every = every_gpu()
    for gpu in _usable(every):
        if gpu.uuid == name:
            return gpu
    _refuse_hidden(name, [gpu for gpu in every if gpu.uuid == name])
    raise DeviceError(f"no GPU here has the UUID {name}", hint="`nvidia-smi -L` lists them")


def default() -> Device | tuple[Device, ...]:
    """Return the only GPU; the CPU if there is none, with a note if a card is here; all GPUs if several.

    Raises:
        DeviceError: there is a driver, and it does not answer, or no card can be used.
    """
    every = every_gpu()
    found = _usable(every)
    if found:
        return found[0] if len(found) == 1 else found
    if every:
        note = f"the CPU runs: {_hiding()} hides {_listed(every)}"
    else:
        why = why_no_gpu(this_system())
        if not why.card_is_here:
            return the_cpu()
        note = f"the CPU runs: {why.summary}. {why.fix}"
    return replace(the_cpu(), choice_notes=(note,))


def notes(chosen: Device) -> tuple[str, ...]:
    """Remarks on the device for the user before it runs, a line each; mostly none."""
    if chosen.kind == "cpu" or chosen.entry is not None:
        return chosen.choice_notes
    if chosen.driver_gpu is not None and chosen.driver_gpu.is_mig:
        what = f"{chosen.name} is a slice of a card, and the catalog has whole cards"
    elif catalog.has_name(chosen.name) and chosen.memory_total_bytes is not None:
        what = f"{chosen.name} with {gib(chosen.memory_total_bytes)} is not in the catalog"
    else:
        what = f"{chosen.name} is not in the catalog"
    return (*chosen.choice_notes, f"{what}; it runs as {chosen.slug}, without bandwidth figures")


# --- CUDA_VISIBLE_DEVICES ----------------------------------------------------------------------------------


def visible(gpus: Sequence[DriverGpu | None], wanted: str | None) -> tuple[int, ...]:
    """Return the positions of the GPUs in `wanted`: numbers of cards, or starts of UUIDs.

    Without `wanted` all of them. As in CUDA, the list ends at the first entry that names nothing, or two, and
    a card in MIG mode is its first instance, unless the UUID of another one is named.
    https://docs.nvidia.com/datacenter/tesla/mig-user-guide/
    """
    if wanted is None:
        return tuple(range(len(gpus)))
    chosen: list[int] = []
    for entry in wanted.split(","):
        place = _place(gpus, entry.strip())
        if place is None:
            break
        chosen.append(place)
    return tuple(dict.fromkeys(chosen))


def _place(gpus: Sequence[DriverGpu | None], entry: str) -> int | None:
    """Return the position of the GPU that one entry names."""
    numbers: dict[int, int] = {}
    uuids: dict[str, int] = {}
    for place, gpu in enumerate(gpus):
        if gpu is not None:
            numbers.setdefault(gpu.number, place)
            uuids.setdefault(gpu.uuid, place)
            uuids.setdefault(gpu.card_uuid or gpu.uuid, place)
    if _NUMBER.fullmatch(entry):
        return numbers.get(int(entry))
    begun = [place for uuid, place in uuids.items() if entry and uuid.startswith(entry)]
    return begun[0] if len(begun) == 1 else None


def has_numbers(wanted: str | None) -> bool:
    """Whether `wanted` has numbers: CUDA counts the fastest first unless CUDA_DEVICE_ORDER is PCI_BUS_ID."""
    return any(_NUMBER.fullmatch(entry.strip()) for entry in (wanted or "").split(","))
