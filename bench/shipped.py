"""Paths of the data files: in a wheel below the package, in a checkout next to it."""

from pathlib import Path
from typing import Final

SPEECH_SHA256: Final = "1fadf221541efad6e70002c85cc70c7df739f9876268565761b2ab3c363efd00"
"""Of the samples of the shipped speech, so that a plan can name its cells without decoding anything."""
SPEECH_SAMPLES: Final = 1_151_360
"""Samples of the shipped speech, at 16 kHz."""

_PACKAGE = Path(__file__).parent


def data(*parts: str) -> Path:
    """A file or folder below `bench/data/`."""
    return _PACKAGE.joinpath("data", *parts)


def suites() -> Path:
    """The folder of shipped suites: `bench/suites` in a wheel, `suites/` in a checkout."""
    return _beside_or_below("suites")


def schemas() -> Path:
    """The folder of exported JSON Schemas: `bench/schemas` in a wheel, `schemas/` in a checkout."""
    return _beside_or_below("schemas")


def _beside_or_below(name: str) -> Path:
    below = _PACKAGE / name
    return below if below.is_dir() else _PACKAGE.parent / name
