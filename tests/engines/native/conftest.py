"""A package flash-attn as pip would leave it."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

WORKS = "def flash_attn_func(q, k, v, causal):\n    return q\n"


def install(folder: Path, version: str, code: str) -> None:
    """A package as pip would leave it."""
    (folder / "flash_attn").mkdir()
    (folder / "flash_attn" / "__init__.py").write_text(code, encoding="utf-8")
    information = folder / f"flash_attn-{version}.dist-info"
    information.mkdir()
    (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: flash-attn\nVersion: {version}\n")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    sys.modules.pop("flash_attn", None)
