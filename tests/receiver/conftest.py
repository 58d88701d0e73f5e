"""Databases of the receiver: a file of SQLite, and a real PostgreSQL that the first test starts."""

import os
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import psycopg
import pytest

from bench.receiver.database import Database
from bench.store import naming
from tests.conftest import made_once
from tests.run.processes import bench

_NOBODY: Final = 65534
_PROGRAMS: Final = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)


def program(name: str) -> str:
    """The path of a program of PostgreSQL."""
    found = shutil.which(name, path=os.pathsep.join([*map(str, _PROGRAMS), os.environ["PATH"]]))
    assert found is not None, "PostgreSQL is not installed: tools/install-postgresql"
    return found


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running server, without a database's name. It refuses root: another user runs it."""
    folder = Path("/tmp") / f"bench-postgresql-{uuid.uuid4().hex[:12]}"  # a socket's path is short
    folder.mkdir(mode=0o700)
    as_nobody: tuple[str, ...] = ()
    if os.geteuid() == 0:
        os.chown(folder, _NOBODY, _NOBODY)
        as_nobody = ("setpriv", f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups")
    data, log = folder / "data", folder / "log"
    make = (program("initdb"), "--auth=trust", "--username=tests", "--no-sync", "-D", str(data))
    start = (program("pg_ctl"), "-D", str(data), "-l", str(log), "-w", "-o", f"-k {folder} -h ''", "start")
    stop = (program("pg_ctl"), "-D", str(data), "-m", "immediate", "stop")
    try:
        subprocess.run((*as_nobody, *make), check=True, capture_output=True, cwd="/")
        subprocess.run((*as_nobody, *start), check=True, stdout=subprocess.DEVNULL, cwd="/")
        yield f"host={folder} user=tests"
        subprocess.run((*as_nobody, *stop), check=True, stdout=subprocess.DEVNULL, cwd="/")
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def served_folder(shared: Path, home: Path, tmp_path: Path) -> Path:
    """The folder of a receiver that ran before: each page without records takes long, and is there."""

    def make(folder: Path) -> "subprocess.CompletedProcess[str]":
        (folder / "results").mkdir()
        (folder / "results" / naming.ORDER).touch()
        words = ("site", "build", "results", "--out", "public", "--index", "site.sqlite")
        return bench(*words, home=home, cwd=folder)

    ended = made_once(shared, "served", make)
    assert ended.code == 0, ended.err
    return shutil.copytree(ended.folder, tmp_path / "served")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.servers)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a new database, of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/receiver.sqlite"
    server: str = request.getfixturevalue("postgresql")
    name = f"t{uuid.uuid4().hex}"
    with psycopg.connect(f"{server} dbname=postgres", autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    return f"postgresql://tests@/{name}?host={server.split(maxsplit=1)[0].removeprefix('host=')}"


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A new database."""
    with Database(database_url) as opened:
        yield opened
