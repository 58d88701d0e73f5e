"""Measured records beside a plan, in folders that may not be ours."""

import os
from pathlib import Path

import pytest

from bench.run.derived_measured import measured_records

IS_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0


def test_a_folder_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    assert measured_records(tmp_path, "small", "rtx-4070") == ((), ())


def test_a_path_that_the_disk_refuses_is_noted(tmp_path: Path) -> None:
    records, (note,) = measured_records(tmp_path / ("x" * 300), "small", "rtx-4070")
    assert records == ()
    assert "cannot be read (" in note


@pytest.mark.skipif(IS_ROOT, reason="root may read everything")
@pytest.mark.parametrize("depth", [0, 1, 2])
def test_a_folder_that_may_not_be_read_is_noted(tmp_path: Path, depth: int) -> None:
    folder = tmp_path / "results" / "small" / "rtx-4070"
    folder.mkdir(parents=True)
    closed = (tmp_path / "results", folder.parent, folder)[depth]
    closed.chmod(0)
    try:
        records, (note,) = measured_records(tmp_path / "results", "small", "rtx-4070")
    finally:
        closed.chmod(0o700)
    assert records == ()
    assert note == f"left out of the comparison: {folder}: cannot be read (Permission denied)"
