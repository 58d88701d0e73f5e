"""The command line in this process, for what ends before a worker starts, and a checkpoint to damage."""

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bench.cli.app import run
from bench.receiver.database import Database, url_of
from bench.store import naming
from tests.run.processes import LOCAL_DATA, cache_in


@dataclass(frozen=True)
class Said:
    """How a command line ended, and what it printed."""

    code: int
    out: str
    err: str

    def line(self) -> str:
        """The one line that an error consists of: no traceback, no control characters."""
        (line,) = self.err.splitlines()
        assert line.startswith("bench: ")
        assert line.isprintable()
        assert self.out == ""
        return line


Say = Callable[..., Said]


@pytest.fixture
def say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Say:
    """Run a command line in an empty folder with an empty home."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    for name in ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "HF_HOME", LOCAL_DATA):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    for name in ("BENCH_DATABASE", "BENCH_FOLDER"):
        monkeypatch.delenv(name, raising=False)

    def said(*arguments: str) -> Said:
        capsys.readouterr()
        code = run(list(arguments))
        printed = capsys.readouterr()
        return Said(code, printed.out, printed.err)

    return said


@pytest.fixture
def receiver(say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """The database that the environment names, still empty, which a receiver has open."""
    monkeypatch.setenv("BENCH_FOLDER", str(tmp_path / "served"))
    assert say("site", "queue").code == 2, "there was none"
    with Database(url_of(tmp_path / "served" / naming.RECEIVER)) as database:
        yield database


@pytest.fixture
def checkpoint(tmp_path: Path, home: Path, finished_run: object) -> Path:
    """A copy of the tiny checkpoint that the finished run has made, as a person's own model."""
    directory = tmp_path / "models" / "my-model"
    shutil.copytree(cache_in(home / "cache") / "tiny-1", directory)
    return directory


def journal_of(record: Path, folder: Path, *, done: int = 0) -> Path:
    """The journal that a run would have left if it had been killed after so many cells."""
    content = json.loads(record.read_text(encoding="utf-8"))
    unlike = {"schema_version", "content_hash", "derivation", "cells"}
    header = {key: content[key] for key in content if key not in unlike}
    header["plan"] = [
        {"cell_id": cell["cell_id"], "requested": cell["requested"]} for cell in content["cells"]
    ]
    journal = folder / record.name.replace(".json", ".journal.jsonl")
    lines = [header, *content["cells"][:done]]
    journal.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return journal
