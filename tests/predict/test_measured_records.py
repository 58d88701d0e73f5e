"""Measured records beside a plan, in folders that may not be ours."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from bench.store.record_files import measured_records

NOBODY = 65534


def test_a_folder_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    assert measured_records(tmp_path, "small", "rtx-4070") == ((), ())


def test_a_path_that_the_disk_refuses_is_noted(tmp_path: Path) -> None:
    records, (note,) = measured_records(tmp_path / ("x" * 300), "small", "rtx-4070")
    assert records == ()
    assert "cannot be read (" in note


@contextmanager
def without_privileges() -> Iterator[None]:
    """Root may read everything: for a moment, be nobody."""
    own = os.geteuid()
    if own == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(own)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that everybody can reach; those of `tmp_path` are for their owner alone."""
    with TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
@pytest.mark.parametrize("depth", [0, 1, 2])
def test_a_folder_that_may_not_be_read_is_noted(open_folder: Path, depth: int) -> None:
    folder = open_folder / "results" / "small" / "rtx-4070"
    folder.mkdir(parents=True)
    closed = (open_folder / "results", folder.parent, folder)[depth]
    closed.chmod(0)
    try:
        with without_privileges():
            records, (note,) = measured_records(open_folder / "results", "small", "rtx-4070")
    finally:
        closed.chmod(0o700)
    assert records == ()
    assert note == f"left out of the comparison: {folder}: cannot be read (Permission denied)"
