"""Pull requests on a dataset, through the Hub's own client and a server that speaks what it asks."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest
from huggingface_hub import constants, file_download, utils

from bench.errors import SiteError, UsageError
from bench.submit.dataset import PullRequest, account, open_pull_request
from bench.submit.destination import Dataset
from tests.submit.dataset_server import ACCOUNT, TOKEN, LocalHub, Pull, serve_hub

DATASET = Dataset("some-org/moss-results")
PLACE = PurePosixPath("results/M/rtx-4070/r-0a1b2c3d.bundle.json")
BUNDLE = b'{"payload": "..."}\n' * 2000
ID = "dc1f6524e0f0"


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[LocalHub]:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "token"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    with serve_hub(DATASET.name) as hub:
        template = constants.HUGGINGFACE_CO_URL_TEMPLATE.replace(constants.ENDPOINT, hub.url)
        for module in (constants, file_download):  # the second before huggingface_hub 1.0
            monkeypatch.setattr(module, "HUGGINGFACE_CO_URL_TEMPLATE", template, raising=False)
        monkeypatch.setattr(constants, "ENDPOINT", hub.url)
        reset = getattr(utils, "close_session", lambda: None)
        reset()
        yield hub
        reset()


def opened(content: bytes = BUNDLE) -> PullRequest:
    return open_pull_request(content, PLACE, ID, DATASET, ACCOUNT)


def fault() -> str:
    with pytest.raises(SiteError) as failed:
        opened()
    assert failed.value.hint
    assert str(failed.value).isprintable()
    return str(failed.value)


def test_a_pull_request_adds_the_bundle_and_nothing_else(hub: LocalHub) -> None:
    assert account() == ACCOUNT
    made = opened()
    assert made == PullRequest(1, "open", f"{hub.url}/datasets/{DATASET.name}/discussions/1")
    (pull,) = hub.pulls
    assert (pull.path, pull.content) == (str(PLACE), BUNDLE)
    assert pull.title.startswith(f"Submit record {ID} (")
    assert hub.files == {}, "nothing is on the main branch"


def test_the_same_bundle_again_finds_its_pull_request(hub: LocalHub) -> None:
    hub.pulls += [Pull(f"Another {number}", ACCOUNT, "x", b"") for number in range(4)]
    hub.loses_the_answer = True
    assert fault().startswith("The Hub cannot be reached (the connection breaks). ")
    assert opened().number == 5
    hub.pulls[4] = replace(hub.pulls[4], status="merged")
    assert opened() == PullRequest(5, "merged", f"{hub.url}/datasets/{DATASET.name}/discussions/5")
    assert len(hub.pulls) == 5
    assert opened(BUNDLE + b"\n").number == 6, "another bundle is another pull request"


def test_a_title_of_somebody_else_stops_nobody(hub: LocalHub) -> None:
    title = f"Submit record {ID}"
    opened()
    hub.pulls[0] = replace(hub.pulls[0], author="eve")
    assert opened().number == 2
    assert {pull.title.partition(" (")[0] for pull in hub.pulls} == {title}


def test_a_file_that_is_there_is_not_replaced(hub: LocalHub) -> None:
    hub.files[str(PLACE)] = b"{}"
    with pytest.raises(UsageError, match=f"{PLACE} is in {DATASET.address} already"):
        opened()
    assert hub.pulls == []


def test_without_a_token_nobody_is_asked(hub: LocalHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_TOKEN")
    with pytest.raises(SiteError, match=r"needs an account, and there is no token here. Run `hf auth login`"):
        account()
    assert hub.asked == []


def test_a_token_that_is_refused(hub: LocalHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    with pytest.raises(SiteError, match=r"The Hub refused the token in HF_TOKEN \(HTTP 401\)"):
        account()


def test_a_token_that_none_can_be(hub: LocalHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_\u00e9")
    with pytest.raises(SiteError, match="he token in HF_TOKEN"):
        account()


@pytest.mark.parametrize(
    ("endpoint", "status", "line"),
    [
        ("commit", 403, "the Hub does not let this account open a pull request on some-org/moss-results"),
        ("commit", 400, "the Hub does not take the bundle for some-org/moss-results (HTTP 400)"),
        ("commit", 500, "The Hub has a fault of its own (HTTP 500). Wait and run again"),
        ("discussions", 429, "The Hub asks for a pause of some minutes"),
    ],
)
def test_refusals_are_one_line(hub: LocalHub, endpoint: str, status: int, line: str) -> None:
    hub.statuses[endpoint] = status
    assert fault().startswith(line)
    assert hub.pulls == []


def test_a_dataset_that_does_not_exist(hub: LocalHub) -> None:
    hub.dataset = "some-org/other"
    assert fault().startswith("There is no repository some-org/moss-results on the Hub. Check the name. ")


def test_without_a_network(hub: LocalHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    assert fault().startswith("The Hub cannot be reached (the connection is refused). ")
