"""Required packages, tried in a process of their own: real packages in front of the installed ones."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.doctor.site import write_metadata, write_torch

ASK = """
import json, sys
from bench.doctor.imports import try_imports
found = {fault.package: [fault.why, fault.command] for fault in try_imports().faults}
print(json.dumps(found), "torch" in sys.modules)
"""


def faults(site: Path) -> dict[str, list[str]]:
    """What is wrong with which package; torch is not imported to find out."""
    ended = subprocess.run(
        [sys.executable, "-c", ASK],
        env=os.environ | {"PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended.stdout.endswith(" False\n")
    found: dict[str, list[str]] = json.loads(ended.stdout.removesuffix(" False\n"))
    return found


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A torch that is imported at once."""
    write_torch(tmp_path, "2.13.0+cu130", "13.0")
    return tmp_path


def package(site: Path, name: str, text: str) -> None:
    (site / name).mkdir(exist_ok=True)
    (site / name / "__init__.py").write_text(text)


def test_where_nothing_is_wrong_nothing_is_found(site: Path) -> None:
    package(site, "altair", "print('bench: printed by a package')")
    assert faults(site) == {}


def test_a_setting_that_breaks_an_import_is_no_fault_of_the_package(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_DOWNLOAD_TIMEOUT", "soon")
    assert faults(site) == {}


def test_each_broken_package_is_found_with_its_error_and_remedy(site: Path) -> None:
    """Two that raise, two that end the process, an old one, another one with the same module."""
    package(site, "soxr", "raise OSError('libsoxr.so: cannot open')")
    package(site, "altair", "raise SystemExit('not on this machine')")
    package(site, "jinja2", "import os; os.abort()")
    package(site, "tokenizers", "import os; os._exit(5)")
    package(site, "pynvml", "NVML_SUCCESS = 0")
    write_metadata(site, "pandas", "1.5.3")
    found = faults(site)
    assert sorted(found) == ["altair", "jinja2", "nvidia-ml-py", "pandas", "soxr", "tokenizers"]
    assert found["soxr"][0].endswith("cannot be imported (OSError: libsoxr.so: cannot open)")
    assert found["altair"][0].endswith("cannot be imported (SystemExit: not on this machine)")
    assert found["jinja2"][0].endswith("cannot be imported (its process was ended by signal 6)")
    assert found["tokenizers"][0].endswith("cannot be imported (its process ended with code 5)")
    assert found["pandas"] == ["1.5.3 is too old: 2.2 is needed", 'pip install "pandas>=2.2"']
    assert found["nvidia-ml-py"][0] == "is hidden by an older package with the same module, pynvml"
    assert found["nvidia-ml-py"][1].startswith(
        "pip uninstall -y pynvml nvidia-ml-py3 nvidia-ml-py && pip install"
    )


def test_what_needs_torch_is_not_blamed_for_it(site: Path) -> None:
    package(site, "torch", "raise OSError('libcudart.so.13: cannot open shared object file')")
    for name in ("transformers", "accelerate"):
        package(site, name, "import torch")
    found = faults(site)
    assert list(found) == ["torch"]
    assert "OSError: libcudart.so.13: cannot open shared object file" in found["torch"][0]


def test_a_torch_that_is_well_is_asked_for_its_kernel_on_the_cpu(site: Path) -> None:
    (site / "torch" / "__init__.py").open("a").write(
        "float32 = bfloat16 = None\n"
        "def empty(*sizes, **kind): return sizes\n"
        "def _fused_sdp_choice(*given, **how): return 1\n"
    )
    ask = "from bench.doctor.imports import try_imports; print(try_imports().sdpa_kernel)"
    ended = subprocess.run(
        [sys.executable, "-c", ask],
        env=os.environ | {"PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended.stdout == "flash\n"
