"""`bench doctor` as a person gets it: the real command, on the fake driver's machines and on none."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from bench.doctor.interface import Diagnosis
from bench.hardware import nvml
from bench.packages import extra_command
from tests.cli.conftest import Said, Say
from tests.doctor.site import write_metadata, write_torch
from tests.fake_driver.driver import environment_of, variant
from tests.run.forks import Forks

KERNELS: Final = "sm_75 sm_80 sm_86 sm_90 sm_100 sm_120 compute_120"
CU130: Final = ("2.13.0+cu130", "13.0")

Doctor = Callable[..., Said]


@pytest.fixture
def doctor(tmp_path: Path, fake_nvml: Path, forks: Forks) -> Doctor:
    """`bench doctor` on a scenario, with a torch in front of the installed one that is imported at once.

    `is_fresh`: in a process of its own, for what is found while Python starts or bench is imported.
    """

    def run(
        scenario: str | Path | None,
        *arguments: str,
        torch: tuple[str, str | None] = ("2.13.0+cpu", None),
        kernels: str = KERNELS,
        failure: str = "pass",
        is_fresh: bool = False,
        **variables: str,
    ) -> Said:
        if scenario is None and nvml.gpus():
            pytest.skip("this machine has a graphics card of its own")
        site = tmp_path / "site"
        write_torch(site, *torch, kernels=kernels, failure=failure)
        own = {"HF_HUB_OFFLINE": "0", "HF_HOME": str(tmp_path / "hf"), "PYTHONPATH": str(site)}
        driver = {} if scenario is None else environment_of(scenario, fake_nvml)
        start = _start if is_fresh else forks.run
        ended = start("bench", "doctor", *arguments, env=os.environ | own | driver | variables, cwd=tmp_path)
        return Said(ended.returncode, ended.stdout, ended.stderr)

    return run


def _start(
    module: str, *arguments: str, env: dict[str, str], cwd: Path
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", module, *arguments],
        env=env,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def line_of(said: Said, name: str, number: int = 0) -> str:
    """The line of a check, and those below that go on with it, as one."""
    lines = said.out.splitlines()
    (start, *_) = [at for at, line in enumerate(lines) if line[9:].startswith(f"{name} ")][number:]
    rest = lines[start + 1 :]
    more = next((at for at, line in enumerate(rest) if not line.startswith(" ")), len(rest))
    return " ".join(" ".join(lines[start : start + 1 + more]).split())


def last_lines(said: Said) -> list[str]:
    return said.out.rstrip("\n").split("\n\n")[-1].splitlines()


# --- packages -----------------------------------------------------------------------------------------------


def test_a_package_that_is_missing_or_too_old_is_the_first_finding(doctor: Doctor, tmp_path: Path) -> None:
    """On a machine without a card, where the smoke suite would run."""
    (tmp_path / "site").mkdir()
    write_metadata(tmp_path / "site", "huggingface-hub", "0.20.1")
    hide = "import sys\nsys.modules.update(dict.fromkeys(('soxr', 'huggingface_hub')))\n"
    (tmp_path / "site" / "sitecustomize.py").write_text(hide)
    said = doctor(None, is_fresh=True)
    assert (said.code, said.err) == (3, "")
    assert line_of(said, "packages").startswith(
        "problem packages the packages that run the model are not installed (soxr)"
    )
    assert line_of(said, "packages", 1) == (
        'problem packages huggingface-hub is not installed fix: Fix it: pip install "huggingface-hub>=0.34"'
    )
    assert last_lines(said) == [
        "MOSS-Audio-4B-Instruct cannot run here yet. Fix first: packages (1 more problem after that).",
        f"Next: {extra_command('run')}",
    ]
    assert not any(line[9:].startswith("weights ") for line in said.out.splitlines())


@pytest.mark.parametrize(("arguments", "code"), [((), 3), (("--device", "cpu"), 0)])
def test_an_older_pynvml_keeps_cards_from_being_asked_and_the_cpu_does_not_need_it(
    doctor: Doctor, tmp_path: Path, arguments: tuple[str, ...], code: int
) -> None:
    (tmp_path / "site" / "pynvml").mkdir(parents=True)
    (tmp_path / "site" / "pynvml" / "__init__.py").write_text("NVML_SUCCESS = 0\n")
    said = doctor("rtx-4070-headless", *arguments, torch=CU130, is_fresh=True)
    assert (said.code, said.err) == (code, "")
    assert "nvidia-ml-py is hidden by an older package" in line_of(said, "packages")
    assert "NVIDIA card" not in said.out


# --- no card ------------------------------------------------------------------------------------------------


def test_without_a_driver_it_says_what_runs_here(doctor: Doctor) -> None:
    said = doctor(None)
    assert (said.code, said.err) == (0, "")
    assert line_of(said, "torch").startswith("ok torch 2.")
    assert "attention" not in said.out, "this torch does not say which kernel"
    assert "NVIDIA" in line_of(said, "GPU")
    assert "10.45 GB (9.73 GiB), to download" in line_of(said, "weights")
    assert "11.18 GB (10.41 GiB) free" in line_of(said, "RAM")
    assert last_lines(said)[-1] == "Next: bench run"
    assert "\x1b" not in said.out
    assert all(len(line) <= 100 and line == line.rstrip() for line in said.out.splitlines())


def test_without_a_driver_torch_is_not_tried(doctor: Doctor) -> None:
    said = doctor(None, torch=CU130, failure="raise SystemExit")
    assert said.code == 0
    assert "2.13.0+cu130" in line_of(said, "torch")


def test_a_card_that_was_asked_for_and_is_not_here(doctor: Doctor) -> None:
    said = doctor(None, "--gpu", "rtx-4070")
    assert said.code == 3
    assert "problem GPU no rtx-4070: " in line_of(said, "GPU")


def test_the_cpu_by_name(doctor: Doctor) -> None:
    said = doctor("rtx-4070-headless", "--device", "cpu")
    assert said.code == 0
    assert last_lines(said)[-1] == "Next: bench run --device cpu"
    assert "4070" not in said.out


def test_cards_that_the_environment_hides(doctor: Doctor) -> None:
    said = doctor("two-cards", CUDA_VISIBLE_DEVICES="")
    assert said.code == 0
    assert "hides all 2 cards fix: Unset it" in line_of(said, "GPU")


# --- one card -----------------------------------------------------------------------------------------------


def test_a_build_for_the_cpu_beside_a_card(doctor: Doctor) -> None:
    said = doctor("rtx-4070-headless", torch=("2.13.0+cpu", None))
    assert said.code == 3
    assert "built for the CPU only" in line_of(said, "torch")
    assert last_lines(said)[-1].startswith("Next: ")
    assert last_lines(said)[-1].endswith(("make bench TORCH=cu130", "https://download.pytorch.org/whl/cu130"))


def test_a_headless_card_on_which_all_is_fine(doctor: Doctor) -> None:
    said = doctor("rtx-4070-headless", torch=CU130)
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith("NVIDIA GeForce RTX 4070 (rtx-4070), 11.99 GiB\n")
    assert line_of(said, "kernels") == "ok kernels torch has kernels for sm_89; a small BF16 product ran"
    assert "without a display 11.57 GiB, with a desktop 10.89 GiB" in line_of(said, "VRAM")
    assert line_of(said, "display") == "ok display none on this card"
    assert "problem" not in said.out
    assert "warning" not in said.out
    assert last_lines(said) == [
        "MOSS-Audio-4B-Instruct can run on rtx-4070.",
        "Next: bench run --gpu rtx-4070",
    ]


@pytest.mark.emulated
def test_a_desktop_says_what_it_costs_and_who_is_on_it(doctor: Doctor) -> None:
    said = doctor("rtx-4070-desktop", torch=CU130)
    assert said.code == 0
    assert "takes 0.80 GiB (measured here) fix: For longer clips: plug the monitor" in line_of(
        said, "display"
    )
    programs = line_of(said, "processes")
    assert programs.startswith("note processes Xorg (pid ")
    assert "firefox" in programs
    assert "with 1 warning above" in last_lines(said)[0]


def test_an_old_wheel_has_no_kernels_for_a_new_card(doctor: Doctor) -> None:
    said = doctor(
        "rtx-5060-ti-16gb",
        torch=("2.6.0+cu124", "12.4"),
        kernels="sm_50 sm_80 sm_86 sm_90",
        failure='raise RuntimeError("CUDA error: no kernel image is available")',
    )
    assert said.code == 3
    assert "torch 2.6.0+cu124 has none for sm_120; it has sm_50, sm_80, sm_86, sm_90" in line_of(
        said, "kernels"
    )
    assert "2.6.0+cu124 is too old: 2.9.1 is needed" in line_of(said, "torch")
    assert "Fix first: torch" in said.out
    assert "cu130" in last_lines(said)[-1]


@pytest.mark.emulated
def test_what_torch_says_of_the_card_is_shown(doctor: Doctor) -> None:
    said = doctor(
        "rtx-4070-headless", torch=CU130, failure='raise RuntimeError("CUDA error: out of memory\\nadvice")'
    )
    assert said.code == 3
    assert "failed on this card: RuntimeError: CUDA error: out of memory" in line_of(said, "kernels")


@pytest.mark.emulated
@pytest.mark.parametrize(
    ("module", "expected"),
    [
        (
            "print('hello')\ndef flash_attn_func(*states, causal): pass\n",
            "ok FlashAttn 2 2.8.3 ran on this card",
        ),
        ("raise ImportError('undefined symbol: _ZN3c10')\n", "undefined symbol: _ZN3c10 fix: "),
        ("import os\nos.abort()\n", "2.8.3 failed: the process was ended by signal 6 fix: "),
    ],
)
def test_flash_attention_is_tried_on_the_card(
    doctor: Doctor, tmp_path: Path, module: str, expected: str
) -> None:
    site = tmp_path / "site"
    write_metadata(site, "flash-attn", "2.8.3")
    (site / "sitecustomize.py").write_text("print('my settings')")
    (site / "flash_attn.py").write_text(module)
    said = doctor("rtx-4070-headless", torch=CU130)
    assert said.code == 0
    assert expected in line_of(said, "FlashAttn 2")
    assert line_of(said, "kernels").startswith("ok ")


def test_a_driver_that_is_too_old(doctor: Doctor) -> None:
    said = doctor("old-cuda", torch=CU130)
    assert said.code == 3
    driver = line_of(said, "driver")
    assert "535.183.01 supports CUDA 12.2, too old for torch 2.13.0+cu130: CUDA 13 is needed" in driver
    assert "Update the NVIDIA driver to 580 or newer; or keep it:" in driver
    assert "cu128" in last_lines(said)[-1]


@pytest.mark.emulated
def test_a_command_is_never_broken_in_two(doctor: Doctor) -> None:
    said = doctor("old-cuda", torch=CU130)
    command = last_lines(said)[-1].removeprefix("Next: ")
    assert sum(command in line for line in said.out.splitlines()) == 2


@pytest.mark.emulated
def test_an_older_driver_of_the_same_major_version_will_do(doctor: Doctor) -> None:
    said = doctor("old-driver", torch=("2.9.1+cu128", "12.8"))
    assert said.code == 0
    assert line_of(said, "driver") == "ok driver 525.60.13, supports CUDA 12.0"
    assert "without a display n/a, with a desktop n/a" in line_of(said, "VRAM")


def test_turing_cannot_run_it_and_nothing_changes_that(doctor: Doctor) -> None:
    said = doctor("turing", torch=("2.13.0+cpu", None))
    assert said.code == 3
    assert said.out.splitlines()[1].startswith("problem  BF16")
    assert last_lines(said) == [
        "MOSS-Audio-4B-Instruct cannot run on rtx-2080-ti, and no setting changes that: see BF16."
    ]


@pytest.mark.emulated
def test_another_program_on_the_card(doctor: Doctor) -> None:
    said = doctor("shared-card", torch=CU130)
    assert said.code == 3
    assert "Free 1.36 GiB or more: close python3 (pid " in line_of(said, "VRAM")
    assert "fix: Stop python3 (pid " in line_of(said, "processes")


@pytest.mark.emulated
def test_a_container_sees_numbers_without_names(doctor: Doctor) -> None:
    said = doctor("container", torch=CU130, container="docker")
    assert said.code == 0
    assert "an unnamed program (pid " in line_of(said, "processes")


@pytest.mark.emulated
def test_wsl2_tells_no_sizes_and_spills(doctor: Doctor) -> None:
    said = doctor("wsl2", torch=CU130, WSL_DISTRO_NAME="Ubuntu")
    assert said.code == 0
    assert "n/a; Windows does not report how much each uses" in line_of(said, "processes")
    assert "Prefer No Sysmem Fallback" in line_of(said, "spill")
    assert "SSH" not in line_of(said, "display")


@pytest.mark.emulated
def test_a_part_without_memory_of_its_own_is_judged_by_the_ram(doctor: Doctor) -> None:
    said = doctor("gb10", torch=CU130)
    assert said.code == 0
    assert "NVIDIA GB10 (gb10), n/a" in said.out
    assert "the driver gives no figure, as where memory is shared" in line_of(said, "VRAM")


@pytest.mark.emulated
def test_a_lowered_power_limit(doctor: Doctor) -> None:
    said = doctor("power-capped", torch=CU130)
    assert said.code == 0
    assert "limit 140 W, below the default of 200 W" in line_of(said, "power")
    assert "sudo nvidia-smi -pl 200" in line_of(said, "power")


@pytest.mark.emulated
def test_a_laptop_is_told_of_its_other_graphics_and_never_to_stop_its_compositor(doctor: Doctor) -> None:
    said = doctor("laptop", torch=CU130)
    assert said.code == 0
    assert "hybrid mode" in line_of(said, "display")
    assert "Stop" not in line_of(said, "processes")


@pytest.mark.emulated
def test_a_card_beyond_the_catalog_runs_under_a_name_of_its_own(doctor: Doctor) -> None:
    said = doctor("unknown-card", torch=CU130, kernels="sm_80 compute_120")
    assert said.code == 0
    assert "not in the catalog: it runs under the name rtx-6070" in line_of(said, "GPU")
    assert last_lines(said)[-1] == "Next: bench run --gpu rtx-6070"


@pytest.mark.emulated
@pytest.mark.parametrize("scenario", ["falls-off-the-bus", "throttled", "contended"])
def test_what_only_shows_under_load_does_not_disturb_a_look_before(doctor: Doctor, scenario: str) -> None:
    assert doctor(scenario, torch=CU130).code == 0


def test_a_card_that_is_lost_says_what_helps(doctor: Doctor, tmp_path: Path) -> None:
    said = doctor(variant(tmp_path, "falls-off-the-bus", "lost 1"), torch=CU130)
    assert said.code == 3
    assert line_of(said, "GPU").startswith("problem GPU ")
    assert "estart" in line_of(said, "GPU")


def test_a_card_in_mig_mode_without_instances_is_here_and_says_what_to_do(
    doctor: Doctor, tmp_path: Path
) -> None:
    said = doctor(variant(tmp_path, "rtx-4070-headless", "mig 1", "mig_slots 7"), torch=CU130)
    assert said.code == 3
    assert line_of(said, "GPU").startswith("problem GPU NVIDIA GeForce RTX 4070 is in MIG mode")
    assert "nvidia-smi mig -i 0 -cgi 0 -C" in line_of(said, "GPU")


# --- several ------------------------------------------------------------------------------------------------


@pytest.mark.emulated
def test_of_two_cards_each_has_its_section_and_the_better_is_recommended(doctor: Doctor) -> None:
    said = doctor("two-cards", torch=CU130)
    assert said.code == 0
    assert "\nNVIDIA GeForce RTX 4070 (rtx-4070), " in said.out
    assert "\nTesla T4 (t4), " in said.out
    assert line_of(said, "BF16").startswith("ok ")
    assert line_of(said, "BF16", 1).startswith("problem ")
    assert last_lines(said)[-1] == "Next: bench run --gpu rtx-4070"


@pytest.mark.emulated
def test_one_of_two_cards_by_name(doctor: Doctor) -> None:
    said = doctor("two-cards", "--gpu", "t4", torch=CU130)
    assert said.code == 3
    assert "RTX 4070" not in said.out
    assert doctor("two-cards", "--gpu", "rtx-4090").code == 3


@pytest.mark.emulated
def test_a_card_that_is_lost_is_told_and_leaves_the_other(doctor: Doctor, tmp_path: Path) -> None:
    said = doctor(variant(tmp_path, "two-cards", "lost 1"), torch=CU130)
    assert said.code == 0
    assert "warning GPU a graphics card no longer answers: it has fallen off the bus" in line_of(said, "GPU")
    assert last_lines(said)[-1] == "Next: bench run --gpu rtx-4070"


@pytest.mark.emulated
def test_one_name_with_two_sizes(doctor: Doctor) -> None:
    said = doctor("rtx-4060-ti-pair", torch=CU130)
    assert said.code == 0
    assert "Use a card with 12 GB or more" in line_of(said, "VRAM")
    assert last_lines(said)[-1] == "Next: bench run --gpu rtx-4060-ti-16gb"


@pytest.mark.emulated
def test_slices_of_a_card_are_judged_one_by_one(doctor: Doctor) -> None:
    said = doctor("mig-slice", torch=CU130)
    assert said.code == 0
    assert "display  " not in said.out
    assert "mig-3g-20gb" in last_lines(said)[-1]


# --- for scripts --------------------------------------------------------------------------------------------


def test_json_has_the_documented_shape(doctor: Doctor) -> None:
    said = doctor("rtx-4070-desktop", "--json", torch=CU130)
    content: dict[str, Any] = json.loads(said.out)
    assert list(content) == [
        "schema_version",
        "can_run",
        "conclusion",
        "next_command",
        "machine",
        "gpus",
        "checks",
    ]
    assert (content["schema_version"], content["can_run"]) == ("1.0", True)
    assert content["next_command"] == "bench run --gpu rtx-4070"
    (gpu,) = content["gpus"]
    assert (gpu["slug"], gpu["can_run"]) == ("rtx-4070", True)
    assert gpu["budget"]["headless_bytes"] > gpu["budget"]["desktop_bytes"]
    assert set(gpu["checks"][0]) == {"name", "status", "summary", "fix", "command", "mendable"}
    assert Diagnosis.model_validate(content).model_dump(mode="json") == content


def test_json_ends_with_the_same_code(doctor: Doctor) -> None:
    said = doctor("turing", "--json", torch=CU130)
    assert said.code == 3
    assert json.loads(said.out)["can_run"] is False


def test_two_ways_to_name_a_card_are_one_too_many(say: Say) -> None:
    said = say("doctor", "--gpu", "rtx-4070", "--device", "cpu")
    assert said.code == 2
    assert "Use one of them" in said.line()


def test_a_misspelt_name_gets_the_nearest(say: Say) -> None:
    said = say("doctor", "--gpu", "rtx-4071")
    assert said.code == 2
    assert "rtx-4070" in said.line()
