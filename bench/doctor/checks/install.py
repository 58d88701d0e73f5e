"""The exact commands that install what runs the model, for this kind of installation. Pure."""

from typing import Final

from bench.doctor.facts import Host
from bench.hardware.cuda_versions import cuda_major

# The versions of the Makefile: the newest torch for each CUDA.
_PINS: Final = {"cpu": "2.13.0+cpu", "cu130": "2.13.0+cu130", "cu128": "2.9.1+cu128"}
ONLY_PREDICTS: Final = "this machine can predict and report, but not run"
_MACOS: Final = "torch==2.13.0"  # one build, at PyPI


def tag_for(driver_cuda: str | None) -> str:
    """Return the newer of the two builds for cards that this driver supports, or the newest if unknown."""
    return "cu128" if cuda_major(driver_cuda) == 12 else "cu130"


def torch_command(tag: str, host: Host) -> str:
    """Return the command that installs torch: make in a checkout's own environment, else pip.

    The build is part of the version, so that pip replaces another build of the same release. pip's own choice
    is a build for the CPU on Windows, and one for cards on Linux.
    """
    if host.makefile:
        return f"make bench TORCH={tag}"
    if host.macos:
        return f"pip install {_MACOS}"
    return f"pip install torch=={_PINS[tag]} -i https://download.pytorch.org/whl/{tag}"


def not_installed(packages: tuple[str, ...]) -> str:
    """Return the sentence about packages of the extra `run` that are missing."""
    return f"the packages that run the model are not installed ({', '.join(packages)}): {ONLY_PREDICTS}"


def install_it(extra_command: str) -> str:
    """Return the instruction before the command that adds an extra; a checkout is named by its folder."""
    return "install it, in the folder of the checkout" if '".[' in extra_command else "install it"
