"""The driver's calls as plain values of one card: SI units, None where a value is not reported.

Here alone the driver's answers are checked: a figure that no card can have is None, and a text is one
printable line. Every method may raise DriverLost.
"""

import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import PurePosixPath, PureWindowsPath
from typing import Final, Protocol

import psutil
import pynvml

from bench.errors import DeviceError
from bench.hardware.nvml_errors import CardQuery
from bench.hardware.readings import GpuProcess, MemoryReading, MemorySource
from bench.text import MAX_NAME, clean

# From nvml.h, "Clocks event reasons". Bit 0, an idle card, holds nothing back.
_THROTTLE_REASONS: Final = {
    0x002: "application_clocks",
    0x004: "sw_power_cap",
    0x008: "hw_slowdown",
    0x010: "sync_boost",
    0x020: "sw_thermal_slowdown",
    0x040: "hw_thermal_slowdown",
    0x080: "hw_power_brake",
    0x100: "display_clocks",
}

# Figures that a card can have. Drivers answer 0 or all ones where there is no figure.
_BYTES: Final = range(2**50)
_POWER_MW: Final = range(1, 10_000_000)
_ENERGY_MJ: Final = range(2**53)
_TEMPERATURE_C: Final = range(1, 151)
_CLOCK_MHZ: Final = range(1, 100_000)
_THROTTLE_BITS: Final = range(2**32 - 1)
_PCIE_GENERATION: Final = range(1, 17)
_PCIE_WIDTH: Final = range(1, 65)
_CAPABILITY: Final = range(1, 100), range(10)
_CUDA_VERSION: Final = range(1_000, 100_000)
_SLICES: Final = range(65)

_UUID: Final = re.compile(r"(?:GPU|MIG)-[A-Za-z0-9/-]{1,120}")
_LONGEST_NAME: Final = 64


class _Memory(Protocol):
    total: int
    used: int
    free: int


class _Process(Protocol):
    pid: int
    usedGpuMemory: int | None  # noqa: N815 - NVML's name


