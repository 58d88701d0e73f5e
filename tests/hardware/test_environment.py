import getpass
import os
import platform
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

import bench
from bench.hardware.environment import _from_cpuinfo, cpu_name, environment
from bench.packages import version_of
from bench.records.record import Environment


@pytest.fixture(scope="module")
def here() -> Environment:
    return environment(torch="2.13.0+cpu", transformers="5.23.0")


def test_it_says_what_a_result_depends_on(here: Environment) -> None:
    assert here.bench_version == bench.__version__
    assert here.python == platform.python_version()
    assert (here.torch, here.transformers) == ("2.13.0+cpu", "5.23.0")
    assert here.packages["numpy"] == metadata.version("numpy")
    assert here.ram_bytes is not None
    assert here.ram_bytes > 2**30


@pytest.mark.parametrize(
    ("torch", "has_flash_kernels", "recorded"),
    [("2.13.0", False, False), ("2.13.0", True, True), (None, True, None)],
)
def test_flash_kernels_are_those_of_a_torch_that_is_used(
    torch: str | None, has_flash_kernels: bool, recorded: bool | None
) -> None:
    found = environment(torch=torch, transformers=None, has_flash_kernels=has_flash_kernels)
    assert found.has_flash_kernels is recorded


def test_in_a_checkout_it_names_the_commit(here: Environment) -> None:
    root = Path(bench.__file__).parent.parent
    if not (root / ".git").exists():
        assert (here.bench_commit, here.bench_dirty) == (None, None)
        return
    head = subprocess.run(
        ["git", "-C", root, "rev-parse", "HEAD"], capture_output=True, text=True, check=True
    )
    assert here.bench_commit == head.stdout.strip()
    assert here.bench_dirty is not None


def test_it_says_nothing_about_whose_machine_it_is(here: Environment) -> None:
    text = here.model_dump_json().lower()
    private = {str(Path.cwd()), str(Path.home()), sys.prefix, os.environ.get("HOSTNAME", "")}
    private |= {name for name in (platform.node(), getpass.getuser()) if len(name) > 4}
    for word in private - {""}:
        assert word.lower() not in text


def test_a_kernel_that_carries_a_name_is_scrubbed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "release", lambda: "6.1.0-/home/zebulon/linux")
    assert "zebulon" not in environment(torch="2", transformers="5").kernel


def test_without_os_release_the_system_is_still_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> dict[str, str]:
        raise OSError

    monkeypatch.setattr(platform, "freedesktop_os_release", missing)
    assert environment(torch="2", transformers="5").os.startswith(platform.system())


def test_outside_a_checkout_there_is_no_commit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(bench, "__file__", str(tmp_path / "bench" / "__init__.py"))
    outside = environment(torch="2", transformers="5")
    assert (outside.bench_commit, outside.bench_dirty) == (None, None)


def test_without_git_there_is_no_commit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    here = environment(torch="2", transformers="5")
    assert (here.bench_commit, here.bench_dirty) == (None, None)


def test_a_package_that_is_not_installed_has_no_version() -> None:
    assert version_of("no-such-package") is None
    assert version_of("torch") == metadata.version("torch")


# --- the processor ----------------------------------------------------------------------------------------


def test_the_processor_has_a_name_or_none() -> None:
    name = cpu_name()
    assert name is None or name.strip() == name != ""


@pytest.mark.parametrize(
    ("cpuinfo", "name"),
    [
        ("processor\t: 0\nmodel name\t: AMD Ryzen 7 5800X\n", "AMD Ryzen 7 5800X"),
        (
            "processor\t: 0\nBogoMIPS\t: 108\nSerial\t\t: 100000001\nModel\t\t: Raspberry Pi 4\n",
            "Raspberry Pi 4",
        ),
        ("processor\t: 0\nCPU part\t: 0xd0c\n", platform.machine()),
        ("model name\t:\n", platform.machine()),
    ],
)
def test_the_name_is_read_and_the_serial_number_is_not(tmp_path: Path, cpuinfo: str, name: str) -> None:
    file = tmp_path / "cpuinfo"
    file.write_text(cpuinfo)
    assert _from_cpuinfo(file) == name


def test_no_cpuinfo_is_no_name(tmp_path: Path) -> None:
    assert _from_cpuinfo(tmp_path / "cpuinfo") is None


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the file is Linux's")
def test_on_linux_it_is_what_the_kernel_lists() -> None:
    found = cpu_name()
    assert found is not None
    assert found in Path("/proc/cpuinfo").read_text(encoding="utf-8") or found == platform.machine()


@pytest.mark.parametrize(("printed", "name"), [("Apple M3 Pro\n", "Apple M3 Pro"), ("", None)])
def test_on_a_mac_it_is_what_the_system_says(
    monkeypatch: pytest.MonkeyPatch, printed: str, name: str | None
) -> None:
    def answer(command: list[str], **_: object) -> "subprocess.CompletedProcess[str]":
        return subprocess.CompletedProcess(command, 0, stdout=printed)

    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    monkeypatch.setattr(subprocess, "run", answer)
    assert cpu_name() == name


@pytest.mark.parametrize(("reported", "name"), [("Intel64 Family 6", "Intel64 Family 6"), ("", None)])
def test_elsewhere_it_is_what_python_knows(
    monkeypatch: pytest.MonkeyPatch, reported: str, name: str | None
) -> None:
    monkeypatch.setattr(platform, "system", lambda: "Windows")
    monkeypatch.setattr(platform, "processor", lambda: reported)
    assert cpu_name() == name
