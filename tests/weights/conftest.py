"""A Hub to talk to, and a process that fetches from it as `bench` does."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.hub_server import Hub, serve
from tests.run.forks import Forks
from tests.weights.samples import checkpoint

ROOT = Path(__file__).parents[2]
REPO = "some-owner/moss-tiny"

_DRIVER = "tests.weights.fetch_from_hub"


@dataclass(frozen=True)
class Answer:
    """What the process handed back."""

    name: str
    repo: str
    revision: str
    weight_mode: str
    directory: Path
    files: dict[str, tuple[int, str]]
    progress: list[tuple[str, int, int]]
    note: str | None

    def read(self, file: str) -> bytes:
        return (self.directory / file).read_bytes()


@dataclass(frozen=True)
class Client:
    """Fetches in a process of its own, with an empty home and nothing on its terminal."""

    home: Path
    endpoint: str
    forks: Forks
    prefix: tuple[str, ...] = ()

    def environment(self, env: dict[str, str]) -> dict[str, str]:
        """The environment of such a process."""
        base = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "HOME": str(self.home),
            "HF_HOME": str(self.home / "hf"),
            "HF_ENDPOINT": self.endpoint,
            "HF_HUB_DISABLE_TELEMETRY": "1",
        }
        return base | env

    def start(self, repo: str = REPO, *revisions: str, **env: str) -> "subprocess.Popen[str]":
        """Begin to fetch, in a process that Python starts; `prefix` is in front of its command line."""
        return subprocess.Popen(
            [*self.prefix, sys.executable, "-m", _DRIVER, repo, *(revisions or [""])],
            env=self.environment(env),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def fetch(self, repo: str = REPO, revision: str = "", **env: str) -> Answer:
        """Fetch and expect it to work."""
        return _answer(self._outcomes(repo, revision, **env)[0])

    def fetches(self, *revisions: str, **env: str) -> list[Answer]:
        """Fetch each revision in turn, in one process, and expect it to work."""
        return [_answer(said) for said in self._outcomes(REPO, *revisions, **env)]

    def refused(self, repo: str = REPO, revision: str = "", **env: str) -> str:
        """Fetch and expect one line that says why not."""
        return self.refusals(repo, revision, **env)[0]

    def refusals(self, repo: str, *revisions: str, **env: str) -> list[str]:
        """Fetch each revision in turn, in one process, and expect one line for each."""
        return refusals_of(self._outcomes(repo, *revisions, **env))

    def _outcomes(self, repo: str, *revisions: str, **env: str) -> list[dict[str, Any]]:
        ended = self.forks.run(_DRIVER, repo, *revisions, env=self.environment(env), cwd=ROOT)
        return _read(ended.returncode, ended.stdout, ended.stderr)

    def in_cache(self) -> set[str]:
        """Names of all files below the cache, links included."""
        return {path.name for path in (self.home / "hf").rglob("*") if path.is_file()}

    def snapshot(self, commit: str) -> Path:
        return self.home / "hf/hub" / f"models--{REPO.replace('/', '--')}" / "snapshots" / commit


def finished(process: "subprocess.Popen[str]") -> Answer:
    """The answer of a process that is expected to fetch one revision."""
    (said,) = outcomes(process)
    return _answer(said)


def refusals_of(answers: list[dict[str, Any]]) -> list[str]:
    """The lines of fetches that are expected not to work."""
    assert [answer.get("code") for answer in answers] == [3] * len(answers), answers
    lines = [str(answer["line"]) for answer in answers]
    assert not any("\n" in line for line in lines)
    return lines


def _answer(said: dict[str, Any]) -> Answer:
    assert "line" not in said, said["line"]
    files = {name: (size, sha256) for name, (size, sha256) in said.pop("files").items()}
    progress = [(label, done, total) for label, done, total in said.pop("progress")]
    return Answer(**{**said, "directory": Path(said["directory"])}, files=files, progress=progress)


def outcomes(process: "subprocess.Popen[str]") -> list[dict[str, Any]]:
    """What a process that keeps its terminal clean has to say, a dictionary a line."""
    stdout, stderr = process.communicate(timeout=60)
    return _read(process.returncode, stdout, stderr)


def _read(code: int, out: str, err: str) -> list[dict[str, Any]]:
    assert (code, err) == (0, ""), out + err
    return [json.loads(line) for line in out.splitlines()]


@pytest.fixture
def hub() -> Iterator[Hub]:
    """A Hub that offers one tiny checkpoint."""
    with serve() as running:
        running.repos[REPO].commit(checkpoint())
        yield running


@pytest.fixture
def client(tmp_path: Path, hub: Hub, forks: Forks) -> Client:
    """A client with an empty cache."""
    return Client(tmp_path, hub.endpoint, forks)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A checkpoint without folders of its own."""
    for name, content in checkpoint().items():
        if "/" not in name:
            (tmp_path / name).write_bytes(content)
    return tmp_path