class Card:
    """One GPU, or one MIG slice. `handle` is the driver's; it is good while a session is open."""

    def __init__(self, handle: object) -> None:
        self._handle = handle
        self._asker = CardQuery(handle)
        self._process_bytes = _BYTES

    def name(self) -> str:
        """The driver's name for the card: `NVIDIA GeForce RTX 4070`. Raises pynvml.NVMLError."""
        return _text(pynvml.nvmlDeviceGetName, self._handle) or "NVIDIA card without a name"

    def uuid(self) -> str:
        """`GPU-...`, or `MIG-...` of a slice. Raises pynvml.NVMLError.

        Raises:
            DeviceError: the text is no UUID, so that CUDA could not find the card by it.
        """
        uuid = _text(pynvml.nvmlDeviceGetUUID, self._handle)
        if not _UUID.fullmatch(uuid):
            raise DeviceError(
                f"the driver reports no UUID for {self.name()}", hint="Restart the machine, or its driver"
            )
        return uuid

    def compute_capability(self) -> str | None:
        """`8.9`."""
        found = self._asker.ask(pynvml.nvmlDeviceGetCudaComputeCapability)
        if found is None or not all(
            number in known for number, known in zip(found, _CAPABILITY, strict=True)
        ):
            return None
        return f"{found[0]}.{found[1]}"

    def memory(self) -> MemoryReading | None:
        """Memory by version 2 of the call; by version 1, which counts otherwise, only without a version 2.

        None for parts with unified memory, where some drivers answer 0, and while version 2 does not answer.
        """
        ask = self._asker.ask
        found = ask(pynvml.nvmlDeviceGetMemoryInfo, pynvml.nvmlMemory_v2)
        if found is not None:
            return self._reading("NVML memory v2", found, int(found.reserved))
        if not self._asker.is_refused(pynvml.nvmlDeviceGetMemoryInfo, pynvml.nvmlMemory_v2):
            return None
        found = ask(pynvml.nvmlDeviceGetMemoryInfo)
        return None if found is None else self._reading("NVML memory v1", found, None)

    def _reading(self, source: MemorySource, found: _Memory, reserved: int | None) -> MemoryReading | None:
        """Return the reading; None if the total is 0 or absurd, or a part of it is larger."""
        total, used, free = int(found.total), int(found.used), int(found.free)
        if total == 0 or total not in _BYTES or max(used, free, reserved or 0) > total:
            return None
        self._process_bytes = range(total + 1)
        return MemoryReading(source, total, used, free, reserved)

    def compute_processes(self) -> dict[int, int | None] | None:
        """Bytes by pid of the processes that compute."""
        return self._by_pid(self._asker.ask(pynvml.nvmlDeviceGetComputeRunningProcesses))

    def graphics_processes(self) -> dict[int, int | None] | None:
        """Bytes by pid of the processes that draw."""
        return self._by_pid(self._asker.ask(pynvml.nvmlDeviceGetGraphicsRunningProcesses))

    def processes(self) -> tuple[GpuProcess, ...] | None:
        """Both lists as one, by pid: a process that computes and draws is one; None without the first."""
        compute, graphics = self.compute_processes(), self.graphics_processes()
        if compute is None:  # without the list of programs that compute, the other is not a list of all
            return None
        graphics = graphics or {}
        return tuple(
            GpuProcess(
                pid=pid,
                used_bytes=_most(compute.get(pid), graphics.get(pid)),
                compute=pid in compute,
                graphics=pid in graphics,
                name=_process_name(pid),
            )
            for pid in sorted(compute.keys() | graphics.keys())
        )

    def display_connected(self) -> bool | None:
        """Whether a monitor is plugged in; deprecated since the drivers for CUDA 13."""
        return _flag(self._asker.ask(pynvml.nvmlDeviceGetDisplayMode))

    def display_active(self) -> bool | None:
        """Whether a display is set up on the card. Some displays are not detected."""
        return _flag(self._asker.ask(pynvml.nvmlDeviceGetDisplayActive))

    def power_limit_w(self) -> float | None:
        """The limit in force, which is not always the one that was set; else the one that was set."""
        limit = self._number(_POWER_MW, pynvml.nvmlDeviceGetEnforcedPowerLimit)
        if limit is None:
            limit = self._number(_POWER_MW, pynvml.nvmlDeviceGetPowerManagementLimit)
        return _thousandth(limit)

    def power_limit_default_w(self) -> float | None:
        """The maker's limit."""
        return _thousandth(self._number(_POWER_MW, pynvml.nvmlDeviceGetPowerManagementDefaultLimit))

    def power_w(self) -> float | None:
        """Power that the board draws."""
        return _thousandth(self._number(_POWER_MW, pynvml.nvmlDeviceGetPowerUsage))

    def energy_j(self) -> float | None:
        """The counter since the driver was loaded (Volta and later)."""
        return _thousandth(self._number(_ENERGY_MJ, pynvml.nvmlDeviceGetTotalEnergyConsumption))

    def temperature_c(self) -> float | None:
        """Temperature of the chip."""
        return self._number(_TEMPERATURE_C, pynvml.nvmlDeviceGetTemperature, pynvml.NVML_TEMPERATURE_GPU)

    def sm_clock_mhz(self) -> float | None:
        """Clock of the multiprocessors."""
        return self._number(_CLOCK_MHZ, pynvml.nvmlDeviceGetClockInfo, pynvml.NVML_CLOCK_SM)

    def memory_clock_mhz(self) -> float | None:
        """Clock of the memory."""
        return self._number(_CLOCK_MHZ, pynvml.nvmlDeviceGetClockInfo, pynvml.NVML_CLOCK_MEM)

    def throttle_reasons(self) -> frozenset[str] | None:
        """Reasons for lowered clocks; an idle card is not one. Drivers before 535 have the older call."""
        bits = self._number(_THROTTLE_BITS, pynvml.nvmlDeviceGetCurrentClocksEventReasons)
        if bits is None:
            bits = self._number(_THROTTLE_BITS, pynvml.nvmlDeviceGetCurrentClocksThrottleReasons)
        if bits is None:
            return None
        return frozenset(name for bit, name in _THROTTLE_REASONS.items() if bits & bit)

    def pcie_generation(self) -> int | None:
        """Current generation of the PCIe link; lowered while the card is idle."""
        return self._number(_PCIE_GENERATION, pynvml.nvmlDeviceGetCurrPcieLinkGeneration)

    def pcie_width(self) -> int | None:
        """Current lanes of the PCIe link."""
        return self._number(_PCIE_WIDTH, pynvml.nvmlDeviceGetCurrPcieLinkWidth)

    def pcie_generation_max(self) -> int | None:
        """Generation that card and slot support together."""
        return self._number(_PCIE_GENERATION, pynvml.nvmlDeviceGetMaxPcieLinkGeneration)

    def pcie_width_max(self) -> int | None:
        """Lanes that card and slot can use together."""
        return self._number(_PCIE_WIDTH, pynvml.nvmlDeviceGetMaxPcieLinkWidth)

    def ecc(self) -> bool | None:
        """Whether error correction is on; it takes about 6 % of GDDR6 memory."""
        modes = self._asker.ask(pynvml.nvmlDeviceGetEccMode)
        return None if modes is None else _flag(modes[0])

    def persistence(self) -> bool | None:
        """Whether the driver stays loaded while nobody uses the card."""
        return _flag(self._asker.ask(pynvml.nvmlDeviceGetPersistenceMode))

    def slices(self) -> tuple["Card", ...] | None:
        """The MIG instances; None where the card is not divided."""
        ask = self._asker.ask
        modes = ask(pynvml.nvmlDeviceGetMigMode)
        if modes is None or modes[0] != 1:
            return None
        places = range(self._number(_SLICES, pynvml.nvmlDeviceGetMaxMigDeviceCount) or 0)
        found = (ask(pynvml.nvmlDeviceGetMigDeviceHandleByIndex, place) for place in places)
        return tuple(Card(handle) for handle in found if handle is not None)

    def _number(self, possible: range, call: Callable[..., int], *arguments: int) -> int | None:
        answer = self._asker.ask(call, *arguments)
        return None if answer is None else _within(possible, int(answer))

    def _by_pid(self, processes: Iterable[_Process] | None) -> dict[int, int | None] | None:
        if processes is None:
            return None
        return {
            process.pid: None
            if process.usedGpuMemory is None
            else _within(self._process_bytes, int(process.usedGpuMemory))
            for process in processes
        }


