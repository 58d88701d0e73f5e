"""What tests of real commands share: one home with one tiny checkpoint, and one finished run."""

import os
import shutil
import sys
from pathlib import Path

import pytest

from tests.fake_driver.driver import build
from tests.run.processes import bench, write_suite


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where caches and settings lie; made once."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory: pytest.TempPathFactory, home: Path) -> tuple[Path, str, str]:
    """A folder with the results of a whole `bench run` in a pipe; what it printed on both streams."""
    folder = tmp_path_factory.mktemp("run")
    path = write_suite(
        folder, clips="[1, 2]", tokens="[8, 16]", attention='["sdpa", "flash_attention_2"]', repeats=3
    )
    ended = bench("run", "--suite", str(path), home=home, cwd=folder)
    assert ended.returncode == 0, ended.stderr
    return folder, ended.stdout, ended.stderr


@pytest.fixture(scope="session")
def fake_nvml(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The fake driver's library: see tests/fake_driver."""
    if not sys.platform.startswith("linux"):
        pytest.skip("the fake driver finds processes through Linux's /proc")
    if shutil.which("gcc") is None and "CI" not in os.environ:
        pytest.skip("the fake driver is built with gcc")
    return build(tmp_path_factory.mktemp("fake-driver"))
