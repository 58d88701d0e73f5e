"""On a machine without an NVIDIA driver, for real; cards come in as what the driver's module reports."""

from dataclasses import replace

import pynvml
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.errors import BenchError, DeviceError, ExitCode, UsageError
from bench.hardware import device as devices
from bench.hardware import nvml
from bench.hardware.catalog import slugify
from bench.hardware.device import Device, has_numbers, the_cpu, visible
from bench.hardware.readings import DriverGpu, MemoryReading
from bench.hardware.system import System
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


@pytest.fixture(autouse=True)
def _every_card_is_visible(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER"):
        monkeypatch.delenv(name, raising=False)


def machine_with(monkeypatch: pytest.MonkeyPatch, *gpus: DriverGpu) -> None:
    numbered = tuple(replace(gpu, number=number) for number, gpu in enumerate(gpus))
    monkeypatch.setattr(nvml, "gpus", lambda: numbered)


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


def test_the_freer_of_two_is_told_by_its_place_and_the_end_of_its_uuid(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    machine_with(monkeypatch, T4, RTX_4070, TWIN)
    assert devices.notes(devices.card("rtx-4070")) == (
        "2 cards here are rtx-4070: number 2 of them in PCI order is used (UUID ends in GPU-b), the freest, "
        "with 11.91 GiB free",
    )
    machine_with(monkeypatch, RTX_4070, replace(RTX_4070, uuid="GPU-d"))
    (note,) = devices.notes(devices.card("rtx-4070"))
    assert "number 1 of them in PCI order is used (UUID ends in GPU-a), all equally free" in note
    assert devices.notes(devices.device("GPU-d")) == ()


def test_what_the_catalog_knows_is_in_the_record(monkeypatch: pytest.MonkeyPatch) -> None:
    machine_with(monkeypatch, RTX_4070, replace(T4, name="NVIDIA Thing 9000"))
    known, unknown = (card.info() for card in devices.gpus())
    assert (known.catalogued, unknown.catalogued, the_cpu().info().catalogued) == (True, False, None)
    assert (known.memory_bandwidth_bytes_per_s, known.bf16_operations_per_s) == (504.2e9, 58.3e12)
    assert (unknown.memory_bandwidth_bytes_per_s, unknown.bf16_operations_per_s) == (None, None)
    assert (unknown.slug, unknown.memory_total_bytes) == ("thing-9000", 15360 * MIB)


@pytest.mark.parametrize(
    ("gpu", "note"),
    [
        (
            replace(T4, name="NVIDIA Thing 9000"),
            "NVIDIA Thing 9000 is not in the catalog; it runs as thing-9000, without bandwidth figures",
        ),
        (
            _gpu("GPU-e", "NVIDIA GeForce RTX 2080 Ti", 22528, "7.5", 22_000),
            "NVIDIA GeForce RTX 2080 Ti with 22.00 GiB is not in the catalog; it runs as rtx-2080-ti-22gb, "
            "without bandwidth figures",
        ),
        (
            replace(T4, name="NVIDIA A30 MIG 1g.6gb", uuid="MIG-a", is_mig=True),
            "NVIDIA A30 MIG 1g.6gb is a slice of a card, and the catalog has whole cards; it runs as "
            "a30-mig-1g-6gb, without bandwidth figures",
        ),
    ],
)
def test_a_card_that_the_catalog_does_not_know_runs_and_says_so(
    monkeypatch: pytest.MonkeyPatch, gpu: DriverGpu, note: str
) -> None:
    machine_with(monkeypatch, gpu)
    (found,) = devices.gpus()
    assert devices.notes(found) == (note,)
    assert devices.card(found.slug).uuid == gpu.uuid == devices.device(gpu.uuid).uuid


def test_a_misspelt_card_of_this_machine_is_meant_before_any_other(monkeypatch: pytest.MonkeyPatch) -> None:
    machine_with(monkeypatch, replace(T4, name="NVIDIA Thing 9000"), RTX_4070)
    assert "Did you mean thing-9000?" in said(UsageError, "thing-900")
    assert "Did you mean rtx-4070, " in said(UsageError, "rtx-407")


def test_a_card_that_is_here_and_hidden_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    machine_with(monkeypatch, T4, RTX_4070)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-c")
    hidden = said(DeviceError, "rtx-4070")
    assert hidden == (
        "rtx-4070 is in this machine, but CUDA_VISIBLE_DEVICES=GPU-c hides it. Unset it, or set it to GPU-a"
    )
    assert said(DeviceError, "GPU-a", gpu=False).startswith("GPU-a is in this machine, but ")
    assert [gpu.slug for gpu in devices.gpus()] == ["t4"]
    assert said(DeviceError, "rtx-4090") == "no rtx-4090 here: found t4, rtx-4070. Use --gpu t4"
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert "CUDA_VISIBLE_DEVICES= hides what is here: unset it" in said(DeviceError, "rtx-4090")
    default = devices.default()
    assert isinstance(default, Device)
    assert devices.notes(default) == ("the CPU runs: CUDA_VISIBLE_DEVICES= hides t4, rtx-4070",)


def test_numbers_that_cuda_may_read_otherwise_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """CUDA counts the fastest first, unless told to count as the driver does."""
    machine_with(monkeypatch, T4, RTX_4070)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    default = devices.default()
    assert isinstance(default, Device)
    assert devices.notes(default) == (
        "CUDA_VISIBLE_DEVICES=0 is taken in PCI order, as nvidia-smi counts: t4",
    )
    monkeypatch.setenv("CUDA_DEVICE_ORDER", "PCI_BUS_ID")
    assert devices.notes(devices.card("t4")) == ()
    monkeypatch.delenv("CUDA_DEVICE_ORDER")
    machine_with(monkeypatch, RTX_4070, TWIN)
    assert devices.notes(devices.device("GPU-a")) == ()


def test_the_number_of_a_card_in_mig_mode_is_its_first_instance(monkeypatch: pytest.MonkeyPatch) -> None:
    """Numbers count cards: CUDA enumerates one instance of a card that is named by its number."""
    first = replace(T4, uuid="MIG-a", name="NVIDIA A30 MIG 2g.12gb", is_mig=True, card_uuid="GPU-d")
    second = replace(first, uuid="MIG-b", name="NVIDIA A30 MIG 1g.6gb")
    monkeypatch.setattr(nvml, "gpus", lambda: (first, second, replace(RTX_4070, number=1)))
    monkeypatch.setenv("CUDA_DEVICE_ORDER", "PCI_BUS_ID")
    for wanted in ("0", "GPU-d"):
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", wanted)
        (found,) = devices.gpus()
        assert found.uuid == "MIG-a"
        assert devices.notes(found)[0] == (
            f"CUDA_VISIBLE_DEVICES={wanted} is a card in MIG mode, of which CUDA uses the first instance"
        )
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "MIG-b")
    assert "instance" not in devices.notes(devices.device("MIG-b"))[0]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    assert [gpu.slug for gpu in devices.gpus()] == ["rtx-4070"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2")
    assert devices.gpus() == ()


def test_a_garbage_list_of_devices_is_shown_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    machine_with(monkeypatch, T4)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "\x1b[31m\n" + "9" * 5000)
    default = devices.default()
    assert isinstance(default, Device)
    (note,) = devices.notes(default)
    assert note.startswith("the CPU runs: CUDA_VISIBLE_DEVICES=\ufffd[31m 99")
    assert note.isprintable()
    assert len(note) < 200


def test_a_card_without_a_driver_is_told_where_the_cpu_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    machine_with(monkeypatch)
    monkeypatch.setattr(devices, "this_system", lambda: System(nvidia_hardware=True))
    default = devices.default()
    assert isinstance(default, Device)
    assert devices.notes(default) == (
        "the CPU runs: an NVIDIA card is here, but no driver answers for it. "
        "Install the NVIDIA driver, 580 or newer, and restart",
    )
    monkeypatch.setattr(devices, "this_system", System)
    assert devices.notes(devices.default()) == ()  # type: ignore[arg-type]


# As `nvidia-smi` counts: 0 and 1 are cards, 2 is a card in MIG mode with two instances, 3 does not answer.
HERE = (
    DriverGpu("GPU-a1", "RTX 4070", "8.9", None, number=0),
    DriverGpu("GPU-b2", "RTX 4070", "8.9", None, number=1),
    DriverGpu("MIG-c3", "A100 MIG 3g.20gb", "8.0", None, is_mig=True, number=2, card_uuid="GPU-c0"),
    DriverGpu("MIG-d4", "A100 MIG 1g.5gb", "8.0", None, is_mig=True, number=2, card_uuid="GPU-c0"),
    DriverGpu("GPU-e5", "Tesla T4", "7.5", None, number=4),
)


@pytest.mark.parametrize(
    ("wanted", "left"),
    [
        (None, (0, 1, 2, 3, 4)),
        ("", ()),
        ("-1", ()),
        ("1", (1,)),
        ("1,0", (1, 0)),
        (" 1 , 0 ", (1, 0)),
        ("1,1", (1,)),
        ("GPU-a", (0,)),
        ("MIG-c3", (2,)),
        ("GPU-", ()),  # two begin like that
        ("0,7,1", (0,)),
        ("0,GPU-z,1", (0,)),
        ("2", (2,)),
        ("GPU-c0", (2,)),
        ("MIG-d4", (3,)),
        ("MIG-", ()),
        ("3", ()),
        ("4", (4,)),
        ("9" * 5000, ()),
        ("\u0663", ()),
    ],
)
def test_cards_that_were_not_assigned_are_not_taken(wanted: str | None, left: tuple[int, ...]) -> None:
    assert visible(HERE, wanted) == left


@given(st.lists(st.text(max_size=8)), st.one_of(st.none(), st.text(max_size=20)))
def test_whatever_it_holds_no_card_comes_twice_or_from_nowhere(uuids: list[str], wanted: str | None) -> None:
    places = visible([DriverGpu(uuid, "", None, None) for uuid in uuids], wanted)
    assert len(set(places)) == len(places)
    assert all(0 <= place < len(uuids) for place in places)


def test_numbers_are_noticed() -> None:
    assert has_numbers("GPU-a,1")
    assert not any(map(has_numbers, (None, "", "-1", "GPU-1", "MIG-2")))
