"""On a machine without an NVIDIA driver, for real; cards come in as what the driver's module reports."""

import pynvml
import pytest

from bench.errors import BenchError, DeviceError, ExitCode, UsageError
from bench.hardware import device as devices
from bench.hardware import nvml
from bench.hardware.catalog import slugify
from bench.hardware.device import Device, require_build, the_cpu, visible
from bench.hardware.readings import DriverGpu, MemoryReading
from bench.units import MIB


def _gpu(uuid: str, name: str, mib: int, capability: str, free_mib: int) -> DriverGpu:
    memory = MemoryReading("NVML memory v1", mib * MIB, (mib - free_mib) * MIB, free_mib * MIB, None)
    return DriverGpu(uuid, name, capability, "580.95.05", memory=memory)


RTX_4070 = _gpu("GPU-a", "NVIDIA GeForce RTX 4070", 12282, "8.9", 11_264)
TWIN = _gpu("GPU-b", "NVIDIA GeForce RTX 4070", 12282, "8.9", 12_200)
T4 = _gpu("GPU-c", "Tesla T4", 15360, "7.5", 15_000)


def _has_driver() -> bool:
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return False
    pynvml.nvmlShutdown()
    return True


no_driver = pytest.mark.skipif(_has_driver(), reason="this machine has an NVIDIA driver")


def machine_with(monkeypatch: pytest.MonkeyPatch, *gpus: DriverGpu) -> None:
    monkeypatch.setattr(nvml, "gpus", lambda: gpus)


@no_driver
def test_without_a_driver_the_cpu_is_the_default() -> None:
    assert nvml.gpus() == ()
    default = devices.default()
    assert isinstance(default, devices.Device)
    assert default.kind == "cpu"


def test_the_cpu_has_the_memory_of_the_machine_and_no_uuid() -> None:
    cpu = devices.device("cpu")
    assert cpu.memory_total_bytes is not None
    assert cpu.free_bytes is not None
    assert 0 < cpu.free_bytes < cpu.memory_total_bytes
    assert cpu.uuid is None
    assert cpu.slug.startswith("cpu-")
    assert slugify(cpu.slug) == cpu.slug


def said(error: type[BenchError], name: str, *, gpu: bool = True) -> str:
    with pytest.raises(error) as caught:
        devices.card(name) if gpu else devices.device(name)
    assert str(caught.value).isprintable()
    return str(caught.value)


@no_driver
def test_a_card_that_is_not_here_is_another_error_than_one_that_does_not_exist() -> None:
    missing = said(DeviceError, "rtx-4070")
    assert missing.startswith("no rtx-4070 here: no NVIDIA GPU was found")
    assert "--device cpu" in missing
    assert DeviceError.exit_code is ExitCode.MACHINE
    unknown = said(UsageError, "rtx-4070-tie")
    assert "no graphics card is called 'rtx-4070-tie'" in unknown
    assert "Did you mean rtx-4070-ti" in unknown
    assert "`bench gpus`" in said(UsageError, "toaster")
    assert "no GPU here has the UUID GPU-1234" in said(DeviceError, "GPU-1234", gpu=False)


def test_another_card_is_here(monkeypatch: pytest.MonkeyPatch) -> None:
    machine_with(monkeypatch, T4)
    assert said(DeviceError, "rtx-4070") == "no rtx-4070 here: found t4. Use --gpu t4"


def test_the_only_gpu_is_the_default_and_of_several_somebody_chooses(monkeypatch: pytest.MonkeyPatch) -> None:
    machine_with(monkeypatch, T4)
    one = devices.default()
    assert isinstance(one, devices.Device)
    assert one.slug == "t4"
    machine_with(monkeypatch, T4, RTX_4070)
    several = devices.default()
    assert isinstance(several, tuple)
    assert [gpu.slug for gpu in several] == ["t4", "rtx-4070"]


def test_of_two_equal_cards_the_freer_one_runs_unless_one_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    machine_with(monkeypatch, RTX_4070, TWIN)
    assert devices.card("rtx-4070").uuid == "GPU-b"
    assert devices.device("rtx-4070").uuid == "GPU-b"
    assert devices.device("GPU-a").uuid == "GPU-a"


def test_a_record_holds_no_uuid(monkeypatch: pytest.MonkeyPatch) -> None:
    machine_with(monkeypatch, RTX_4070)
    info = devices.card("rtx-4070").info()
    assert "GPU-a" not in info.model_dump_json()
    assert (info.slug, info.memory_total_bytes, info.driver) == ("rtx-4070", 12282 * MIB, "580.95.05")


def test_a_driver_that_does_not_answer_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """As after an update of the driver without a restart."""

    def mismatch() -> None:
        raise pynvml.NVMLError(pynvml.NVML_ERROR_LIB_RM_VERSION_MISMATCH)

    monkeypatch.setattr(pynvml, "nvmlInit", mismatch)
    with pytest.raises(
        DeviceError, match=r"updated while an older one is still loaded\. Restart the machine"
    ) as caught:
        devices.default()
    assert str(caught.value).isprintable()


def _cards(*uuids: str) -> tuple[Device, ...]:
    return tuple(Device("cuda", "rtx-4070", "RTX 4070", 12 * 2**30, uuid=uuid) for uuid in uuids)


@pytest.mark.parametrize(
    ("wanted", "left"),
    [
        (None, ["GPU-a1", "GPU-b2"]),
        ("", []),
        ("-1", []),
        ("1", ["GPU-b2"]),
        ("1,0", ["GPU-b2", "GPU-a1"]),
        ("GPU-a", ["GPU-a1"]),
        ("0,7,1", ["GPU-a1"]),
    ],
)
def test_cards_that_were_not_assigned_are_not_taken(wanted: str | None, left: list[str]) -> None:
    assert [card.uuid for card in visible(_cards("GPU-a1", "GPU-b2"), wanted)] == left


def test_a_build_of_torch_for_the_cpu_is_refused_on_a_card() -> None:
    (card,) = _cards("GPU-a1")
    with pytest.raises(DeviceError, match="TORCH=cu130"):
        require_build(card, "2.13.0+cpu")
    require_build(card, "2.13.0+cu130")
    require_build(the_cpu(), "2.13.0+cpu")
