"""Paths of the data files: in a wheel below the package, in a checkout next to it."""

from pathlib import Path

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
