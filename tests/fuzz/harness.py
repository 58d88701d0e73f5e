"""The command line in this process with hostile input, and what holds of it whatever it is given."""

import io
import os
import platform
import re
import socket
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import pytest
from hypothesis import HealthCheck, Phase, settings

from bench.cli.app import run
from bench.errors import MachineError

EXAMPLES: Final = int(os.environ.get("FUZZ_EXAMPLES", "0"))
"""Inputs for each target: 0 in `make test`, for some hundred that are always the same."""
CODES: Final = {0, 1, 2, 3, 4}
_SHOWN: Final = {"\n", "\t"}
platform.platform()  # starts a process, once
_COLOURS: Final = re.compile(r"\x1b\[[0-9;]*m")
_UNSAFE: Final = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def fuzzed(usual: int) -> settings:
    """Settings of a target: `usual` inputs that are always the same, or FUZZ_EXAMPLES others each time."""
    return settings(
        max_examples=EXAMPLES or usual,
        derandomize=not EXAMPLES,
        database=None,
        deadline=None,
        phases=(Phase.explicit, Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )


@dataclass(frozen=True, slots=True)
class Said:
    """The exit code of a command line, and what it printed."""

    code: int
    out: str
    err: str


@contextmanager
def place() -> Iterator[Path]:
    """An empty folder that is the current one, with an empty home, where no process can start."""
    with TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        folder = Path(name).resolve() / "here"
        folder.mkdir()
        patch.chdir(folder)
        for variable in ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "HF_HOME"):
            patch.setenv(variable, str(folder.parent / "home"))
        patch.setenv("HF_HUB_OFFLINE", "1")
        patch.setattr("tempfile.tempdir", str(folder.parent))
        patch.setattr("subprocess.Popen", _no_process)
        try:
            yield folder
        finally:
            for path in folder.rglob("*"):
                with suppress(OSError):
                    if path.is_dir() and not path.is_symlink():
                        path.chmod(0o700)


def _no_process(*_: object, **__: object) -> None:
    raise MachineError("no process starts here")


def said(*arguments: str) -> Said:
    """Run a command line. Of each holds: a code of the table, one line for an error, clean text.

    With FORCE_COLOR the text has colours, and nothing else that begins with an escape.
    """
    out, err = _stream(), _stream()
    with redirect_stdout(out), redirect_stderr(err):
        code = run(list(arguments))
    told = Said(code, _written(out), _written(err))
    assert code in CODES, f"{code} of {arguments!r}: {told.err}{_bugs()}"
    for printed in (told.out, told.err):
        text = _COLOURS.sub("", printed) if os.environ.get("FORCE_COLOR") else printed
        assert "Traceback" not in text, text
        odd = [letter for letter in text if letter not in _SHOWN and unicodedata.category(letter) in _UNSAFE]
        assert not odd, f"{odd[:5]} of {arguments!r} in {text[:2000]!r}"
    if code in {2, 3} and "doctor" not in arguments:
        last = told.err.splitlines()[-1]
        assert re.match(r"bench: \S.*\S$", last), f"{arguments!r}: {told.err}"
        assert len(last) < 2500, last
    return told


def _stream() -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors="replace", write_through=True)


def _written(stream: io.TextIOWrapper) -> str:
    buffer = stream.buffer
    assert isinstance(buffer, io.BytesIO)
    return buffer.getvalue().decode()


def _bugs() -> str:
    kept = Path.cwd().parent.glob("bench-bug-*.txt")
    return "".join(f"\n{path.read_text(encoding='utf-8')}" for path in kept)


# --- paths of every kind ----------------------------------------------------------------------------------

LATIN: Final = os.fsdecode(b"J\xfcrgen.json")
"""A file name in Latin-1: under UTF-8 it holds half a surrogate pair."""


def make_zoo(folder: Path) -> None:
    """Fill a folder with one path of each kind."""
    (folder / "text.toml").write_text("no TOML at all")
    (folder / "empty").touch()
    (folder / "folder").mkdir()
    (folder / "folder.toml").mkdir()
    (folder / "folder.json").mkdir()
    (folder / "loop").symlink_to("loop")
    (folder / "dangling.json").symlink_to("nowhere")
    (folder / "closed").mkdir()
    (folder / "closed" / "inside.json").touch()
    (folder / "\x1b[31m\u202e\u2028.json").write_text("{}")
    with suppress(OSError):  # a file system that takes UTF-8 only
        (folder / LATIN).write_text("{}")
    if os.name != "nt":
        for name in ("pipe", "pipe.toml", "pipe.json", "folder/pipe.json"):
            os.mkfifo(folder / name)
        with socket.socket(socket.AF_UNIX) as server:
            server.bind("socket.json")
    with (folder / "huge.json").open("wb") as file:
        file.truncate(600 * 2**20)
    (folder / "closed").chmod(0)


PATHS: Final = (
    *("", ".", "~", "-", "missing", "missing/deeper.json", "text.toml", "text.toml/below"),
    *("empty", "folder", "folder/", "folder.toml", "folder.json", "loop", "loop/below", "dangling.json"),
    *("closed", "closed/inside.json", "\x1b[31m\u202e\u2028.json", LATIN, "pipe", "pipe.toml", "pipe.json"),
    *("socket.json", "huge.json", "zero\0byte", "half\ud800.json", "a" * 300, "a" * 300 + ".toml"),
    *("x/" * 2500 + "x.json", "a" * 5000, "a" * 5000 + ".toml", "a" * 250 + ".json", "a\nb\r.json"),
    *("/dev/zero", "/dev/null", "/dev/full", "/dev/stdin", "/dev/tty", "/dev/fd/99", "/proc/self/mem"),
    *("/proc/self/status", "/proc/kmsg", "/proc/self/fd", "/sys/kernel", "CON", "NUL.json"),
    *("\\\\.\\pipe\\x", "C:\\Users\\x.json", "file:///etc/passwd", "https://example.org/x.json", "--", "-h"),
)
"""Names of paths: what `make_zoo` made, what is everywhere, and what cannot be."""
