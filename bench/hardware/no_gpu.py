"""Why no graphics card was found, and the remedy. Pure."""

from dataclasses import dataclass
from typing import Final

from bench.hardware.system import System

DRIVER: Final = "580"
"""The branch that every torch of the Makefile runs with."""


@dataclass(frozen=True, slots=True)
class NoGpu:
    """One reason. `card_is_here`: there is a card, which something keeps from this process."""

    summary: str
    fix: str | None
    card_is_here: bool = False


def why_no_gpu(system: System, hidden: int = 0) -> NoGpu:
    """Return why the driver lists no card. `hidden` counts those that CUDA_VISIBLE_DEVICES leaves out."""
    if hidden:
        number = "the card" if hidden == 1 else f"all {hidden} cards"
        fix = "Unset it: unset CUDA_VISIBLE_DEVICES"
        return NoGpu(f"CUDA_VISIBLE_DEVICES hides {number}", fix, card_is_here=True)
    if system.wsl2:
        fix = "Install the NVIDIA driver in Windows, none in WSL2; then run: wsl --shutdown"
        return NoGpu("no NVIDIA driver answers in WSL2", fix)
    if system.device_files and system.container:
        fix = "Start it with NVIDIA_DRIVER_CAPABILITIES=compute,utility"
        summary = "an NVIDIA card is given to this container, without the driver's library libnvidia-ml.so.1"
        return NoGpu(summary, fix, card_is_here=True)
    if system.nvidia_hardware and system.container:
        fix = "Start the container with --gpus all (it needs the NVIDIA Container Toolkit)"
        return NoGpu("an NVIDIA card is here, but not given to this container", fix, card_is_here=True)
    if system.nvidia_hardware:
        fix = f"Install the NVIDIA driver, {DRIVER} or newer, and restart"
        return NoGpu("an NVIDIA card is here, but no driver answers for it", fix, card_is_here=True)
    if system.container:
        fix = "If the machine has a card, start the container with --gpus all"
        return NoGpu("no NVIDIA card in this container", fix)
    return NoGpu("no NVIDIA card and driver found", None)
