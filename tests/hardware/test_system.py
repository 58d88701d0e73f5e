"""The system, read from real files and the environment."""

from pathlib import Path

import pytest

from bench.hardware.system import System, nvidia_hardware, this_system


def pci(bus: Path, name: str, vendor: str, kind: str) -> None:
    (bus / name).mkdir(parents=True)
    (bus / name / "vendor").write_text(f"{vendor}\n")
    (bus / name / "class").write_text(f"{kind}\n")


def test_an_nvidia_card_is_seen_on_the_bus_without_any_driver(tmp_path: Path) -> None:
    assert nvidia_hardware(tmp_path / "none") is None
    pci(tmp_path, "0000:00:02.0", "0x8086", "0x030000")
    pci(tmp_path, "0000:01:00.1", "0x10de", "0x040300")  # the sound device of a card
    assert nvidia_hardware(tmp_path) is False
    pci(tmp_path, "0000:01:00.0", "0x10de", "0x030000")
    assert nvidia_hardware(tmp_path) is True


def test_wsl2_has_no_device_files_and_windows_manages_its_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WSL_DISTRO_NAME", "Ubuntu")
    monkeypatch.setenv("container", "podman")
    found = this_system()
    assert (found.wsl2, found.wddm, found.container) == (True, True, True)
    assert (found.device_files, found.uvm_file) == (None, None)
    assert System(windows=True).wddm
    assert not System(container=True).wddm
