"""A driver that fails: what a person reads, what a reader gets, and a meaning for every error of pynvml."""

import sys
from pathlib import Path
from typing import Final

import pynvml
import pytest

from bench.hardware import nvml
from bench.hardware.nvml_errors import MEANINGS, CardQuery, Meaning, device_error
from bench.hardware.system import System
from tests.fake_driver.driver import variant
from tests.hardware.driver_answers import Ask, answer_of, gpus, samples
from tests.run.forks import Forks


def test_a_card_that_falls_off_the_bus_is_said_in_one_line(ask: Ask, tmp_path: Path) -> None:
    lost = samples(ask, variant(tmp_path, "rtx-4070-headless", "lost 0 1#40"))
    assert lost["lost"] == ["the graphics card stopped answering: GPU is lost"]
    assert 1 <= len(lost["fast"]) < 5


def test_an_unknown_error_is_a_lost_card_where_its_memory_has_no_answer_either(
    ask: Ask, tmp_path: Path
) -> None:
    broken = ("temperature 61C UNKNOWN#3", "fail nvmlDeviceGetMemoryInfo UNKNOWN")
    lost = samples(ask, variant(tmp_path, "rtx-4070-headless", *broken))
    assert lost["lost"] == ["the graphics card stopped answering: Unknown Error"]
    assert [each.temperature_c for each in lost["slow"]] == [61, 61]


@pytest.mark.parametrize("error", ["UNKNOWN", "ERROR_1234"])
@pytest.mark.parametrize("card", ["rtx-4070-headless", "gb10"])
def test_an_unknown_error_of_one_figure_costs_that_figure_alone(
    ask: Ask, tmp_path: Path, card: str, error: str
) -> None:
    """The third answer is one, and the fourth is a figure again."""
    found = samples(ask, variant(tmp_path, card, f"temperature 61C {error}#3 61C#4"))
    assert found["lost"] == []
    assert [each.temperature_c for each in found["slow"]][:4] == [61, 61, None, 61]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="where libraries are found")
def test_without_a_driver_there_are_no_cards(forks: Forks) -> None:
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError_LibraryNotFound:
        assert answer_of(forks, "gpus", {}) == []
    else:
        pytest.skip("this machine has an NVIDIA driver")


def said(ask: Ask, folder: Path, *lines: str, system: tuple[str, ...] = ()) -> str:
    answer = ask(variant(folder, "rtx-4070-headless", *lines, system=system))
    assert isinstance(answer, dict), answer
    text = answer["error"]
    assert isinstance(text, str)
    assert text.isprintable()
    return text


@pytest.mark.parametrize(
    ("error", "message", "hint"),
    [
        ("DRIVER_NOT_LOADED", "installed and not loaded", "modprobe nvidia"),
        ("LIB_RM_VERSION_MISMATCH", "was updated while an older one is still loaded", "Restart the machine"),
        ("NO_PERMISSION", "this user may not use the NVIDIA driver", "/dev/nvidia*"),
        ("UNKNOWN", "does not answer (Unknown Error)", "nvidia-smi"),
    ],
)
def test_a_driver_that_does_not_open_says_what_to_do(
    ask: Ask, tmp_path: Path, error: str, message: str, hint: str
) -> None:
    line = said(ask, tmp_path, system=(f"fail nvmlInitWithFlags {error}",))
    assert message in line
    assert hint in line


@pytest.mark.parametrize("code", [999, 4, 9])
def test_a_container_that_lost_its_card_or_never_had_one_says_so(code: int) -> None:
    """`Unknown Error` follows `systemctl daemon-reload` on the host; without --gpus there are no files."""
    lost = str(device_error(code, System(container=True, device_files=True)))
    assert "this container has lost its graphics card, as after `systemctl daemon-reload`" in lost
    assert "Start the container again" in lost
    never = str(device_error(code, System(container=True, device_files=False)))
    assert "/dev/nvidia* is missing" in never
    assert "--gpus all" in never
    assert "container" not in str(device_error(code, System(device_files=True)))
    assert "container" not in str(device_error(18, System(container=True, device_files=True)))


def test_an_error_that_pynvml_does_not_know_is_one_readable_line(ask: Ask, tmp_path: Path) -> None:
    """Its text is then the driver's own, which may be any bytes."""
    assert "(an error of NVML)" in said(ask, tmp_path, system=("fail nvmlInitWithFlags ERROR_1234",))
    for text, shown in (("<1B>[31m", "\ufffd[31m"), ("<FF>", "error 1234"), ("<00>", "error 1234")):
        garbage = said(ask, tmp_path, system=(f"error_string {text}", "fail nvmlInitWithFlags ERROR_1234"))
        assert f"does not answer ({shown})" in garbage
    dead = "fail nvmlDeviceGetMemoryInfo ERROR_4321"
    answer = ask(variant(tmp_path, "rtx-4070-headless", "temperature 61C ERROR_4321#2", dead), "samples")
    assert isinstance(answer, dict)
    assert answer["lost"] == ["the graphics card stopped answering: an error of NVML"]


