"""`bench submit --to URL` and `--to hf://...`: sent, answered, refused, interrupted, and sent again."""

import json
import signal
from pathlib import Path

import pytest

from bench.store import naming
from bench.store.record_files import write_record
from tests.cli.conftest import Say
from tests.run.processes import NEEDS_SIGNALS, bench, started
from tests.submit.dataset_server import TOKEN, serve_hub
from tests.submit.site_server import FINDING, ID, Answer, Silence, accepted, busy, document, serve
from tests.validate.good import ordinary


@pytest.fixture(autouse=True)
def record(tmp_path: Path) -> Path:
    path = tmp_path / "mine.json"
    write_record(ordinary(), path)
    return path


def bundle_in(folder: Path) -> Path:
    (path,) = folder.glob("*.bundle.json")
    return path


def receipts_in(folder: Path) -> list[Path]:
    return list(folder.glob("*.receipt.json"))


def test_it_is_sent_and_the_receipt_is_kept_beside_it(say: Say, tmp_path: Path) -> None:
    with serve(accepted()) as site:
        said = say("submit", "mine.json", "--to", site.url, "--yes", "--note", "Two fans.")
    assert (said.code, said.err) == (0, ""), "no progress without a terminal"
    bundle = bundle_in(tmp_path)
    assert site.received[0].body == bundle.read_bytes()
    (receipt,) = receipts_in(tmp_path)
    assert said.out.splitlines()[-6:] == [
        f"site      {site.url}",
        f"bundle    {bundle.name}",
        f"sent      {site.url}, as {ID}",
        "state     held: a person looks at it first",
        f"page      {site.url}/records/{ID}/",
        f"receipt   {receipt.name}",
    ]
    assert json.loads(receipt.read_text(encoding="utf-8"))["id"] == ID
    assert set(naming.records_below(tmp_path)) == {tmp_path / "mine.json", bundle}


def test_findings_of_a_refusal_are_shown_as_by_validate(say: Say, tmp_path: Path) -> None:
    error = {**FINDING, "code": "hash_mismatch", "severity": "error"}
    with serve(document(422, title="It has errors", findings=[error, FINDING])) as site:
        said = say("submit", "mine.json", "--to", site.url, "--yes")
    assert said.code == 1
    assert said.out.splitlines()[-5:] == [
        "127.0.0.1: 1 error, 1 suspicious finding",
        "  error: It is far from others. [hash_mismatch]",
        "    $.cells[3]. Say in a note how it came about",
        "  suspicious: It is far from others. [outlier_of_card]",
        "    $.cells[3]. Say in a note how it came about",
    ]
    assert said.err == (
        f"bench: {site.url} refuses the bundle: It has errors. It is kept as {bundle_in(tmp_path).name}\n"
    )
    assert receipts_in(tmp_path) == []


def test_the_second_try_sends_the_same_bundle(say: Say, tmp_path: Path) -> None:
    with serve(busy(503, "3600"), accepted(200, state="published")) as site:
        command = ("submit", "mine.json", "--to", site.url, "--yes", "--handle", "ada")
        said = say(*command)
        assert said.code == 3
        assert said.err.endswith("Wait 3600 s. Run the same command again: it sends the same bundle\n")
        kept = bundle_in(tmp_path).read_bytes()
        said = say(*command)
    assert said.code == 0
    assert "state     published: the site shows it\n" in said.out
    first, second = site.received
    assert first.body == second.body == kept
    assert first.headers["Idempotency-Key"] == second.headers["Idempotency-Key"]


