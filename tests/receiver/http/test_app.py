"""Bundles over HTTP, to a real server."""

import json
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx2
import pytest

from bench.errors import GateError
from bench.identity.challenge import key_id, read_challenge
from bench.receiver import ledger
from bench.receiver.checkpoint import read_checkpoint, verify_log
from bench.receiver.database import Database
from bench.receiver.http.limits import Rate
from bench.records.submission import MOST_BYTES
from tests.identity.signers import bundled
from tests.receiver.http.serving import KEY, served
from tests.receiver.sent import bundle, every
from tests.site.results import run, sealed
from tests.validate.edits import document_of
from tools.hostile.corpus import EXPECTED, FOLDER

JSON = {"content-type": "application/json"}
PLACE = "/api/submissions"


@pytest.fixture
def lines() -> list[str]:
    return []


@pytest.fixture
def client(database: Database, tmp_path: Path, lines: list[str]) -> Iterator[httpx2.Client]:
    public = tmp_path / "public"
    public.mkdir()
    (public / "index.html").write_text("<title>Cards</title>", encoding="utf-8")
    with served(database, public, lines) as found:
        yield found


def post(client: httpx2.Client, content: bytes, **headers: str) -> httpx2.Response:
    return client.post(PLACE, content=content, headers=JSON | headers)


def test_a_bundle_is_stored_and_its_state_can_be_asked(client: httpx2.Client, lines: list[str]) -> None:
    answer = post(client, bundle())
    assert answer.status_code == 201
    found = answer.json()
    assert found["state"] == "valid"
    assert found["url"] == f"/records/{found['id']}/"
    assert client.get(f"{PLACE}/{found['id']}").json() == found | {"log_salt": None}
    assert lines.count("changed") == 1


def test_the_same_again_is_200_with_the_same_document(client: httpx2.Client, lines: list[str]) -> None:
    first, again = post(client, bundle()), post(client, bundle())
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() | {"log_salt": None} == again.json()
    assert lines.count("changed") == 1


def test_who_sends_a_record_first_can_find_its_entries_in_the_log(client: httpx2.Client) -> None:
    """Nobody else can: the bundle is on the site, and anybody can send it again."""
    salt = bytes.fromhex(post(client, bundle(1)).json()["log_salt"])
    post(client, bundle(2))
    subjects = [json.loads(line)["subject"] for line in client.get("/api/log").text.splitlines()]
    assert subjects.index(ledger.subject_of(salt, run(1).content_hash)) == 0
    assert post(client, bundle(1)).json()["log_salt"] is None


def test_an_idempotency_key_with_other_bytes_is_a_conflict(client: httpx2.Client) -> None:
    key = {"idempotency-key": "mine"}
    assert post(client, bundle(1), **key).status_code == 201
    assert post(client, bundle(1), **key).status_code == 200
    assert post(client, bundle(2), **key).status_code == 409


def test_an_edited_record_is_refused_with_its_findings(client: httpx2.Client, database: Database) -> None:
    changed = sealed(document_of(run(1)), {"cells[0].summary.decode_tokens_per_s.median": 99999.0})
    answer = post(client, bundled(changed))
    assert answer.status_code == 422
    found = answer.json()
    assert found["title"] == "the record has errors"
    assert found["findings"][0].keys() == {"code", "severity", "path", "facts", "sentence", "remedy"}
    assert every(database, ledger.entries) == []


def test_no_hostile_file_is_published_and_none_is_a_failure_of_the_server(client: httpx2.Client) -> None:
    expected = json.loads(EXPECTED.read_text(encoding="utf-8"))
    for name, case in expected.items():
        content = (FOLDER / name).read_bytes()
        if len(content) > MOST_BYTES:
            continue
        status = post(client, content).status_code
        assert status == 422 if case["exit_code"] else status in {200, 201, 422}, name


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (b"{}", {"content-type": "text/plain"}, 415),
        (b"{}", {"content-type": ""}, 415),
        (b"{}", {"content-encoding": "gzip"}, 415),
        (b"x" * (MOST_BYTES + 1), {}, 413),
        (b"", {}, 422),
        (b"[" * 100_000, {}, 422),
        (b"{}", {"idempotency-key": "x" * 201}, 422),
    ],
)
def test_what_is_no_bundle_is_refused_with_a_title(
    client: httpx2.Client, content: bytes, headers: dict[str, str], status: int
) -> None:
    answer = client.post(PLACE, content=content, headers=JSON | headers)
    assert answer.status_code == status
    assert answer.json()["title"]


