"""Complete weights in the cache, where the Hub refuses, breaks or cannot be asked."""

import json

from tests.hub_server import API, Body, Fault, Hub, Status
from tests.weights.conftest import REPO, Client, finished
from tests.weights.samples import SHAPES, SHARDS
from tests.weights.test_headers import TurnRequest

FAULTS: dict[str, tuple[str, Fault]] = {
    "429": ("The Hub asks for a pause of 7 s", Status(429, (("Retry-After", "7"),))),
    "503": ("The Hub has a fault of its own (HTTP 503)", Status(503)),
    "401": ("The Hub refused the token in HF_TOKEN (HTTP 401)", Status(401)),
    "403": (f"The Hub shows no {REPO} to this account (HTTP 403)", Status(403)),
    "404": (f"There is no repository {REPO} on the Hub", Status(404)),
    "407": ("The proxy wants a name and a password (HTTP 407)", Status(407)),
    "page": ("The answer is not from the Hub", Body(b"<html>Sign in</html>")),
    "nonsense": (f"The Hub's answer about {REPO} cannot be understood", Body(b"{}")),
}


def test_complete_weights_with_known_hashes_win_over_every_fault(hub: Hub, client: Client) -> None:
    online = client.fetch()
    assert online.note is None
    hub.faults[API] = [fault for _, fault in FAULTS.values()]
    hub.asked.clear()
    for (line, _), answer in zip(
        FAULTS.values(), client.fetches(*["main"] * len(FAULTS), HF_TOKEN="hf_x"), strict=True
    ):
        assert (answer.files, answer.directory) == (online.files, online.directory)
        assert answer.note is not None
        assert answer.note.startswith(line)
        assert answer.note.endswith(
            f". The complete copy of {REPO} in the cache is used: {online.revision[:12]}"
        )
    assert hub.contents() == []


def test_they_win_over_settings_with_which_the_hub_cannot_be_asked(client: Client) -> None:
    online = client.fetch()
    settings: tuple[dict[str, str], ...] = (
        {"HF_ENDPOINT": "hf-mirror.example"},
        {"HF_HUB_OFFLINE": "1"},
        {"HF_ENDPOINT": "https://hub.example", "ALL_PROXY": "socks://127.0.0.1:1080"},
        {"HF_TOKEN": "hf_\u6d4b"},
    )
    for process in [client.start(**variables) for variables in settings]:
        answer = finished(process)
        assert answer.files == online.files
        assert "in the cache is used" in (answer.note or "")


def test_copies_without_links_are_used_and_said_to_have_no_known_hashes(hub: Hub, client: Client) -> None:
    """As on Windows without the right to make links, where a snapshot holds the files themselves."""
    directory = client.fetch().directory
    for path in directory.iterdir():
        content = path.read_bytes()
        path.unlink()
        path.write_bytes(content)
    hub.broken[API] = Status(429)
    assert (client.fetch().note or "").endswith("; the hashes of some of its files are not known")


def test_incomplete_weights_do_not_win(hub: Hub, client: Client) -> None:
    (client.fetch().directory / SHARDS[0]).unlink()
    hub.broken[API] = Status(429)
    assert client.refused().startswith("The Hub asks for a pause")


def test_shapes_come_from_complete_weights_too(hub: Hub, client: Client) -> None:
    online = client.fetch()
    hub.broken[API] = Status(429)
    answer = TurnRequest(client)()
    assert answer["commit"] == online.revision
    assert dict(answer["tensors"]) == {name: list(shape) for name, shape in SHAPES.items()}
    assert answer["config"] == json.loads(online.read("config.json"))
