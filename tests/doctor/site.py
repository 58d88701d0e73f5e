"""A folder that stands in front of site-packages, with another torch in it: files, as a wheel leaves them."""

from pathlib import Path

_MODULE = """
from types import SimpleNamespace
from torch import _C, version
__version__ = version.__version__
bfloat16 = "bfloat16"
def device(name):
    return SimpleNamespace(type=name)
def zeros(*shape, dtype, device):
    assert (dtype, device.type) == ("bfloat16", "cuda")
def ones(*shape, dtype, device):
    assert (dtype, device) == ("bfloat16", "cuda")
def mm(a, b):
    {failure}
cuda = SimpleNamespace(synchronize=lambda *_: None)
"""


def write_torch(
    site: Path, version: str, cuda: str | None, *, kernels: str = "", failure: str = "pass"
) -> None:
    """A torch that was built so; `failure` is a line of Python that its products run."""
    package = site / "torch"
    package.mkdir(parents=True, exist_ok=True)
    (package / "version.py").write_text(
        "from typing import Optional\n"
        f"__version__ = {version!r}\ncuda: Optional[str] = {cuda!r}\nhip = None\n"
    )
    (package / "__init__.py").write_text(_MODULE.format(failure=failure))
    (package / "_C.py").write_text(f"def _cuda_getArchFlags():\n    return {kernels!r}\n")
    write_metadata(site, "torch", version)
    # These need a whole torch, or take long to import.
    for name in ("accelerate", "transformers", "pandas", "altair"):
        (site / name).mkdir(exist_ok=True)
        (site / name / "__init__.py").write_text("")


def write_metadata(site: Path, name: str, version: str) -> None:
    """What `importlib.metadata` reads of an installed distribution."""
    folder = site / f"{name.replace('-', '_')}-{version}.dist-info"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
