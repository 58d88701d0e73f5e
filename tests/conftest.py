"""What tests of real commands share: one home with one tiny checkpoint, and one finished run."""

import gc
import json
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess

import hypothesis
import pytest
from filelock import FileLock

from tests.engines.stand_in import installed
from tests.fake_driver.driver import build
from tests.run.forks import Forks
from tests.run.processes import bench, write_suite

# A busy machine is no fault of the code: timings are in tests/benchmarks, as ratios.
hypothesis.settings.register_profile("bench", deadline=None)
hypothesis.settings.load_profile("bench")


def pytest_configure() -> None:
    """Undo what a suite in the background inherits: its processes would not hear Ctrl-C or a hang-up."""
    for name in ("SIGINT", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler if name == "SIGINT" else signal.SIG_DFL)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Keep what is imported and collected out of every garbage collection: it stays to the end."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@dataclass(frozen=True)
class EndedRun:
    """The folder of a command, its exit code, and what it printed on both streams."""

    folder: Path
    code: int
    out: str
    err: str


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of this session, the same in all its processes."""
    folder = tmp_path_factory.getbasetemp()
    return folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder


@pytest.fixture(scope="session")
def home(shared: Path) -> Path:
    """Where caches and settings lie."""
    folder = shared / "home"
    folder.mkdir(exist_ok=True)
    return folder


def made_once(shared: Path, name: str, make: Callable[[Path], CompletedProcess[str]]) -> EndedRun:
    """A folder of the session, made by the first of its processes that asks, and how the making ended."""
    folder, ended = shared / name, shared / f"{name}.ended.json"
    with FileLock(shared / f"{name}.lock"):
        if not ended.exists():
            folder.mkdir(exist_ok=True)
            process = make(folder)
            answer = [process.returncode, process.stdout, process.stderr]
            ended.write_text(json.dumps(answer), encoding="utf-8")
    return EndedRun(folder, *json.loads(ended.read_text(encoding="utf-8")))


@pytest.fixture(scope="session")
def finished_run(shared: Path, home: Path) -> tuple[Path, str, str]:
    """A folder with the results of a whole `bench run` in a pipe; what it printed on both streams."""

    def make(folder: Path) -> CompletedProcess[str]:
        attention = '["sdpa", "flash_attention_2"]'
        path = write_suite(folder, clips="[1, 2]", tokens="[8, 16]", attention=attention, repeats=3)
        return bench("run", "--suite", str(path), home=home, cwd=folder)

    ended = made_once(shared, "run", make)
    assert ended.code == 0, ended.err
    return ended.folder, ended.out, ended.err


@pytest.fixture(scope="session")
def stand_ins(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What a process has in its environment to find the stand-in engines: see tests/engines/stand_in.py."""
    return installed(tmp_path_factory.mktemp("installed"))


@pytest.fixture(scope="session")
def forks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forks]:
    """Runs short commands in forks of a process that has imported bench."""
    if not hasattr(os, "fork"):
        pytest.skip("needs os.fork")
    with ExitStack() as opened:
        yield Forks(tmp_path_factory.mktemp("forks"), opened)


@pytest.fixture(scope="session")
def fake_nvml(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The fake driver's library: see tests/fake_driver."""
    if not sys.platform.startswith("linux"):
        pytest.skip("the fake driver finds processes through Linux's /proc")
    if shutil.which("gcc") is None and "CI" not in os.environ:
        pytest.skip("the fake driver is built with gcc")
    return build(tmp_path_factory.mktemp("fake-driver"))
