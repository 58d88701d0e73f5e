"""Whether the torch that is installed can use the card that is there."""

import torch

from bench.errors import MachineError


def require_cuda(device_kind: str) -> None:
    """Say what is wrong before anything is loaded onto a card that torch cannot use.

    Raises:
        MachineError: a build without CUDA, or a driver that it cannot work with.
    """
    if device_kind != "cuda" or torch.cuda.is_available():
        return
    if torch.version.cuda is None:
        raise MachineError(
            f"torch {torch.__version__} is built for the CPU only",
            hint="Install one for the card: make bench TORCH=cu130, or see the README",
        )
    raise MachineError(
        f"torch {torch.__version__} (CUDA {torch.version.cuda}) cannot use this card's driver",
        hint="Update the NVIDIA driver, or install torch 2.9.1 with TORCH=cu128",
    )
