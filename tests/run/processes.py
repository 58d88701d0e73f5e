"""Real `bench run` processes for the tests: started, watched line by line, and killed."""

import errno
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from bench.store.naming import USER_FOLDER

NEEDS_SIGNALS = pytest.mark.skipif(os.name == "nt", reason="Windows sends no such signals to a process")
NEEDS_TERMINAL = pytest.mark.skipif(os.name == "nt", reason="Windows has no such terminals")
NEEDS_SHELL = pytest.mark.skipif(os.name == "nt", reason="needs a POSIX shell")

LOCAL_DATA = "WIN_PD_OVERRIDE_LOCAL_APPDATA"
"""Where platformdirs puts caches and settings on Windows."""

NOT_FOUND = "The system cannot find the file specified" if os.name == "nt" else os.strerror(errno.ENOENT)

SUITE = """
name = "{name}"
version = "1"
title = "A suite for tests"
model = "tiny"
engine = "{engine}"
dtype = "float32"
[axes]
clip_seconds = {clips}
max_tokens = {tokens}
attention = {attention}
[measure]
repeats = {repeats}
max_repeats = {repeats}
cell_limit_s = {limit}
"""


def write_suite(
    folder: Path,
    *,
    clips: str = "[1]",
    tokens: str = "[8, 16, 24, 32]",
    attention: str = '["sdpa"]',
    repeats: int = 1,
    limit: float = 60,
    engine: str = "native",
) -> Path:
    """A suite file in `folder`."""
    path = folder / "mine.toml"
    text = SUITE.format(
        name="mine",
        engine=engine,
        clips=clips,
        tokens=tokens,
        attention=attention,
        repeats=repeats,
        limit=limit,
    )
    path.write_text(text, encoding="utf-8")
    return path


def cache_in(folder: Path) -> Path:
    """Our folder below the one where a user's caches lie."""
    own = folder / USER_FOLDER
    return own / USER_FOLDER / "Cache" if os.name == "nt" else own


def environment(home: Path) -> dict[str, str]:
    """The environment with caches and settings below `home`."""
    own = {
        "XDG_CACHE_HOME": str(home / "cache"),
        LOCAL_DATA: str(home / "cache"),
        "XDG_CONFIG_HOME": str(home / "config"),
        "HF_HOME": str(home / "hf"),
        "HF_HUB_OFFLINE": "1",
        "COLUMNS": "100",
        # Threads that wait for each other in every small operator crawl on a machine that is busy elsewhere.
        "OMP_NUM_THREADS": "1",
    }
    return os.environ | own


def bench(
    *arguments: str, home: Path, cwd: Path, timeout: float = 240, env: dict[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    """Run `bench` to its end, with nobody there to answer questions."""
    return subprocess.run(
        [sys.executable, "-m", "bench", *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="replace",
        cwd=cwd,
        env=environment(home) | (env or {}),
        check=False,
        timeout=timeout,
    )


@contextmanager
def started(
    *arguments: str, home: Path, cwd: Path, env: dict[str, str] | None = None
) -> "Iterator[subprocess.Popen[str]]":
    """A running `bench`, killed at the end if it still runs."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bench", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=cwd,
        env=environment(home) | (env or {}),
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def wait_for_line(process: "subprocess.Popen[str]", pattern: str) -> str:
    """Read standard error until a line matches; an assertion error with all lines if it ends first."""
    assert process.stderr is not None
    seen = []
    for line in process.stderr:
        seen.append(line)
        if re.search(pattern, line):
            return line
    raise AssertionError(f"no line matches {pattern!r} in:\n{''.join(seen)}")


def worker_of(process: "subprocess.Popen[str]") -> psutil.Process:
    """The one worker of a running `bench`."""
    (worker,) = psutil.Process(process.pid).children()
    return worker


def only(folder: Path, pattern: str) -> Path:
    """The one file below `folder` that matches."""
    (path,) = folder.rglob(pattern)
    return path
