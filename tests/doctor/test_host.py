"""The machine, read from real files."""

from pathlib import Path

import pytest

from bench.doctor.host import host, memory_left
from bench.units import GIB


def group(folder: Path, **files: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / f"memory.{name}").write_text(text)
    return folder


def test_a_container_has_no_more_memory_than_its_limit(tmp_path: Path) -> None:
    machine = (64 * GIB, 60 * GIB)
    assert memory_left(*machine, tmp_path / "none") == machine
    assert memory_left(*machine, group(tmp_path, max="max\n", current="1000\n")) == machine
    limited = group(
        tmp_path,
        max=f"{8 * GIB}\n",
        current=f"{5 * GIB}\n",
        stat=f"anon 1\ninactive_file {2 * GIB}\nactive_file 7\n",
    )
    assert memory_left(*machine, limited) == (8 * GIB, 5 * GIB)
    assert memory_left(4 * GIB, GIB, limited) == (4 * GIB, GIB)


def test_wsl2_and_containers_are_recognised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WSL_DISTRO_NAME", "Ubuntu")
    monkeypatch.setenv("container", "podman")
    found = host()
    assert found.wsl2
    assert found.wddm
    assert found.container


def test_this_machine_has_memory_and_a_name() -> None:
    found = host(hidden_gpus=3)
    assert 0 < found.ram_available_bytes <= found.ram_total_bytes
    assert found.os
    assert found.hidden_gpus == 3
