"""The picture of the README is made by a command."""

import struct
from pathlib import Path

import pytest

from tools import picture

pytestmark = pytest.mark.browser


def size(png: Path) -> tuple[int, int]:
    content = png.read_bytes()
    assert content.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", content[16:24])
    return width, height


def test_the_command_makes_a_picture_as_large_as_the_one_in_the_repository(tmp_path: Path) -> None:
    made = tmp_path / "report.png"
    picture.main(["--out", str(made)])
    assert size(made) == size(picture.PICTURE) == (picture.WIDTH, picture.HEIGHT)
    assert made.stat().st_size > picture.PICTURE.stat().st_size / 2  # an empty page is smaller