def test_a_body_of_unknown_length_is_cut_at_the_limit(client: httpx2.Client) -> None:
    parts = (b"x" * 2**16 for _ in range(MOST_BYTES // 2**16 + 2))
    with suppress(httpx2.TransportError):  # the server answers and closes before all was sent
        assert client.post(PLACE, content=parts, headers=JSON).status_code == 413
    assert client.get("/healthz").status_code == 200


def test_half_a_body_stores_nothing(client: httpx2.Client, database: Database) -> None:
    content = bundle()
    with socket.create_connection((client.base_url.host, client.base_url.port or 0)) as connection:
        head = f"POST {PLACE} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        connection.sendall(f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content[:1000])
    assert client.get("/healthz").status_code == 200
    assert every(database, ledger.entries) == []


@pytest.mark.parametrize("path", ["0" * 16, "0" * 64])
def test_an_unknown_submission_is_404(client: httpx2.Client, path: str) -> None:
    assert client.get(f"{PLACE}/{path}").status_code == 404


@pytest.mark.parametrize("path", ["x", "..%2f..%2fetc%2fpasswd", "0" * 15, "%00" * 16])
def test_no_path_of_a_request_reaches_a_file(client: httpx2.Client, path: str) -> None:
    assert client.get(f"{PLACE}/{path}").status_code in {404, 422}
    assert client.get(f"/{path}").status_code == 404


def test_the_log_over_http_verifies(client: httpx2.Client) -> None:
    for seed in range(3):
        post(client, bundle(seed, note="hello"))
    lines = client.get("/api/log").text.splitlines()
    assert list(ledger.verify(lines))[-1].size == len(lines) == 6
    checkpoint = read_checkpoint(client.get("/api/log/checkpoint").content, KEY.key_id)
    assert verify_log(lines, [checkpoint]).size == 6
    with pytest.raises(GateError):
        verify_log(lines[:-1], [checkpoint])


def test_too_many_requests_are_told_when_to_come_again(database: Database, tmp_path: Path) -> None:
    with served(database, tmp_path, [], of_address=Rate(per_s=0.5, burst=2)) as client:
        answers = [post(client, b"{}") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [422, 422, 429]
    assert answers[2].headers["retry-after"] == "2"


def test_a_challenge_is_new_signed_by_the_site_and_kept_nowhere(
    client: httpx2.Client, database: Database
) -> None:
    answers = [client.post("/api/challenge") for _ in range(2)]
    one, two = (read_challenge(answer.content, "x") for answer in answers)
    assert key_id(one) == KEY.key_id
    assert one.nonce != two.nonce
    assert answers[0].headers["cache-control"] == "no-store"
    assert every(database, ledger.entries) == []


def test_challenges_are_limited_together_with_submissions(database: Database, tmp_path: Path) -> None:
    with served(database, tmp_path, [], of_address=Rate(per_s=0.5, burst=2)) as client:
        answers = [post(client, b"{}"), client.post("/api/challenge"), client.post("/api/challenge")]
    assert [answer.status_code for answer in answers] == [422, 200, 429]
    assert answers[2].headers["retry-after"] == "2"


def test_pages_of_the_site_have_headers_and_set_no_cookie(client: httpx2.Client, lines: list[str]) -> None:
    answer = client.get("/")
    assert answer.text == "<title>Cards</title>"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"
    assert "set-cookie" not in answer.headers
    assert (
        "access-control-allow-origin" not in client.get("/", headers={"origin": "https://x.example"}).headers
    )
    assert json.loads(lines[-1])["route"] == "page"


def test_logs_and_metrics_name_no_submission_and_no_address(client: httpx2.Client, lines: list[str]) -> None:
    found = post(client, bundle()).json()
    client.get(f"{PLACE}/{found['id']}")
    metrics = client.get("/metrics").text
    assert 'route="/api/submissions/{submission_id}",status="200"' in metrics
    for text in (metrics, *lines):
        assert found["id"] not in text
        assert "127.0.0.1" not in text


def test_a_database_that_is_gone_is_503_and_says_when_to_come_again(
    client: httpx2.Client, database: Database
) -> None:
    database.write(lambda connection: connection.exec_driver_sql("DROP TABLE submissions"))
    answer = post(client, bundle())
    assert answer.status_code == 503
    assert answer.headers["retry-after"]


def test_a_method_that_is_not_there_is_answered_with_those_that_are(client: httpx2.Client) -> None:
    answer = client.put(PLACE, content=b"{}", headers=JSON)
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    answer = client.get(PLACE)
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert client.get("/api/nothing").status_code == 404
