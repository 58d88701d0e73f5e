"""Which torch is installed, from real files on the path."""

import subprocess
import sys
from pathlib import Path

import pytest

from bench.doctor.torch_build import torch_build
from tests.doctor.site import write_torch

_ASK = """
import sys
from bench.doctor.torch_build import torch_build
print(torch_build(), "torch" in sys.modules)
"""


def ask(site: Path) -> str:
    answer = subprocess.run(
        [sys.executable, "-c", _ASK],
        env={"PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        check=True,
    )
    return answer.stdout.strip()


def test_the_torch_of_this_environment() -> None:
    torch = pytest.importorskip("torch")
    found = torch_build()
    assert found is not None
    assert (found.version, found.cuda) == (torch.__version__, torch.version.cuda)


def test_a_build_is_read_without_importing_it(tmp_path: Path) -> None:
    write_torch(tmp_path, "2.9.1+cu128", "12.8")
    assert ask(tmp_path) == "TorchBuild(version='2.9.1+cu128', cuda='12.8', hip=None) False"


@pytest.mark.parametrize("content", ["", "x = (", "\x00", "__version__ = compute()\n"])
def test_a_version_file_that_tells_nothing_leaves_the_metadata(tmp_path: Path, content: str) -> None:
    """Which names the CUDA too: not known is not the same as none."""
    write_torch(tmp_path, "2.9.1+cu128", "12.8")
    (tmp_path / "torch" / "version.py").write_text(content)
    assert "version='2.9.1+cu128', cuda='12.8'" in ask(tmp_path)


def test_a_torch_that_is_hidden_is_none(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['torch'] = None\n")
    assert ask(tmp_path).startswith("None ")
