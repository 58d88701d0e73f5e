"""The exact command that installs a suitable torch, for this kind of installation. Pure."""

from typing import Final

from bench.doctor.facts import Host
from bench.hardware.cuda_versions import cuda_major

# The versions of the Makefile: the newest torch for each CUDA.
_PINS: Final = {"cpu": "2.13.0+cpu", "cu130": "2.13.0+cu130", "cu128": "2.9.1+cu128"}


def tag_for(driver_cuda: str | None) -> str:
    """Return the newer of the two builds for cards that this driver supports, or the newest if unknown."""
    return "cu128" if cuda_major(driver_cuda) == 12 else "cu130"


def torch_command(tag: str, host: Host) -> str:
    """Return the command: make in a checkout's own environment, else pip."""
    if host.makefile:
        return f"make bench TORCH={tag}"
    return f"pip install torch=={_PINS[tag]} -i https://download.pytorch.org/whl/{tag}"
