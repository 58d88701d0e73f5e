"""The files of a site on disk."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench.site.output import BEGUN, MANIFEST, Output, Written


def listed(out: Path) -> list[str]:
    return sorted(json.loads((out / MANIFEST).read_text())["files"])


def test_files_are_written_once(tmp_path: Path) -> None:
    with Output(tmp_path) as output:
        output.put("a/b.html", b"1")
    assert output.changed == 1
    with Output(tmp_path) as output:
        output.put("a/b.html", b"1")
    assert output.changed == 0
    with Output(tmp_path) as output:
        output.put("a/b.html", b"2")
    assert output.changed == 1
    assert (tmp_path / "a" / "b.html").read_bytes() == b"2"


def test_what_nothing_makes_any_more_is_removed_and_nothing_else(tmp_path: Path) -> None:
    with Output(tmp_path) as output:
        output.put("a/old.html", b"1")
        output.put("b/kept.html", b"1")
    (tmp_path / "b" / "mine.txt").write_text("not of the site")
    with Output(tmp_path) as output:
        output.put("b/kept.html", b"1")
    assert not (tmp_path / "a").exists()
    assert (tmp_path / "b" / "mine.txt").exists()
    assert listed(tmp_path) == ["b/kept.html"]


def test_kept_files_must_be_there(tmp_path: Path) -> None:
    with Output(tmp_path) as output:
        files = {"a.html": output.put("a.html", b"12")}
    with Output(tmp_path) as output:
        assert output.keep(files)
        assert not output.keep({"a.html": Written(3, files["a.html"].sha256)})
        assert not output.keep({"gone.html": files["a.html"]})
    assert listed(tmp_path) == ["a.html"]


def test_what_another_build_has_written_since_is_not_kept(tmp_path: Path) -> None:
    with Output(tmp_path) as output:
        files = {"a.html": output.put("a.html", b"1")}
    with Output(tmp_path) as output:
        output.put("a.html", b"2")
    with Output(tmp_path) as output:
        assert not output.keep(files)
        output.put("a.html", b"1")
    (tmp_path / MANIFEST).unlink()
    with Output(tmp_path) as output:
        assert output.keep(files)


def test_after_an_interruption_the_next_build_knows_all_files(tmp_path: Path) -> None:
    with Output(tmp_path) as output:
        output.put("old.html", b"1")
    with pytest.raises(KeyboardInterrupt), Output(tmp_path) as output:
        output.put("new.html", b"1")
        raise KeyboardInterrupt
    assert listed(tmp_path) == ["new.html", "old.html"]
    with Output(tmp_path):
        pass
    assert sorted(path.name for path in tmp_path.iterdir()) == [MANIFEST]


KILLED = """
import os, sys
from pathlib import Path
from bench.site.output import Output
with Output(Path(sys.argv[1])) as output:
    output.put("records/private.html", b"1")
    output.put("kept.html", b"2")
    os._exit(9)
"""


def test_after_a_killed_build_the_next_one_removes_what_it_left(tmp_path: Path) -> None:
    with Output(tmp_path) as output:
        files = {"kept.html": output.put("kept.html", b"1")}
    assert subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False).returncode == 9
    assert (tmp_path / "records" / "private.html").exists()
    with Output(tmp_path) as output:
        assert not output.keep(files)
        output.put("kept.html", b"1")
    assert sorted(path.name for path in tmp_path.iterdir()) == [MANIFEST, "kept.html"]


def test_what_a_killed_build_is_said_to_have_begun_is_below_the_site(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("mine")
    out = tmp_path / "out"
    out.mkdir()
    (out / BEGUN).write_bytes(b"../outside\n/etc/outside\n\xff\n" + str(outside).encode() + b"\noutsi")
    with Output(out):
        pass
    assert outside.exists()
    assert not (out / BEGUN).exists()


@pytest.mark.parametrize("path", ["../outside", "/etc/outside", ".hidden", "a//b", "a/../../outside", ""])
def test_a_list_that_names_other_files_removes_nothing(tmp_path: Path, path: str) -> None:
    outside = tmp_path / "outside"
    outside.write_text("mine")
    out = tmp_path / "out"
    out.mkdir()
    (out / MANIFEST).write_text(json.dumps({"files": {path: [4, "0" * 64]}}))
    with Output(out):
        pass
    assert outside.exists()
