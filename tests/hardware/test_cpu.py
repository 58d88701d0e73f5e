"""The name of the processor."""

import platform
import subprocess
import sys
from pathlib import Path

import pytest

from bench.hardware import cpu


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the file is Linux's")
def test_on_linux_it_is_what_the_kernel_lists() -> None:
    found = cpu.name()
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
    assert cpu.name() == name


@pytest.mark.parametrize(("reported", "name"), [("Intel64 Family 6", "Intel64 Family 6"), ("", None)])
def test_elsewhere_it_is_what_python_knows(
    monkeypatch: pytest.MonkeyPatch, reported: str, name: str | None
) -> None:
    monkeypatch.setattr(platform, "system", lambda: "Windows")
    monkeypatch.setattr(platform, "processor", lambda: reported)
    assert cpu.name() == name
