"""The files of a report."""

from pathlib import Path

import pytest

from bench.errors import StorageError
from bench.report.files import write_reports
from bench.report.formats import FORMATS
from bench.report.view import view_of
from tests.samples import records as sample


def test_each_format_is_written_under_its_suffix(tmp_path: Path) -> None:
    paths = write_reports(view_of(sample.standard()), tmp_path / "new", FORMATS, "20261120-standard-a1b2")
    assert [path.name for path in paths] == [
        "20261120-standard-a1b2.html",
        "20261120-standard-a1b2.check.json",
        "20261120-standard-a1b2.md",
        "20261120-standard-a1b2.csv",
    ]
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == sorted(path.name for path in paths)


def test_only_what_was_asked_for(tmp_path: Path) -> None:
    assert write_reports(view_of(sample.smoke()), tmp_path, [], "x") == ()
    (path,) = write_reports(view_of(sample.smoke()), tmp_path, ["csv", "csv"], "x")
    assert path.suffix == ".csv"


def test_the_same_record_makes_the_same_bytes(tmp_path: Path) -> None:
    first = write_reports(view_of(sample.standard()), tmp_path / "a", FORMATS, "x")
    second = write_reports(view_of(sample.standard()), tmp_path / "b", FORMATS, "x")
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


def test_a_refusing_disk_is_one_line_with_a_hint(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError, match="cannot be written") as caught:
        write_reports(view_of(sample.smoke()), tmp_path / "file", ["md"], "x")
    assert caught.value.hint


def test_rendering_needs_no_torch() -> None:
    import subprocess
    import sys

    code = (
        "import sys; from bench.report.formats import FORMATS, renderer;"
        "[renderer(name) for name in FORMATS];"
        "assert not {'torch', 'transformers', 'pandas', 'rich', 'jinja2'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
