"""What tests of real commands share: one home with one tiny checkpoint, and one finished run."""

import json
import os
import shutil
import sys
from pathlib import Path

import pytest
from filelock import FileLock

from tests.fake_driver.driver import build
from tests.run.processes import bench, write_suite


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


@pytest.fixture(scope="session")
def finished_run(shared: Path, home: Path) -> tuple[Path, str, str]:
    """A folder with the results of a whole `bench run` in a pipe; what it printed on both streams."""
    folder, printed = shared / "run", shared / "run.printed.json"
    with FileLock(shared / "run.lock"):
        if not printed.exists():
            folder.mkdir(exist_ok=True)
            path = write_suite(
                folder, clips="[1, 2]", tokens="[8, 16]", attention='["sdpa", "flash_attention_2"]', repeats=3
            )
            ended = bench("run", "--suite", str(path), home=home, cwd=folder)
            assert ended.returncode == 0, ended.stderr
            printed.write_text(json.dumps([ended.stdout, ended.stderr]), encoding="utf-8")
    output, errors = json.loads(printed.read_text(encoding="utf-8"))
    return folder, output, errors


@pytest.fixture(scope="session")
def fake_nvml(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The fake driver's library: see tests/fake_driver."""
    if not sys.platform.startswith("linux"):
        pytest.skip("the fake driver finds processes through Linux's /proc")
    if shutil.which("gcc") is None and "CI" not in os.environ:
        pytest.skip("the fake driver is built with gcc")
    return build(tmp_path_factory.mktemp("fake-driver"))
