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
from tests.weights.samples import checkpoint

ROOT = Path(__file__).parents[2]
REPO = "some-owner/moss-tiny"

_DRIVER = """
import json, sys
from bench.errors import BenchError
from bench.weights import hub

def fetched(repo, revision):
    progress = []
    try:
        plan = hub.plan(repo, revision=revision or None)
        found = hub.download(plan, lambda *stage: progress.append(stage))
    except BenchError as error:
        return {"line": str(error), "code": int(error.exit_code)}
    answer = {name: getattr(found, name) for name in ("name", "repo", "revision", "weight_mode")}
    answer |= {"directory": str(found.directory), "progress": progress, "note": plan.note}
    return answer | {"files": {file.name: [file.size_bytes, file.sha256] for file in found.files}}

for revision in sys.argv[2:]:
    print(json.dumps(fetched(sys.argv[1], revision)))
"""


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
    prefix: tuple[str, ...] = ()

    def start(self, repo: str = REPO, *revisions: str, **env: str) -> "subprocess.Popen[str]":
        base = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "HOME": str(self.home),
            "HF_HOME": str(self.home / "hf"),
            "HF_ENDPOINT": self.endpoint,
            "HF_HUB_DISABLE_TELEMETRY": "1",
        }
        return subprocess.Popen(
            [*self.prefix, sys.executable, "-c", _DRIVER, repo, *(revisions or [""])],
            env={**base, **env},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def fetch(self, repo: str = REPO, revision: str = "", **env: str) -> Answer:
        """Fetch and expect it to work."""
        return finished(self.start(repo, revision, **env))

    def fetches(self, *revisions: str, **env: str) -> list[Answer]:
        """Fetch each revision in turn, in one process, and expect it to work."""
        return [_answer(said) for said in _output(self.start(REPO, *revisions, **env))]

    def refused(self, repo: str = REPO, revision: str = "", **env: str) -> str:
        """Fetch and expect one line that says why not."""
        return self.refusals(repo, revision, **env)[0]

    def refusals(self, repo: str, *revisions: str, **env: str) -> list[str]:
        """Fetch each revision in turn, in one process, and expect one line for each."""
        answers = _output(self.start(repo, *revisions, **env))
        assert [answer.get("code") for answer in answers] == [3] * len(revisions), answers
        lines = [str(answer["line"]) for answer in answers]
        assert not any("\n" in line for line in lines)
        return lines

    def in_cache(self) -> set[str]:
        """Names of all files below the cache, links included."""
        return {path.name for path in (self.home / "hf").rglob("*") if path.is_file()}

    def snapshot(self, commit: str) -> Path:
        return self.home / "hf/hub" / f"models--{REPO.replace('/', '--')}" / "snapshots" / commit


def finished(process: "subprocess.Popen[str]") -> Answer:
    """The answer of a process that is expected to fetch one revision."""
    (said,) = _output(process)
    return _answer(said)


def _answer(said: dict[str, Any]) -> Answer:
    assert "line" not in said, said["line"]
    files = {name: (size, sha256) for name, (size, sha256) in said.pop("files").items()}
    progress = [(label, done, total) for label, done, total in said.pop("progress")]
    return Answer(**{**said, "directory": Path(said["directory"])}, files=files, progress=progress)


def _output(process: "subprocess.Popen[str]") -> list[dict[str, Any]]:
    """What a process that keeps its terminal clean has to say, a dictionary a line."""
    stdout, stderr = process.communicate(timeout=60)
    assert (process.returncode, stderr) == (0, ""), stdout + stderr
    return [json.loads(line) for line in stdout.splitlines()]


@pytest.fixture
def hub() -> Iterator[Hub]:
    """A Hub that offers one tiny checkpoint."""
    with serve() as running:
        running.repos[REPO].commit(checkpoint())
        yield running


@pytest.fixture
def client(tmp_path: Path, hub: Hub) -> Client:
    """A client with an empty cache."""
    return Client(tmp_path, hub.endpoint)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A checkpoint without folders of its own."""
    for name, content in checkpoint().items():
        if "/" not in name:
            (tmp_path / name).write_bytes(content)
    return tmp_path
