"""Fetching from the Hub: the real client in a real process against a real server."""

import re
import socket
from pathlib import Path

import pytest
from huggingface_hub import snapshot_download

from bench.weights.hub_cache import cached_files
from tests.hub_server import API, Body, Hub, Status, sha256
from tests.weights.conftest import REPO, Client
from tests.weights.samples import NEEDED, SHARDS, checkpoint

WEIGHTS = SHARDS[0]


def test_a_download_is_complete_and_says_what_it_is(hub: Hub, client: Client) -> None:
    commit = hub.repos[REPO].branches["main"]
    served = hub.repos[REPO].commits[commit]

    answer = client.fetch()

    assert (answer.name, answer.repo, answer.revision) == ("moss-tiny", REPO, commit)
    assert answer.weight_mode == "hub"
    assert answer.files == {name: (len(served[name]), sha256(served[name])) for name in NEEDED}
    assert {name: answer.read(name) for name in NEEDED} == {name: served[name] for name in NEEDED}


def test_only_files_that_are_needed_are_asked_for_and_at_one_commit(hub: Hub, client: Client) -> None:
    client.fetch()
    assert {asked.file for asked in hub.asked if asked.file} == NEEDED
    assert {asked.revision for asked in hub.asked if asked.file} == {hub.repos[REPO].branches["main"]}


def test_a_second_run_fetches_nothing_and_hands_over_the_same(hub: Hub, client: Client) -> None:
    first = client.fetch()
    hub.asked.clear()
    second = client.fetch()
    assert (second.files, second.directory) == (first.files, first.directory)
    assert hub.contents() == []


def test_other_tools_find_the_download_in_the_cache(hub: Hub, client: Client) -> None:
    answer = client.fetch()
    found = snapshot_download(REPO, cache_dir=client.home / "hf/hub", local_files_only=True)
    assert Path(found) == answer.directory


def test_a_branch_that_moves_is_followed(hub: Hub, client: Client) -> None:
    first = client.fetch()
    moved = hub.repos[REPO].commit(checkpoint(seed=7))
    second = client.fetch()
    assert second.revision == moved != first.revision
    assert second.read(WEIGHTS) == hub.repos[REPO].commits[moved][WEIGHTS]
    offline, old = client.fetches("main", first.revision, HF_HUB_OFFLINE="1")
    assert offline.revision == moved
    assert old.read(WEIGHTS) == first.read(WEIGHTS)


# --- cuts -------------------------------------------------------------------------------------------------


# --- content that is not what it should be ----------------------------------------------------------------


def test_another_model_is_refused_before_its_weights_are_fetched(hub: Hub, client: Client) -> None:
    hub.repos[REPO].commit({**checkpoint(), "config.json": b'{"model_type": "llama"}'})
    assert "model_type is llama, not moss_audio" in client.refused()
    assert not any(asked.file.endswith(".safetensors") for asked in hub.asked)


def test_a_repository_of_pickles_is_refused_unopened(hub: Hub, client: Client) -> None:
    hub.repos[REPO].commit({"config.json": b"{}", "pytorch_model.bin": b"pickle"})
    assert "contains no safetensors weights" in client.refused()
    assert hub.contents() == []


def test_an_answer_that_makes_no_sense_is_one_line(hub: Hub, client: Client) -> None:
    answers = [
        b"<html>Sign in to the hotel network</html>",
        b"[]",
        b"{}",
        b'{"id": "x", "sha": "../../../etc", "siblings": []}',
        b'{"id": "x", "sha": null, "siblings": [{"name": 1}]}',
    ]
    hub.faults[API] = [Body(answer) for answer in answers]
    for line in client.refusals(REPO, *["main"] * len(answers)):
        assert re.search("cannot be understood|The answer is not from the Hub", line)


