"""Transfers that break, repeat or deliver something else."""

import os

import pytest

from tests.hub_server import Body, Cut, Hub, IgnoreRange, Status, sha256
from tests.weights.conftest import REPO, Client, finished
from tests.weights.samples import NEEDED, SHARDS, checkpoint

WEIGHTS = SHARDS[0]

CHUNK = 10 * 2**20  # the unit in which huggingface_hub writes


def test_files_of_the_same_content_all_arrive(hub: Hub, client: Client) -> None:
    same = {"generation_config.json": b"{}", "processor_config.json": b"{}", "tokenizer_config.json": b"{}"}
    hub.repos[REPO].commit({**checkpoint(), **same})
    answer = client.fetch()
    assert {name: answer.read(name) for name in same} == same


def test_progress_rises_to_the_size_of_everything(hub: Hub, client: Client) -> None:
    answer = client.fetch()
    whole = sum(size for size, _ in answer.files.values())
    downloaded = [(done, total) for label, done, total in answer.progress if label.startswith("downloading")]
    assert downloaded == sorted(downloaded)
    assert downloaded[-1] == (whole, whole)
    assert any(label == "checking" for label, _, _ in answer.progress)


@pytest.fixture
def large_shard(hub: Hub) -> bytes:
    """A first shard of a few chunks, so that a cut leaves something to go on from."""
    files = checkpoint(first_values=6 * 2**20)
    hub.repos[REPO].commit(files)
    return files[WEIGHTS]


def asked_ranges(hub: Hub) -> list[str | None]:
    return [asked.range for asked in hub.contents() if asked.file == WEIGHTS]


def test_a_cut_is_mended_in_the_same_process(hub: Hub, client: Client, large_shard: bytes) -> None:
    hub.faults[WEIGHTS] = [Cut(CHUNK + 5_000)]
    assert client.fetch().read(WEIGHTS) == large_shard
    assert asked_ranges(hub) == [None, f"bytes={CHUNK}-"]


def test_the_next_process_goes_on_where_the_last_one_stopped(
    hub: Hub, client: Client, large_shard: bytes
) -> None:
    hub.faults[WEIGHTS] = [Cut(CHUNK + 5_000)]
    hub.broken[WEIGHTS] = Status(503)
    assert "Run the same command again" in client.refused()

    hub.broken.clear()
    hub.asked.clear()
    answer = client.fetch()

    assert answer.read(WEIGHTS) == large_shard
    assert asked_ranges(hub) == [f"bytes={CHUNK}-"]
    assert next(done for label, done, _ in answer.progress if label.startswith("downloading")) > CHUNK


def test_a_server_that_ignores_ranges_still_leaves_the_right_file(
    hub: Hub, client: Client, large_shard: bytes
) -> None:
    hub.faults[WEIGHTS] = [Cut(CHUNK + 5_000), IgnoreRange()]
    assert client.fetch().read(WEIGHTS) == large_shard


def test_two_processes_at_once_fetch_each_file_once(hub: Hub, client: Client, large_shard: bytes) -> None:
    first, second = client.start(), client.start()
    assert finished(first).files == finished(second).files
    assert sorted(asked.file for asked in hub.contents()) == sorted(NEEDED)


def test_content_of_another_checksum_is_refused_and_removed(hub: Hub, client: Client) -> None:
    served = hub.repos[REPO].commits[hub.repos[REPO].branches["main"]]
    files = ("chat_template.jinja", "tokenizer.json", WEIGHTS)
    for file in files:
        hub.faults[file] = [Body(bytes(len(served[file])))]

    lines = client.refusals(REPO, "main", "main", "main")

    told = [line.partition(" of ")[0] for line in lines if "its checksum differs" in line]
    assert sorted(told) == sorted(files)
    assert not {sha256(served[WEIGHTS]), WEIGHTS} & client.in_cache()
    answer = client.fetch()
    assert [answer.read(file) for file in files] == [served[file] for file in files]


def test_a_blob_that_rotted_in_the_cache_is_noticed_without_the_hub(hub: Hub, client: Client) -> None:
    answer = client.fetch()
    blob = (answer.directory / WEIGHTS).resolve()
    content = blob.read_bytes()
    blob.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))

    assert "checksum differs" in client.refused(HF_HUB_OFFLINE="1")

    assert not blob.exists()
    assert client.fetch().read(WEIGHTS) == content


def test_a_truncated_blob_is_fetched_anew(hub: Hub, client: Client) -> None:
    answer = client.fetch()
    whole = answer.read(WEIGHTS)
    os.truncate(answer.directory / WEIGHTS, 10)
    assert client.fetch().read(WEIGHTS) == whole
