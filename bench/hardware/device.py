"""The devices of this machine, and which of them a run is for."""

import os
from dataclasses import dataclass
from typing import Literal

import psutil

from bench.errors import DeviceError, UsageError
from bench.hardware import catalog, cpu, nvml
from bench.hardware.readings import DriverGpu
from bench.records.schema import DeviceInfo


@dataclass(frozen=True, slots=True)
class Device:
    """One GPU, or the CPU. `uuid` stays on this machine; `free_bytes` is a moment's figure."""

    kind: Literal["cpu", "cuda"]
    slug: str
    name: str
    memory_total_bytes: int | None
    free_bytes: int | None = None
    uuid: str | None = None
    compute_capability: str | None = None
    driver: str | None = None

    def info(self) -> DeviceInfo:
        """The part of it that a record holds."""
        return DeviceInfo(
            kind=self.kind,
            slug=self.slug,
            name=self.name,
            memory_total_bytes=self.memory_total_bytes,
            compute_capability=self.compute_capability,
            driver=self.driver,
        )


def gpus() -> tuple[Device, ...]:
    """The NVIDIA GPUs that this process may use; none without a driver."""
    every = tuple(_device(gpu) for gpu in nvml.gpus())
    return visible(every, os.environ.get("CUDA_VISIBLE_DEVICES"))


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
    )


def visible(every: tuple[Device, ...], wanted: str | None) -> tuple[Device, ...]:
    """The devices that CUDA_VISIBLE_DEVICES leaves: numbers in PCI order or the start of a UUID.

    As in CUDA, the list ends at the first entry that names nothing.
    """
    if wanted is None:
        return every
    chosen: list[Device] = []
    for entry in wanted.split(","):
        named = _named(every, entry.strip())
        if named is None:
            break
        chosen.append(named)
    return tuple(chosen)


def _named(every: tuple[Device, ...], entry: str) -> Device | None:
    if entry.isdecimal():
        return every[int(entry)] if int(entry) < len(every) else None
    return next((gpu for gpu in every if entry and gpu.uuid and gpu.uuid.startswith(entry)), None)


def the_cpu() -> Device:
    """The CPU, with the machine's memory as its own."""
    name = cpu.name() or "CPU"
    memory = psutil.virtual_memory()
    slug = "cpu-" + catalog.slugify(name)
    return Device("cpu", slug, name, memory_total_bytes=int(memory.total), free_bytes=int(memory.available))


def card(slug: str) -> Device:
    """The NVIDIA card in this machine that `--gpu SLUG` names; of two equal ones, the freer.

    Raises:
        UsageError: no card in this machine or in the catalog has that name.
        DeviceError: a known card, and not in this machine.
    """
    found = gpus()
    matching = [gpu for gpu in found if gpu.slug == slug]
    if matching:
        return max(matching, key=lambda gpu: gpu.free_bytes or 0)
    if not catalog.is_known(slug):
        near = catalog.nearest_slugs(slug)
        hint = f"Did you mean {', '.join(near)}?" if near else "`bench gpus` lists the names"
        raise UsageError(f"no graphics card is called '{slug}'", hint=hint)
    if not found:
        raise DeviceError(
            f"no {slug} here: no NVIDIA GPU was found",
            hint="Run on the machine with the card, or use --device cpu",
        )
    here = ", ".join(gpu.slug for gpu in found)
    raise DeviceError(f"no {slug} here: found {here}", hint=f"Use --gpu {found[0].slug}")


def device(name: str) -> Device:
    """What `--device cpu|SLUG|UUID` names.

    Raises:
        UsageError: nothing is called that.
        DeviceError: it is not in this machine.
    """
    if name == "cpu":
        return the_cpu()
    for gpu in gpus():
        if gpu.uuid == name:
            return gpu
    if name.startswith("GPU-"):
        raise DeviceError(f"no GPU here has the UUID {name}", hint="`nvidia-smi -L` lists them")
    return card(name)


def default() -> Device | tuple[Device, ...]:
    """The only GPU; the CPU where there is none; all of them where somebody has to choose."""
    found = gpus()
    if not found:
        return the_cpu()
    return found[0] if len(found) == 1 else found


def require_build(chosen: Device, torch_version: str | None) -> None:
    """Hold the installed build of torch against the device; the version's local part names what it is for.

    Raises:
        DeviceError: a graphics card, and a build for the CPU only.
    """
    if chosen.kind == "cuda" and (torch_version or "").endswith("+cpu"):
        raise DeviceError(
            f"torch {torch_version} is built for the CPU only, and cannot use {chosen.name}",
            hint="Install one for the card: make bench TORCH=cu130, or see the README",
        )
