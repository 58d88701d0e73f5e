"""Fetching from the Hub: the real client in a real process against a real server."""

import inspect
import os
import re
import socket
from pathlib import Path

import huggingface_hub.errors
import pytest
from huggingface_hub import snapshot_download

from bench.weights.hub_cache import cached_files
from bench.weights.hub_errors import CAUGHT
from tests.hub_server import API, Body, Cut, Hub, IgnoreRange, Status, sha256
from tests.weights.conftest import REPO, Client, finished
from tests.weights.samples import NEEDED, SHARDS, checkpoint

WEIGHTS = SHARDS[0]
CHUNK = 10 * 2**20  # the unit in which huggingface_hub writes


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


def test_files_of_the_same_content_all_arrive(hub: Hub, client: Client) -> None:
    same = {"generation_config.json": b"{}", "processor_config.json": b"{}", "tokenizer_config.json": b"{}"}
    hub.repos[REPO].commit({**checkpoint(), **same})
    answer = client.fetch()
    assert {name: answer.read(name) for name in same} == same


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


def test_progress_rises_to_the_size_of_everything(hub: Hub, client: Client) -> None:
    answer = client.fetch()
    whole = sum(size for size, _ in answer.files.values())
    downloaded = [(done, total) for label, done, total in answer.progress if label.startswith("downloading")]
    assert downloaded == sorted(downloaded)
    assert downloaded[-1] == (whole, whole)
    assert any(label == "checking" for label, _, _ in answer.progress)


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


# --- content that is not what it should be ----------------------------------------------------------------


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


def test_another_model_is_refused_before_its_weights_are_fetched(hub: Hub, client: Client) -> None:
    hub.repos[REPO].commit({**checkpoint(), "config.json": b'{"model_type": "llama"}'})
    assert "model_type is llama, not moss_audio" in client.refused()
    assert not any(asked.file.endswith(".safetensors") for asked in hub.asked)


def test_a_repository_of_pickles_is_refused_unopened(hub: Hub, client: Client) -> None:
    hub.repos[REPO].commit({"config.json": b"{}", "pytorch_model.bin": b"pickle"})
    assert "holds no safetensors weights" in client.refused()
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
        assert re.search("makes no sense|cannot be reached", line)


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
        assert "makes no sense" in line


def test_names_that_lead_out_of_the_folder_are_never_fetched(hub: Hub, client: Client) -> None:
    hub.repos[REPO].commit({**checkpoint(), "../../evil.safetensors": b"x", "a/config.json": b"x"})
    client.fetch()
    assert {asked.file for asked in hub.asked if asked.file} == NEEDED


# --- refusals ---------------------------------------------------------------------------------------------


def test_refusals_for_want_of_rights_say_how_to_log_in(hub: Hub, client: Client) -> None:
    hub.faults[API] = [
        Status(401),
        Status(401, (("X-Error-Message", "Invalid credentials in Authorization header"),)),
        Status(403),
        Status(403, (("X-Error-Code", "GatedRepo"),)),
    ]
    lines = client.refusals(REPO, *["main"] * 4, HF_TOKEN="hf_secretsecretsecret")
    assert all("`hf auth login` or set HF_TOKEN" in line and "secret" not in line for line in lines)
    assert ["401" in line for line in lines] == [True, True, False, False]
    assert "403" in lines[2]
    assert f"{REPO} is gated" in lines[3]


def test_other_answers_of_the_hub_are_one_line_each(hub: Hub, client: Client) -> None:
    hub.faults[API] = [
        Status(429),
        Status(400),
        Status(403, (("X-Error-Message", "Access to this resource is disabled."),)),
    ]
    pause, status, disabled = client.refusals(REPO, "main", "main", "main")
    assert "asks for a pause" in pause
    assert f"did not deliver {REPO} (HTTP 400)" in status
    assert f"has disabled {REPO}" in disabled


def test_a_missing_repository_and_a_missing_revision_are_told_apart(hub: Hub, client: Client) -> None:
    assert "There is no repository nobody/nothing on the Hub" in client.refused("nobody/nothing")
    assert f"{REPO} has no revision 'v9'" in client.refused(revision="v9")


def test_a_file_that_vanished_is_one_line(hub: Hub, client: Client) -> None:
    hub.broken[WEIGHTS] = Status(404, (("X-Error-Code", "EntryNotFound"),))
    assert "is not on the Hub any more" in client.refused()


def test_a_name_that_is_no_name(client: Client) -> None:
    assert "'a/b/c' is no name of a repository" in client.refused("a/b/c")


def test_a_shard_larger_than_the_disk_is_refused_before_anything_is_fetched(hub: Hub, client: Client) -> None:
    hub.repos[REPO].stated[WEIGHTS] = {"lfs": {"size": 10**15}}
    line = client.refused()
    assert "needs 1000000.00 GB" in line
    assert str(client.home / "hf") in line
    assert "HF_HOME" in line
    assert hub.contents() == []


def test_a_cache_that_cannot_be_written_is_one_line(client: Client) -> None:
    (client.home / "hf").mkdir()
    (client.home / "hf/hub").write_text("a file where the folder should be")
    assert "The disk refused a write to the cache" in client.refused()


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
    assert re.search("Connect and run again.*--model DIR.*--weights random", line)


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

UNRELATED = {
    # raised by features that are not used here: inference, uploads, buckets, jobs, sandboxes, its own CLI,
    # DDUF files, strict dataclasses, cache scans, `hf_hub_download`, its safetensors reader, xet transfers
    *("BucketBatchError", "BucketNotFoundError", "CLIError", "CLIExtensionInstallError", "CacheNotFound"),
    *(
        "CachedRepoTreeNotFoundError",
        "ConfirmationError",
        "CorruptedCacheException",
        "DDUFCorruptedFileError",
    ),
    *("DDUFError", "DDUFExportError", "DDUFInvalidEntryNameError", "DeviceCodeError", "FileDuplicationError"),
    *(
        "InferenceEndpointError",
        "JobNotFoundError",
        "NotASafetensorsRepoError",
        "OIDCError",
        "SandboxCommandError",
    ),
    *("SandboxError", "SafetensorsParsingError", "RevisionResolutionError", "StrictDataclassError"),
    *(
        "StrictDataclassClassValidationError",
        "StrictDataclassDefinitionError",
        "StrictDataclassFieldValidationError",
    ),
    *("XetAuthorizationError", "XetDownloadError", "XetError", "XetRefreshTokenError"),
}


def test_no_error_of_the_library_is_new_and_unconsidered() -> None:
    """A new class in `huggingface_hub.errors` must either be caught or be known to have no business here."""
    raised = {
        name: kind
        for name, kind in inspect.getmembers(huggingface_hub.errors, inspect.isclass)
        if issubclass(kind, Exception) and kind.__module__ == huggingface_hub.errors.__name__
    }
    assert {name for name, kind in raised.items() if not issubclass(kind, CAUGHT)} <= UNRELATED