def test_a_card_that_is_lost_from_the_start(ask: Ask, tmp_path: Path) -> None:
    assert "has fallen off the bus. Restart" in said(ask, tmp_path, "lost 1")
    assert "power cables" in said(ask, tmp_path, "fail nvmlDeviceGetHandleByIndex_v2 INSUFFICIENT_POWER")
    assert "does not answer" in said(ask, tmp_path, "fail nvmlDeviceGetName UNKNOWN")
    assert "fallen off the bus" in said(ask, tmp_path, "fail nvmlDeviceGetMemoryInfo_v2 GPU_IS_LOST")


def test_cards_of_other_people_are_left_out(ask: Ask, tmp_path: Path) -> None:
    refused = "fail nvmlDeviceGetHandleByIndex_v2 NO_PERMISSION"
    (mine,) = gpus(ask, variant(tmp_path, "two-cards", refused))
    assert mine.name == "NVIDIA GeForce RTX 4070"
    assert "this user may not use" in said(ask, tmp_path, refused)


@pytest.mark.parametrize("broken", ["lost 1", "fail nvmlDeviceGetName UNKNOWN"])
def test_a_card_that_does_not_answer_leaves_the_others(ask: Ask, tmp_path: Path, broken: str) -> None:
    (healthy,) = gpus(ask, variant(tmp_path, "two-cards", broken))
    assert healthy.name == "NVIDIA GeForce RTX 4070"


def test_a_card_in_mig_mode_without_instances_says_how_to_make_some(ask: Ask, tmp_path: Path) -> None:
    """`nvidia-smi` lists it, and CUDA has no device: as after a repair, or a new installation."""
    divided = ("mig 1", "mig_slots 7")
    text = said(ask, tmp_path, *divided)
    assert "NVIDIA GeForce RTX 4070 is in MIG mode and has no instance" in text
    assert "sudo nvidia-smi mig -i 0 -cgi 0 -C" in text
    assert "sudo nvidia-smi -i 0 -mig 0" in text
    (plain,) = gpus(ask, variant(tmp_path, "two-cards", *divided))
    assert plain.name == "NVIDIA GeForce RTX 4070"


@pytest.mark.parametrize("uuid", ["<00>", "<FF>", "4070aaaa", "GPU-a,GPU-b", "GPU-<0A>", f"GPU-{'a' * 900}"])
def test_a_card_by_whose_uuid_cuda_cannot_find_it_is_not_used(ask: Ask, tmp_path: Path, uuid: str) -> None:
    (other,) = gpus(ask, variant(tmp_path, "two-cards", f"uuid {uuid}"))
    assert other.name == "NVIDIA GeForce RTX 4070"
    said(ask, tmp_path, f"uuid {uuid}")


def test_a_card_that_is_not_here_cannot_be_watched(ask: Ask) -> None:
    assert ask("rtx-4070-headless", "no_such_card") == "the graphics card stopped answering: Not Found"


# --- every error that pynvml knows ------------------------------------------------------------------------

ERRORS: Final = {
    name: int(getattr(pynvml, name))
    for name in dir(pynvml)
    if name.startswith("NVML_ERROR_") and isinstance(getattr(pynvml, name), int)
}


def test_pynvml_has_no_error_without_a_meaning() -> None:
    """If this fails, pynvml has learnt a new error: decide in nvml_errors what it means to a reader."""
    assert len(ERRORS) >= 30
    assert {name for name, code in ERRORS.items() if code not in MEANINGS} == set()


@pytest.mark.parametrize("name", sorted(ERRORS))
def test_an_error_is_no_value_or_a_lost_card_and_never_a_traceback(name: str) -> None:
    error = pynvml.NVMLError(ERRORS[name])
    assert type(error) is not pynvml.NVMLError
    asked = list[str]()

    def call(handle: str) -> int:
        asked.append(handle)
        raise error

    asker, means = CardQuery("card"), MEANINGS[ERRORS[name]]
    if means in {Meaning.LOST, Meaning.NO_DRIVER}:
        with pytest.raises(nvml.DriverLost, match="stopped answering") as caught:
            asker.ask(call)
        assert str(caught.value).isprintable()
    else:
        assert [asker.ask(call), asker.ask(call)] == [None, None]
        assert len(asked) == (2 if means is Meaning.NOT_NOW else 1)
    person = device_error(ERRORS[name])
    assert person.hint
    assert str(person).isprintable()


def test_what_pynvml_itself_trips_over_is_no_value() -> None:
    """Lists of drivers before R510."""

    def call(_handle: str) -> int:
        raise pynvml.NVMLLibraryMismatchError

    assert CardQuery("card").ask(call) is None
