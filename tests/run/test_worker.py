"""The worker by itself: it lives no longer than its parent, and nothing disturbs their messages."""

import os
import subprocess
import sys
from pathlib import Path
from queue import SimpleQueue

import pytest

from bench.run.child import Child, Mailbox, OutputClosed, WorkerEvent
from bench.run.protocol import EVENT, Refused, Setup
from bench.run.worker import PARENT_GONE
from tests.engines.stand_in import announce
from tests.run.test_isolation import SOURCE


def test_it_ends_when_its_parent_closes_the_pipe() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "bench.run.worker"], input="", capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stdout) == (PARENT_GONE, "\n")


def test_it_says_why_it_cannot_start() -> None:
    setup = Setup(engine="nothing", source=SOURCE, device="cpu", dtype="float32", audio=None)
    with subprocess.Popen(
        [sys.executable, "-m", "bench.run.worker"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(setup.model_dump_json() + "\n")
        process.stdin.flush()
        assert process.stdout.readline() == "\n"  # ends a line that something before it has begun
        refused = EVENT.validate_json(process.stdout.readline())
    assert isinstance(refused, Refused)
    assert (refused.message, refused.exit_code) == ("no engine 'nothing'", 2)


SITECUSTOMIZE = r"""
import os, sys
os.write(1, b"my settings: \xff on\n{\"kind\": 1}\nand no end")
"""
ENGINE = r"""
import os, subprocess, sys
from bench.errors import UsageError

def look(setup):
    print("printed by a library")
    seen = [sys.stdin.read(), os.read(0, 1).decode()]  # return at once: the pipe is elsewhere
    code = "import os; print(sorted(os.listdir('/proc/self/fd'))[:-1])"
    own = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True)
    raise UsageError(f"{seen} {own.stdout.strip()}", hint=str(setup.source.directory))
"""


@pytest.mark.parametrize("locale", [{}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "latin-1"}])
def test_nothing_disturbs_the_messages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, locale: dict[str, str]
) -> None:
    """Prints of Python's start, prints of a library, a library that reads, processes that it starts."""
    if not Path("/proc/self/fd").is_dir():
        pytest.skip("needs /proc")
    (tmp_path / "sitecustomize.py").write_text(SITECUSTOMIZE)
    (tmp_path / "looking.py").write_text(ENGINE)
    engine = "from dataclasses import replace\nfrom bench.engines.native import SPEC as native\n"
    engine += "from looking import look\nSPEC = replace(native, open=look)\n"
    (tmp_path / "looking_spec.py").write_text(engine)
    announce(tmp_path, "looking", value="looking_spec:SPEC")
    for name, value in {"PYTHONPATH": str(tmp_path), "PYTHONCOERCECLOCALE": "0", **locale}.items():
        monkeypatch.setenv(name, value)
    directory = tmp_path / "Jürgen"
    source = SOURCE.model_copy(update={"directory": directory})
    mailbox: Mailbox = SimpleQueue()
    child = Child(Setup(engine="looking", source=source, device="cpu", dtype="float32", audio=None), mailbox)
    said, gone = mailbox.get(timeout=60), mailbox.get(timeout=60)
    child.wait()
    assert isinstance(said, WorkerEvent)
    assert isinstance(said.event, Refused), child.error_tail()
    assert said.event.message == "['', ''] ['0', '1', '2']"
    hint = os.fsencode(directory).decode("ascii", "surrogateescape") if locale else str(directory)
    assert said.event.hint == hint.encode("utf-8", "replace").decode().replace("?", "\ufffd")
    assert gone == OutputClosed(child.pid)
    assert {"my settings: \ufffd on", "and no end", "printed by a library"} <= set(child.error_tail())