def test_a_page_in_place_of_an_answer_is_one_line(say: Say, tmp_path: Path) -> None:
    with serve(Answer(200, b"<html>Log in</html>")) as site:
        said = say("submit", "mine.json", "--to", site.url, "--yes")
    assert said.code == 3
    assert said.err.count("\n") == 1
    assert receipts_in(tmp_path) == []


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--to", "http://example.org"], "is not encrypted"),
        (["--to", "gopher://example.org"], "is nothing that takes bundles"),
        (["--to", "https://example.org", "--offline"], "exclude each other"),
        (["--to", "https://example.org", "--out", "x"], "--out needs --offline"),
        (["--to", "https://example.org", "--repository", "x"], "--repository needs --to git"),
    ],
)
def test_a_way_that_is_none(say: Say, tmp_path: Path, arguments: list[str], line: str) -> None:
    said = say("submit", "mine.json", "--yes", *arguments)
    assert said.code == 2
    assert line in said.line()
    assert not (tmp_path / "home").exists(), "not even a key"


def test_without_agreement_nothing_is_sent(say: Say, tmp_path: Path) -> None:
    with serve(accepted()) as site:
        said = say("submit", "mine.json", "--to", site.url)
    assert said.code == 2
    assert site.received == []
    assert list(tmp_path.glob("*.bundle.json")) == []


@NEEDS_SIGNALS
def test_an_interrupt_leaves_the_bundle_and_no_receipt(tmp_path: Path) -> None:
    with (
        serve(Silence()) as site,
        started("submit", "mine.json", "--to", site.url, "--yes", home=tmp_path, cwd=tmp_path) as process,
    ):
        assert site.reached.wait(60)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert (process.returncode, err.strip()) == (130, "bench: interrupted")
    assert site.received[0].body == bundle_in(tmp_path).read_bytes()
    assert receipts_in(tmp_path) == []


def test_a_pull_request_on_a_dataset_of_the_hub(tmp_path: Path, say: Say) -> None:
    with serve_hub("some-org/moss-results") as hub:
        sent = [
            bench(
                *("submit", "mine.json", "--to", "hf://datasets/some-org/moss-results", "--yes"),
                home=tmp_path,
                cwd=tmp_path,
                env={"HF_ENDPOINT": hub.url, "HF_TOKEN": TOKEN, "HF_HUB_OFFLINE": "0"},
            )
            for _ in range(2)
        ]
    first, again = sent
    assert (first.returncode, first.stderr) == (0, "")
    assert "hf://datasets/some-org/moss-results; the pull request shows your account to everybody: ada\n" in (
        first.stdout
    )
    bundle = bundle_in(tmp_path)
    (pull,) = hub.pulls
    assert pull.content == bundle.read_bytes()
    assert pull.path == f"results/MOSS-Audio-4B-Instruct/rtx-4090/{bundle.name}"
    (receipt,) = receipts_in(tmp_path)
    assert first.stdout.splitlines()[-4:] == [
        "sent      hf://datasets/some-org/moss-results, as 1",
        "state     open",
        f"page      {hub.url}/datasets/some-org/moss-results/discussions/1",
        f"receipt   {receipt.name}",
    ]
    assert (again.returncode, again.stdout) == (0, first.stdout), "the same pull request"
    assert say("validate", bundle.name).code == 0


def test_without_an_account_on_the_hub_no_key_is_made(tmp_path: Path) -> None:
    ended = bench(
        *("submit", "mine.json", "--to", "hf://datasets/some-org/moss-results", "--yes"),
        home=tmp_path,
        cwd=tmp_path,
        env={"HF_TOKEN": "", "HUGGING_FACE_HUB_TOKEN": "", "HF_HUB_OFFLINE": "0"},
    )
    assert (ended.returncode, ended.stdout) == (3, "")
    assert ended.stderr.startswith("bench: a pull request on the Hub needs an account, and there is no token")
    assert ended.stderr.count("\n") == 1
    assert not list(tmp_path.rglob("key.pem"))


def test_a_broken_address_of_the_hub_is_one_line(tmp_path: Path) -> None:
    ended = bench(
        *("submit", "mine.json", "--to", "hf://datasets/some-org/moss-results", "--yes"),
        home=tmp_path,
        cwd=tmp_path,
        env={"HF_ENDPOINT": "https://[::1", "HF_TOKEN": TOKEN},
    )
    assert ended.returncode == 3
    assert ended.stderr.startswith("bench: HF_ENDPOINT is not a web address. ")
