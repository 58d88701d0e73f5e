"""Readings of this machine's NVIDIA cards: once (`gpus`), and while they work (`open_probe`).

for gpu in nvml.gpus(): ...
with nvml.open_probe(gpu.uuid) as probe: sample = probe.fast()
"""

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

import pynvml

from bench.errors import DeviceError
from bench.hardware import nvml_calls
from bench.hardware.nvml_calls import Card
from bench.hardware.nvml_errors import Meaning, device_error, lost, meaning
from bench.hardware.readings import DriverGpu, DriverLost, MemoryReading, Sample, SlowSample
from bench.hardware.system import this_system

__all__ = ["DriverGpu", "DriverLost", "Probe", "driver_cuda", "gpus", "open_probe", "unusable"]

# The power sensor is refreshed every 20 to 100 ms, by card (Yang et al., arXiv 2312.02741).
_POWER_PERIOD_S: Final = 0.1
_MOST_CARDS: Final = 256


def gpus() -> tuple[DriverGpu, ...]:
    """Every GPU of this machine, in the driver's order, or its slices where MIG is on; none without a driver.

    Cards of other users, and cards that cannot be used, are left out where there is another.

    Raises:
        DeviceError: there is a driver, and it does not work, or none of the cards can be used.
    """
    found, failed = _look()
    if failed and not found:
        raise _worst(failed).error
    return found


def unusable() -> tuple[DeviceError, ...]:
    """Return an error, with its remedy, for each card that cannot be used. Empty without a driver.

    Raises:
        DeviceError: the driver itself does not work.
    """
    return tuple(each.error for each in _look()[1] if not each.is_another_users)


def driver_cuda() -> str | None:
    """Return the newest CUDA that the driver can run, such as `13.0`; None where no driver reports it."""
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return None
    try:
        return nvml_calls.driver_cuda()
    finally:
        _close()


@dataclass(frozen=True, slots=True)
class _Unusable:
    error: DeviceError
    is_another_users: bool = False


def _look() -> tuple[tuple[DriverGpu, ...], tuple[_Unusable, ...]]:
    """Return the cards that can be used, and those that cannot."""
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        if meaning(error) is Meaning.NO_DRIVER:
            return (), ()
        raise device_error(error.value, this_system()) from error
    try:
        return _each(min(pynvml.nvmlDeviceGetCount(), _MOST_CARDS))
    except pynvml.NVMLError as error:
        raise device_error(error.value, this_system()) from error
    finally:
        _close()


def _each(count: int) -> tuple[tuple[DriverGpu, ...], tuple[_Unusable, ...]]:
    found: list[DriverGpu] = []
    failed: list[_Unusable] = []
    for number in range(count):
        try:
            found.extend(_described(Card(pynvml.nvmlDeviceGetHandleByIndex(number)), number))
        except pynvml.NVMLError as error:
            failed.append(_refused(error.value))
        except DriverLost as error:
            failed.append(_refused(error.code))
        except DeviceError as error:
            failed.append(_Unusable(error))
    return tuple(found), tuple(failed)


def _refused(code: int | None) -> _Unusable:
    return _Unusable(device_error(code), code == pynvml.NVML_ERROR_NO_PERMISSION)


def _worst(failed: Sequence[_Unusable]) -> _Unusable:
    """Return the most important of several: a card of another user is the least."""
    return next((each for each in failed if not each.is_another_users), failed[0])


def open_probe(uuid: str) -> "Probe":
    """Watch one card, or one MIG slice. Any thread may ask; each probe is closed once.

    Raises:
        DriverLost: the driver or this card does not answer.
    """
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        raise lost(error) from error
    try:
        return Probe(Card(pynvml.nvmlDeviceGetHandleByUUID(uuid)))
    except pynvml.NVMLError as error:
        _close()
        raise lost(error) from error


class Probe:
    """Readings of one card over time. Every method may raise DriverLost, after `close` too."""

    def __init__(self, card: Card) -> None:
        self._card = card
        self._open = True
        self._power_due_s = 0.0

    def fast(self) -> Sample:
        """Memory, energy, and the processes that compute, in two to five calls of 1 to 5 ms.

        `at_s` lies between the calls for energy and memory. Where the card counts energy, power is asked for
        every 100 ms only, and None between: its sensor is no faster, and it serves for the range alone.
        Without the counter, it is asked for each time, to be integrated. Processes that only draw are in
        the card's `used_bytes` and not in `processes`, except under Windows.
        """
        energy_j = self._card.energy_j()
        at_s = time.perf_counter()
        memory = self._card.memory()
        return Sample(
            at_s=at_s,
            used_bytes=memory.used_bytes if memory else None,
            processes=self._card.compute_processes(),
            power_w=self._power_w(at_s, often=energy_j is None),
            energy_j=energy_j,
        )

    def _power_w(self, now_s: float, *, often: bool) -> float | None:
        if now_s < self._power_due_s and not often:
            return None
        self._power_due_s = now_s + _POWER_PERIOD_S
        return self._card.power_w()

    def slow(self) -> SlowSample:
        """Temperature, clocks, reasons for throttling, the PCIe link, and who draws, in seven calls."""
        return SlowSample(
            at_s=time.perf_counter(),
            temperature_c=self._card.temperature_c(),
            sm_clock_mhz=self._card.sm_clock_mhz(),
            memory_clock_mhz=self._card.memory_clock_mhz(),
            throttle_reasons=self._card.throttle_reasons(),
            pcie_generation=self._card.pcie_generation(),
            pcie_width=self._card.pcie_width(),
            drawing=frozenset(self._card.graphics_processes() or ()),
        )

    def memory(self) -> MemoryReading | None:
        """Memory of the whole card, now."""
        return self._card.memory()

    def close(self) -> None:
        """Close the session; a second call does nothing."""
        if self._open:
            self._open = False
            _close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _close() -> None:
    # Sessions are counted by the driver, so they may overlap. A driver that is gone needs no shutdown.
    with suppress(pynvml.NVMLError):
        pynvml.nvmlShutdown()


def _described(card: Card, number: int) -> tuple[DriverGpu, ...]:
    slices = card.slices()
    if slices is None:
        return (_gpu(card, card, number),)
    if not slices:
        raise DeviceError(
            f"{card.name()} is in MIG mode and has no instance: CUDA finds no device on it",
            hint=f"Create instances: sudo nvidia-smi mig -i {number} -cgi 0 -C; "
            f"or end MIG mode: sudo nvidia-smi -i {number} -mig 0; --device cpu runs without the card",
        )
    return tuple(_gpu(each, card, number) for each in slices)


def _gpu(card: Card, whole: Card, number: int) -> DriverGpu:
    """Return the readings of a card, or of a slice of the card `whole`."""
    is_mig = card is not whole
    return DriverGpu(
        uuid=card.uuid(),
        name=card.name(),
        compute_capability=whole.compute_capability(),  # not every driver reports it for a slice
        driver=nvml_calls.driver_version(),
        driver_cuda=nvml_calls.driver_cuda(),
        memory=card.memory(),
        processes=card.processes(),
        display_active=card.display_active(),
        display_connected=card.display_connected(),
        power_limit_w=card.power_limit_w(),
        power_limit_default_w=card.power_limit_default_w(),
        ecc=card.ecc(),
        persistence=card.persistence(),
        pcie_generation_max=card.pcie_generation_max(),
        pcie_width_max=card.pcie_width_max(),
        is_mig=is_mig,
        number=number,
        card_uuid=whole.uuid() if is_mig else None,
    )
