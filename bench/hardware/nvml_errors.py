"""Translation of the NVIDIA driver's errors; no other module translates them."""

from collections.abc import Callable
from enum import Enum
from typing import Final, TypeVar

import pynvml

from bench.errors import DeviceError
from bench.hardware.readings import DriverLost
from bench.hardware.system import System
from bench.text import MAX_NAME, clean

Answer = TypeVar("Answer")


class Meaning(Enum):
    """Meaning of a driver error for the reader of a value."""

    NO_DRIVER = "there is no driver"
    NEVER = "this card or driver does not report this value, and will not later"
    NOT_NOW = "no value now"
    LOST = "the card or the driver stopped answering"
    UNCLEAR = "lost if the call worked before, and the card's memory has no answer either"
    """Some laptops answer so instead of `not supported`, and some cards now and then."""


MEANINGS: Final = {
    pynvml.NVML_ERROR_UNINITIALIZED: Meaning.LOST,
    pynvml.NVML_ERROR_INVALID_ARGUMENT: Meaning.NEVER,  # some calls, on a MIG slice
    pynvml.NVML_ERROR_NOT_SUPPORTED: Meaning.NEVER,
    pynvml.NVML_ERROR_NO_PERMISSION: Meaning.NEVER,
    pynvml.NVML_ERROR_ALREADY_INITIALIZED: Meaning.NOT_NOW,
    pynvml.NVML_ERROR_NOT_FOUND: Meaning.NEVER,
    pynvml.NVML_ERROR_INSUFFICIENT_SIZE: Meaning.NOT_NOW,  # a list that grew between two calls
    pynvml.NVML_ERROR_INSUFFICIENT_POWER: Meaning.LOST,
    pynvml.NVML_ERROR_DRIVER_NOT_LOADED: Meaning.LOST,
    pynvml.NVML_ERROR_TIMEOUT: Meaning.NOT_NOW,
    pynvml.NVML_ERROR_IRQ_ISSUE: Meaning.LOST,
    pynvml.NVML_ERROR_LIBRARY_NOT_FOUND: Meaning.NO_DRIVER,
    pynvml.NVML_ERROR_FUNCTION_NOT_FOUND: Meaning.NEVER,
    pynvml.NVML_ERROR_CORRUPTED_INFOROM: Meaning.NEVER,
    pynvml.NVML_ERROR_GPU_IS_LOST: Meaning.LOST,
    pynvml.NVML_ERROR_RESET_REQUIRED: Meaning.LOST,
    pynvml.NVML_ERROR_OPERATING_SYSTEM: Meaning.LOST,
    pynvml.NVML_ERROR_LIB_RM_VERSION_MISMATCH: Meaning.LOST,
    pynvml.NVML_ERROR_IN_USE: Meaning.NOT_NOW,
    pynvml.NVML_ERROR_MEMORY: Meaning.NOT_NOW,
    pynvml.NVML_ERROR_NO_DATA: Meaning.NOT_NOW,
    pynvml.NVML_ERROR_VGPU_ECC_NOT_SUPPORTED: Meaning.NEVER,
    pynvml.NVML_ERROR_INSUFFICIENT_RESOURCES: Meaning.NOT_NOW,
    pynvml.NVML_ERROR_FREQ_NOT_SUPPORTED: Meaning.NEVER,
    pynvml.NVML_ERROR_ARGUMENT_VERSION_MISMATCH: Meaning.NEVER,
    pynvml.NVML_ERROR_DEPRECATED: Meaning.NEVER,
    pynvml.NVML_ERROR_NOT_READY: Meaning.NOT_NOW,
    pynvml.NVML_ERROR_GPU_NOT_FOUND: Meaning.LOST,
    pynvml.NVML_ERROR_INVALID_STATE: Meaning.NOT_NOW,
    30: Meaning.NEVER,  # RESET_TYPE_NOT_SUPPORTED: older releases of pynvml have no name for it
    pynvml.NVML_ERROR_UNKNOWN: Meaning.UNCLEAR,
}

