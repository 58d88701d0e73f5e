"""What the NVIDIA driver says. The only module that imports pynvml."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pynvml

from bench.errors import DeviceError


@dataclass(frozen=True, slots=True)
class DriverGpu:
    """One GPU as NVML sees it. Sizes in bytes; None where the driver does not say."""

    uuid: str
    name: str
    memory_total_bytes: int | None
    memory_free_bytes: int | None
    compute_capability: str | None
    driver: str | None


def gpus() -> tuple[DriverGpu, ...]:
    """Every GPU of this machine, in the driver's order; none where there is no NVIDIA driver.

    Raises:
        DeviceError: there is a driver, and it does not work.
    """
    try:
        with _session():
            driver = str(pynvml.nvmlSystemGetDriverVersion())
            handles = [
                pynvml.nvmlDeviceGetHandleByIndex(index) for index in range(pynvml.nvmlDeviceGetCount())
            ]
            return tuple(_gpu(handle, driver) for handle in handles)
    except (pynvml.NVMLError_LibraryNotFound, pynvml.NVMLError_DriverNotLoaded):
        return ()
    except pynvml.NVMLError as error:
        raise DeviceError(
            f"the NVIDIA driver does not answer ({error})",
            hint="If `nvidia-smi` fails too, restart the machine: drivers that were just updated need it",
        ) from error


@contextmanager
def _session() -> Iterator[None]:
    pynvml.nvmlInit()
    try:
        yield
    finally:
        pynvml.nvmlShutdown()


def _gpu(handle: object, driver: str) -> DriverGpu:
    total, free = _memory(handle)
    return DriverGpu(
        uuid=str(pynvml.nvmlDeviceGetUUID(handle)),
        name=str(pynvml.nvmlDeviceGetName(handle)),
        memory_total_bytes=total,
        memory_free_bytes=free,
        compute_capability=_capability(handle),
        driver=driver,
    )


def _memory(handle: object) -> tuple[int | None, int | None]:
    try:
        memory = pynvml.nvmlDeviceGetMemoryInfo(handle)
    except pynvml.NVMLError:  # parts with unified memory have no figure of their own
        return None, None
    return int(memory.total), int(memory.free)


def _capability(handle: object) -> str | None:
    try:
        major, minor = pynvml.nvmlDeviceGetCudaComputeCapability(handle)
    except pynvml.NVMLError:
        return None
    return f"{major}.{minor}"
