"""One line for each error of the Hub and of huggingface_hub."""

import inspect

import huggingface_hub.errors

from bench.weights.hub_errors import CAUGHT
from tests.hub_server import API, Hub, Status
from tests.weights.conftest import REPO, Client
from tests.weights.samples import SHARDS


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
    hub.broken[SHARDS[0]] = Status(404, (("X-Error-Code", "EntryNotFound"),))
    assert "is not on the Hub any more" in client.refused()


def test_a_name_that_is_no_name(client: Client) -> None:
    assert "'a/b/c' is no name of a repository" in client.refused("a/b/c")


def test_a_cache_that_cannot_be_written_is_one_line(client: Client) -> None:
    (client.home / "hf").mkdir()
    (client.home / "hf/hub").write_text("a file where the folder should be")
    assert "The disk refused a write to the cache" in client.refused()


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