def test_a_stated_size_or_hash_that_is_none_is_refused(hub: Hub, client: Client) -> None:
    stated: list[dict[str, object]] = [
        {"size": "9"},
        {"size": -1},
        {"size": True},
        {"sha256": "../../evil"},
        {"sha256": "a" * 63},
    ]
    for wrong in stated:
        hub.repos[REPO].stated[WEIGHTS] = {"lfs": wrong}
        hub.faults[API].append(Body(hub.repos[REPO].info(REPO, "main")))
    for line in client.refusals(REPO, *["main"] * len(stated)):
        assert "cannot be understood" in line


def test_names_that_lead_out_of_the_folder_are_never_fetched(hub: Hub, client: Client) -> None:
    hub.repos[REPO].commit({**checkpoint(), "../../evil.safetensors": b"x", "a/config.json": b"x"})
    client.fetch()
    assert {asked.file for asked in hub.asked if asked.file} == NEEDED


# --- refusals ---------------------------------------------------------------------------------------------


def test_a_shard_larger_than_the_disk_is_refused_before_anything_is_fetched(hub: Hub, client: Client) -> None:
    hub.repos[REPO].stated[WEIGHTS] = {"lfs": {"size": 10**15}}
    line = client.refused()
    assert "needs 1000000.00 GB" in line
    assert str(client.home / "hf") in line
    assert "HF_HOME" in line
    assert hub.contents() == []


def test_the_token_goes_to_the_hub_and_to_nobody_else(hub: Hub, client: Client) -> None:
    client.fetch(HF_TOKEN="hf_secretsecretsecret")
    assert {asked.authorization for asked in hub.asked if asked.host == "127.0.0.1"} == {
        "Bearer hf_secretsecretsecret"
    }
    assert {asked.authorization for asked in hub.asked if asked.host == "localhost"} == {None}


# --- no network -------------------------------------------------------------------------------------------


def closed_port() -> str:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{unused.getsockname()[1]}"


def away(how: str) -> dict[str, str]:
    return {"HF_HUB_OFFLINE": "1"} if how == "offline" else {"HF_ENDPOINT": closed_port()}


@pytest.mark.parametrize("how", ["offline", "closed port"])
def test_without_network_and_cache_one_line_names_three_ways(client: Client, how: str) -> None:
    line = client.refused(**away(how))
    assert "The Hub cannot be reached" in line
    assert re.search("(Connect|Unset HF_HUB_OFFLINE) and run again.*--model DIR.*--weights random", line)


@pytest.mark.parametrize("how", ["offline", "closed port"])
def test_without_network_a_complete_cache_will_do(client: Client, how: str) -> None:
    online = client.fetch()
    for offline in client.fetches("main", online.revision, **away(how)):
        assert (offline.files, offline.directory) == (online.files, online.directory)


def test_without_network_an_incomplete_cache_will_not_do(client: Client) -> None:
    directory = client.fetch().directory
    for name in (WEIGHTS, "config.json", "model.safetensors.index.json", "tokenizer.json"):
        link = (directory / name).readlink()
        (directory / name).unlink()
        assert cached_files(client.home / "hf/hub", REPO, "main") is None
        (directory / name).symlink_to(link)
    (directory / WEIGHTS).unlink()
    main, other = client.refusals(REPO, "main", "v2", HF_HUB_OFFLINE="1")
    assert f"{REPO} at 'main' is not complete" in main
    assert f"{REPO} at 'v2' is not complete" in other


def test_a_hub_that_is_down_leaves_the_cache_usable(hub: Hub, client: Client) -> None:
    client.fetch()
    hub.broken[API] = Status(500)
    client.fetch()


def test_a_complete_cache_is_left_untouched_so_it_may_be_read_only(client: Client) -> None:
    def everything() -> dict[Path, int]:
        return {path: path.lstat().st_mtime_ns for path in client.home.rglob("*")}

    client.fetch()
    before = everything()
    client.fetch()
    assert everything() == before


# --- the library's errors ---------------------------------------------------------------------------------
