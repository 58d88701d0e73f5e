"""One line for each error of the Hub and of huggingface_hub."""

import errno
import inspect
import os
from dataclasses import replace

import huggingface_hub.errors
import pytest

from bench.weights.hub_errors import CAUGHT, translate
from tests.hub_server import API, Body, Hub, Status
from tests.weights.conftest import REPO, Client, finished, outcomes, refusals_of
from tests.weights.samples import SHARDS, checkpoint

INVALID = (("X-Error-Message", "Invalid credentials in Authorization header"),)


def test_refusals_for_want_of_rights_say_how_to_log_in(hub: Hub, client: Client) -> None:
    hub.faults[API] = [Status(401), Status(403), Status(403, (("X-Error-Code", "GatedRepo"),))]
    lines = client.refusals(REPO, *["main"] * 3)
    assert all("`hf auth login` or set HF_TOKEN" in line for line in lines)
    assert "(HTTP 401)" in lines[0]
    assert "(HTTP 403)" in lines[1]
    assert f"{REPO} is gated" in lines[2]


def test_a_token_that_was_sent_and_refused_is_named_with_its_place(hub: Hub, client: Client) -> None:
    hub.faults[API] = [Status(401, INVALID), Status(401)]
    for line in client.refusals(REPO, "main", "main", HF_TOKEN="hf_secretsecretsecret"):
        assert line == (
            "The Hub refused the token in HF_TOKEN (HTTP 401): it is expired, revoked or mistyped. "
            "Renew it, or unset HF_TOKEN: a public model needs none"
        )
    file = client.home / "hf/token"
    file.parent.mkdir()
    file.write_text("hf_secretsecretsecret")
    hub.faults[API] = [Status(401, INVALID)]
    line = client.refused()
    assert f"refused the token in {file}" in line
    assert "run `hf auth logout`: a public model needs none" in line


def test_other_answers_of_the_hub_are_one_line_each(hub: Hub, client: Client) -> None:
    hub.faults[API] = [
        Status(429),
        Status(429, (("Retry-After", "7"),)),
        Status(429, (("RateLimit", '"api";r=0;t=55'),)),
        Status(400),
        Status(403, (("X-Error-Message", "Access to this resource is disabled."),)),
        Status(503),
    ]
    some, seven, stated, status, disabled, broken = client.refusals(REPO, *["main"] * 6)
    assert "asks for a pause of some minutes" in some
    assert "(HTTP 429). Wait 7 s" in seven
    assert "(HTTP 429). Wait 55 s" in stated
    assert f"did not deliver {REPO} (HTTP 400)" in status
    assert f"has disabled {REPO}" in disabled
    assert "The Hub has a fault of its own (HTTP 503)" in broken
    assert "Wait and run again" in broken


def test_a_missing_repository_and_a_missing_revision_are_told_apart(hub: Hub, client: Client) -> None:
    assert "There is no repository nobody/nothing on the Hub" in client.refused("nobody/nothing")
    assert f"{REPO} has no revision 'v9'" in client.refused(revision="v9")


def test_a_file_that_vanished_is_one_line(hub: Hub, client: Client) -> None:
    hub.broken[SHARDS[0]] = Status(404, (("X-Error-Code", "EntryNotFound"),))
    assert "is not on the Hub any more" in client.refused()


def test_a_name_that_is_no_name(client: Client) -> None:
    assert "'a/b/c' is not a repository name" in client.refused("a/b/c")


def test_a_cache_that_cannot_be_written_is_one_line(client: Client) -> None:
    (client.home / "hf").mkdir()
    (client.home / "hf/hub").write_text("a file where the folder should be")
    line = client.refused()
    assert f"The disk refused a write to the cache {client.home / 'hf/hub'}" in line
    assert "Set HF_HOME to another folder" in line


@pytest.mark.skipif(os.name == "nt", reason="Windows has no limit of file sizes")
def test_a_disk_that_fills_during_the_download_says_so(hub: Hub, client: Client) -> None:
    hub.repos[REPO].commit(checkpoint(first_values=20_000))
    limited = ("sh", "-c", 'ulimit -f 8; exec "$@"', "sh")
    process = replace(client, prefix=limited).start(PYTHONDONTWRITEBYTECODE="1")
    (line,) = refusals_of(outcomes(process))
    assert f"The disk of the cache {client.home / 'hf/hub'} is full" in line
    assert "set HF_HOME to a folder on a larger disk" in line
    client.fetch()


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES])
def test_a_cache_that_is_closed_to_us_says_where_to_go(number: int) -> None:
    """In process: an administrator, as here, may write everywhere."""
    error = translate(OSError(number, os.strerror(number)), REPO, "main")
    assert error.exit_code == 3
    assert f"cannot be written ({os.strerror(number)})" in error.message
    assert error.hint == "Set HF_HOME to a folder that you may write to"


def test_hf_transfer_that_is_asked_for_and_missing_is_no_failure(client: Client) -> None:
    """Before 1.0 the library refuses to fetch anything without the package; later ones only warn."""
    finished(client.start(HF_HUB_ENABLE_HF_TRANSFER="1", PYTHONWARNINGS="ignore"))


def test_a_page_of_a_network_is_no_part_of_a_file(hub: Hub, client: Client) -> None:
    hub.faults[SHARDS[0]] = [Body(b"<!DOCTYPE html><title>Sign in to the hotel network</title>")]
    assert client.refused() == (
        "The answer is not from the Hub; it may be the login page of a network. "
        "Log in to the network in a browser, or check HF_ENDPOINT and any proxy"
    )
    content = hub.repos[REPO].commits[hub.repos[REPO].branches["main"]][SHARDS[0]]
    assert client.fetch().read(SHARDS[0]) == content


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
