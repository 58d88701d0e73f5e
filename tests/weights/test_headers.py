"""Shapes from the Hub without its weights: the real client in a real process against a real server."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.hub_server import API, Body, Fault, Hub, Status
from tests.weights.conftest import REPO, ROOT, Client
from tests.weights.samples import SHAPES, SHARDS, checkpoint, shard


@dataclass(frozen=True)
class TurnRequest:
    """TurnRequest for headers in a process of its own, with an empty home and nothing on its terminal."""

    client: Client

    def __call__(self, repo: str = REPO, revision: str = "", **env: str) -> dict[str, Any]:
        ended = self.client.forks.run(
            "tests.weights.ask_headers", repo, revision, env=self.client.environment(env), cwd=ROOT
        )
        assert (ended.returncode, ended.stderr) == (0, ""), ended.stderr
        answer: dict[str, Any] = json.loads(ended.stdout)
        return answer

    def refused(self, repo: str = REPO, revision: str = "", **env: str) -> str:
        answer = self(repo, revision, **env)
        assert answer.get("code") == 3, answer
        line = str(answer["line"])
        assert line.isprintable()
        return line


@pytest.fixture
def ask(client: Client) -> TurnRequest:
    return TurnRequest(client)


def test_the_headers_are_had_without_the_weights(hub: Hub, ask: TurnRequest) -> None:
    large = {SHARDS[0]: shard(0, a=(500_000,), b=(2, 3)), SHARDS[1]: shard(1, c=(5, 7))}
    commit = hub.repos[REPO].commit({**checkpoint(), **large})
    answer = ask()
    assert answer["commit"] == commit
    assert answer["config"] == {"model_type": "moss_audio", "seed": 0}
    assert dict(answer["tensors"]) == {
        name: list(shape) for name, shape in (SHAPES | {"a": (500_000,)}).items()
    }
    weights = [asked for asked in hub.contents() if asked.file in SHARDS]
    assert {asked.range for asked in weights} == {"bytes=0-100000"}
    kept = sum(file.stat().st_size for file in ask.client.home.rglob("*") if file.is_file())
    assert kept < 20_000  # the configuration and the index: nothing of two megabytes of weights


def test_a_header_of_more_than_the_first_bytes_and_a_single_file(hub: Hub, ask: TurnRequest) -> None:
    names = {f"layer.{number}.{'x' * 90}": (1, number + 1) for number in range(900)}
    files = {name: content for name, content in checkpoint().items() if "safetensors" not in name}
    hub.repos[REPO].commit({**files, "model.safetensors": shard(0, **names)})
    assert dict(ask()["tensors"]) == {name: list(shape) for name, shape in names.items()}


def test_tensors_come_in_the_order_in_which_they_lie(hub: Hub, ask: TurnRequest) -> None:
    order = [name for name, _ in ask()["tensors"]]
    assert order == ["a", "b", "c"]


def test_a_branch_a_commit_and_one_that_is_not_there(hub: Hub, ask: TurnRequest) -> None:
    first = hub.repos[REPO].branches["main"]
    second = hub.repos[REPO].commit(checkpoint(seed=1), branch="other")
    assert ask(REPO, "other")["commit"] == second
    assert ask(REPO, first)["commit"] == first
    assert ask.refused(REPO, "none") == (
        f"{REPO} has no revision 'none'. Give a branch, a tag or a full commit"
    )


def without(*names: str) -> Callable[[dict[str, bytes]], dict[str, bytes]]:
    return lambda files: {name: content for name, content in files.items() if name not in names}


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        (without("config.json"), f"{REPO} has no config.json, so its shapes are not known"),
        (without("model.safetensors.index.json"), f"{REPO} contains no safetensors weights"),
        (lambda files: {**files, "config.json": b'{"model_type": "qwen3"}'}, "its model_type is qwen3"),
        (lambda files: {**files, "config.json": b"{"}, "is not valid JSON"),
        (lambda files: {**files, SHARDS[0]: b"no header at all"}, "no valid safetensors headers"),
        (lambda files: {**files, SHARDS[0]: b"\xff" * 64}, "no valid safetensors headers"),
        (lambda files: {**files, SHARDS[0]: _header({"a": {}})}, "no valid safetensors headers"),
        (lambda files: {**files, SHARDS[0]: _header({"a": _entry(shape=[-1])})}, "no valid safetensors"),
        (lambda files: {**files, SHARDS[0]: _header({"a": _entry(shape=["x"])})}, "no valid safetensors"),
        (lambda files: {**files, SHARDS[0]: _header([])}, "no valid safetensors"),
    ],
)
def test_repositories_that_state_no_shapes(
    hub: Hub, ask: TurnRequest, changed: Callable[[dict[str, bytes]], dict[str, bytes]], told: str
) -> None:
    hub.repos[REPO].commit(changed(checkpoint()))
    assert told in ask.refused()


def _entry(**changed: object) -> dict[str, object]:
    return {"dtype": "F32", "shape": [1], "data_offsets": [0, 4], **changed}


def _header(content: object) -> bytes:
    text = json.dumps(content).encode()
    return len(text).to_bytes(8, "little") + text + b"\0" * 4


@pytest.mark.parametrize(
    ("what", "fault", "told"),
    [
        (API, Status(401), f"The Hub shows no {REPO} to this account (HTTP 401)"),
        (API, Status(429), "The Hub asks for a pause of some minutes"),
        (API, Body(b"{}"), "cannot be understood"),
        (SHARDS[0], Status(403), f"The Hub shows no {REPO} to this account (HTTP 403)"),
        (
            API,
            Status(503),
            f"a fault of its own (HTTP 503), and the shapes of {REPO} are not shipped",
        ),
    ],
)
def test_what_a_hub_can_answer(hub: Hub, ask: TurnRequest, what: str, fault: Fault, told: str) -> None:
    hub.broken[what] = fault
    assert told in ask.refused()


def test_no_connection_and_no_such_repository(hub: Hub, ask: TurnRequest) -> None:
    assert ask.refused("nobody/nothing").startswith("There is no repository nobody/nothing on the Hub")
    told = "Unset HF_HUB_OFFLINE and run again, or point --model to a directory with its config.json"
    assert told in ask.refused(HF_HUB_OFFLINE="1")
