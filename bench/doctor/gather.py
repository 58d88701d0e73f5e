"""Gathers all facts: the machine, the installation, the cards."""

import json
import os
from contextlib import suppress
from dataclasses import replace

from bench import shipped
from bench.arithmetic.shapes import LanguageShapes, shapes_of
from bench.doctor.facts import Card, Facts, Process, TorchBuild, Weights
from bench.doctor.host import host
from bench.doctor.imports import try_imports
from bench.doctor.interface import MODEL
from bench.doctor.torch_build import torch_build
from bench.doctor.trial import try_card
from bench.errors import DeviceError, PackageError, UsageError
from bench.hardware import catalog
from bench.hardware import device as devices
from bench.hardware.device import Device
from bench.hardware.readings import DriverGpu
from bench.hardware.state import device_state
from bench.hardware.system import this_system
from bench.packages import importing, run_packages, version_of
from bench.weights.hub_settings import set_aside


def gather(*, gpu: str | None = None, device: str | None = None) -> Facts:
    """Return all facts. `gpu` and `device` choose as they do for a run; without them every card is included.

    Raises:
        UsageError: an unknown name.
        DeviceError: there are cards here, and not this one.
    """
    cpu_wanted = device == "cpu"
    if gpu is not None and device is not None:
        raise UsageError("--gpu and --device are both given", hint="Use one of them")
    error: DeviceError | None = None
    chosen: tuple[Device, ...] = ()
    unusable: tuple[DeviceError, ...] = ()
    hidden = 0
    with suppress(PackageError):  # without nvidia-ml-py, which is then a finding, nobody can ask for cards
        if not cpu_wanted:
            chosen, error = _chosen(gpu, device)
            # A driver that works, and no card that can be used: the findings are those of the cards.
            unusable = _unusable()
            error = None if unusable else error
            hidden = 0 if chosen or error or unusable else _hidden()
    imports = try_imports()
    build, flash_attn = torch_build(), version_of("flash-attn")
    return Facts(
        host=host(hidden_gpus=hidden),
        torch=build,
        flash_attn=flash_attn,
        weights=_weights(),
        cards=tuple(_card(each, each.driver_gpu, build, flash_attn) for each in chosen if each.driver_gpu),
        driver_error=error.message if error else None,
        driver_fix=error.hint if error else None,
        cpu_wanted=cpu_wanted,
        unusable=tuple((each.message, each.hint) for each in unusable),
        wanted=gpu or (None if cpu_wanted else device),
        faults=imports.faults,
        run_packages=run_packages(),
        cpu_kernel=imports.sdpa_kernel,
        language=_language(),
    )


def _language() -> LanguageShapes:
    return shapes_of(json.loads(shipped.data("models", f"{MODEL}.json").read_bytes())).language_config


def _weights() -> Weights | None:
    """Return the state of the weights; None without huggingface_hub, which is then a finding."""
    with set_aside() as fault:
        try:
            with importing():
                from bench.doctor.weights_here import weights_here
        except PackageError:
            return None
        return replace(
            weights_here(),
            fault=None if fault is None else fault.message,
            fix=None if fault is None else fault.hint,
        )


def _chosen(gpu: str | None, device: str | None) -> tuple[tuple[Device, ...], DeviceError | None]:
    """Return the chosen cards, or the driver's error. No card at all is a case for the diagnosis."""
    try:
        found = devices.gpus()
    except DeviceError as error:
        return (), error
    name = gpu or device
    if name is None or (not found and catalog.is_known(name)):
        return found, None
    return (devices.card(name) if gpu is not None else devices.device(name),), None


def _unusable() -> tuple[DeviceError, ...]:
    try:
        return devices.unusable()
    except DeviceError:  # of the driver itself, which is a finding of its own
        return ()


def _hidden() -> int:
    """Cards that CUDA_VISIBLE_DEVICES keeps from this process, where it leaves none."""
    return len(devices.every_gpu()) if "CUDA_VISIBLE_DEVICES" in os.environ else 0


def _card(found: Device, gpu: DriverGpu, build: TorchBuild | None, flash_attn: str | None) -> Card:
    can_try = build is not None and build.cuda is not None
    return Card(
        slug=found.slug,
        name=gpu.name,
        compute_capability=gpu.compute_capability,
        driver=gpu.driver,
        driver_cuda=gpu.driver_cuda,
        memory_total_bytes=found.memory_total_bytes,
        state=device_state(gpu, wddm=this_system().wddm),
        processes=None if gpu.processes is None else _others(gpu),
        trial=try_card(gpu.uuid, flash_attn=flash_attn is not None) if can_try else None,
        is_mig=gpu.is_mig,
        catalogued=found.catalogued is not False,
        uuid=gpu.uuid,
    )


def _others(gpu: DriverGpu) -> tuple[Process, ...]:
    return tuple(
        # A compositor is in both of the driver's lists: it draws, and is not to be stopped.
        Process(process.pid, process.name, process.used_bytes, process.compute and not process.graphics)
        for process in gpu.processes or ()
        if process.pid != os.getpid()
    )