_RESTART: Final = "If `nvidia-smi` fails too, restart the machine; --device cpu runs without the card"
# What NVML reports in a container from which the host took the card, or which never got one.
_TAKEN_FROM_CONTAINER: Final = (
    pynvml.NVML_ERROR_UNKNOWN,
    pynvml.NVML_ERROR_NO_PERMISSION,
    pynvml.NVML_ERROR_DRIVER_NOT_LOADED,
)
_NEVER_GIVEN: Final = (
    "this container has no graphics card: /dev/nvidia* is missing",
    "Start the container with --gpus all (Docker) or --device nvidia.com/gpu=all (Podman)",
)
_TAKEN: Final = (
    "this container has lost its graphics card, as after `systemctl daemon-reload` on the host",
    "Start the container again; it keeps the card if it also gets --device /dev/nvidia0, /dev/nvidiactl "
    "and /dev/nvidia-uvm",
)
_ADVICE: Final = {
    pynvml.NVML_ERROR_DRIVER_NOT_LOADED: (
        "the NVIDIA driver is installed and not loaded",
        "`sudo modprobe nvidia` shows the reason (Secure Boot, a new kernel, a card that is switched off); "
        "--device cpu runs without the card",
    ),
    pynvml.NVML_ERROR_LIB_RM_VERSION_MISMATCH: (
        "the NVIDIA driver was updated while an older one is still loaded",
        "Restart the machine",
    ),
    pynvml.NVML_ERROR_FUNCTION_NOT_FOUND: (
        "the NVIDIA driver is too old",
        "Install a current driver from https://www.nvidia.com/drivers",
    ),
    pynvml.NVML_ERROR_NO_PERMISSION: (
        "this user may not use the NVIDIA driver",
        "Give the user read and write access to /dev/nvidia*; often it is membership in the group `video`",
    ),
    pynvml.NVML_ERROR_INSUFFICIENT_POWER: (
        "a graphics card gets too little power",
        "Attach its power cables",
    ),
    pynvml.NVML_ERROR_GPU_IS_LOST: (
        "a graphics card no longer answers: it has fallen off the bus",
        "Restart the machine; if it happens again, look at its power cables, riser and temperature",
    ),
    pynvml.NVML_ERROR_RESET_REQUIRED: (
        "a graphics card waits for a reset",
        "`sudo nvidia-smi --gpu-reset`, or restart the machine",
    ),
}


def meaning(error: pynvml.NVMLError) -> Meaning:
    """Return the meaning of a driver error; one without a name in pynvml is unclear."""
    return MEANINGS.get(error.value, Meaning.UNCLEAR)


def describe(error: pynvml.NVMLError) -> str:
    """Return the driver's text for an error, in one printable line, or its number."""
    try:
        text = clean(str(error), MAX_NAME)
    except UnicodeDecodeError:  # of an error that pynvml does not know, the text is the driver's
        text = ""
    return text if text not in {"", "None"} else f"error {error.value}"


def lost(error: pynvml.NVMLError) -> DriverLost:
    """The error of a card that answered before."""
    return DriverLost(f"the graphics card stopped answering: {describe(error)}", error.value)


def device_error(code: int | None, system: System | None = None) -> DeviceError:
    """Return the error, with its remedy, of a driver that does not work; of one card without `system`."""
    unnamed = f"the NVIDIA driver does not answer ({describe(pynvml.NVMLError(code))})", _RESTART
    message, hint = _ADVICE.get(code, unnamed)
    if system is not None and system.container and code in _TAKEN_FROM_CONTAINER:
        what, remedy = _NEVER_GIVEN if system.device_files is False else _TAKEN
        message, hint = f"{message}; {what}", f"{remedy}. {hint}"
    return DeviceError(message, hint=hint)


class CardQuery:
    """Calls the driver about one card, without repeating refused calls: each costs 1 to 5 ms."""

    def __init__(self, handle: object) -> None:
        self._handle = handle
        self._refused: set[object] = set()
        self._worked: set[object] = set()

    def ask(self, call: Callable[..., Answer], *arguments: object) -> Answer | None:
        """Return the driver's answer to `call(handle, *arguments)`; None where it has none.

        Raises:
            DriverLost: it stopped answering.
        """
        question = (call, *arguments)
        if question in self._refused:
            return None
        try:
            answer = call(self._handle, *arguments)
        except pynvml.NVMLError as error:
            self._weigh(question, error)
            return None
        except pynvml.NVMLLibraryMismatchError:
            # A driver so old that pynvml will not read its structures (lists of programs, before R510).
            self._refused.add(question)
            return None
        self._worked.add(question)
        return answer

    def is_refused(self, call: Callable[..., object], *arguments: object) -> bool:
        """Whether this call was refused for good, not only for now."""
        return (call, *arguments) in self._refused

    def _weigh(self, question: object, error: pynvml.NVMLError) -> None:
        means = meaning(error)
        if means in {Meaning.LOST, Meaning.NO_DRIVER}:
            raise lost(error) from error
        if means is Meaning.UNCLEAR and question in self._worked:
            if not self._is_there():
                raise lost(error) from error
        elif means is not Meaning.NOT_NOW:
            self._refused.add(question)

    def _is_there(self) -> bool:
        """Whether the card still answers, or refuses with a clear error, a call that each card knows."""
        try:
            pynvml.nvmlDeviceGetMemoryInfo(self._handle)
        except pynvml.NVMLError as error:
            return meaning(error) in {Meaning.NEVER, Meaning.NOT_NOW}
        return True