def driver_version() -> str | None:
    """The driver's version: `580.95.05`. None where it is not reported."""
    with suppress(pynvml.NVMLError):
        return _text(pynvml.nvmlSystemGetDriverVersion) or None
    return None


def driver_cuda() -> str | None:
    """The newest CUDA that the driver can run: 12020 is 12.2. None where it is not reported."""
    with suppress(pynvml.NVMLError):
        number = _within(_CUDA_VERSION, int(pynvml.nvmlSystemGetCudaDriverVersion()))
        return None if number is None else f"{number // 1000}.{number % 1000 // 10}"
    return None


def _text(call: Callable[..., object], *arguments: object) -> str:
    """Return the driver's text as one printable line. Raises pynvml.NVMLError."""
    try:
        answer = str(call(*arguments))
    except UnicodeDecodeError as error:
        answer = error.object.decode(errors="replace")
    return clean(answer, MAX_NAME)


def _within(possible: range, number: int) -> int | None:
    return number if number in possible else None


def _most(one: int | None, other: int | None) -> int | None:
    reported = [used for used in (one, other) if used is not None]
    return max(reported) if reported else None


def _process_name(pid: int) -> str | None:
    """The program's name without folders and arguments, which may hold anything."""
    # It ended, or is another user's, or (under Windows and WSL2) is in the system's code page.
    with suppress(pynvml.NVMLError, UnicodeDecodeError):
        return _clean(_program(pynvml.nvmlSystemGetProcessName(pid)))
    try:
        return _clean(psutil.Process(pid).name())
    except (psutil.Error, OverflowError):  # a pid of the host, seen from a container
        return None


def _program(line: str) -> str:
    if "\\" in line:
        return PureWindowsPath(line).name
    return PurePosixPath(line.split(maxsplit=1)[0]).name if line.split() else ""


def _clean(name: str) -> str | None:
    """Keep printable characters, up to a limit: a program's name may contain control sequences."""
    return "".join(letter for letter in name if letter.isprintable())[:_LONGEST_NAME] or None


def _flag(state: int | None) -> bool | None:
    return {0: False, 1: True}.get(state) if state is not None else None


def _thousandth(number: int | None) -> float | None:
    return None if number is None else number / 1000
