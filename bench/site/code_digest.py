"""A digest of the code that makes a site: what older code has made is made again."""

import hashlib
from pathlib import Path
from typing import Final

import bench
from bench.packages import version_of

_PACKAGES: Final = ("altair", "jinja2", "numpy", "pandas", "pyarrow", "pydantic")


def code_digest() -> str:
    """Return a digest of all files of bench and of the versions of what it renders with."""
    root = Path(bench.__file__).parent
    found = hashlib.sha256(repr([version_of(name) for name in _PACKAGES]).encode())
    for path in sorted(root.rglob("*")):
        if path.is_file() and path.suffix != ".pyc":
            found.update(path.relative_to(root).as_posix().encode() + b"\0")
            found.update(hashlib.sha256(path.read_bytes()).digest())
    return found.hexdigest()
