"""Clients that are slow, that lie, and that never end, at real sockets."""

import gzip
import json
import socket
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from itertools import repeat
from pathlib import Path

import httpx2
import pytest

from bench.receiver import ledger
from bench.receiver.database import Database
from bench.receiver.http.connection import Connection
from bench.receiver.http.server import MOST_HEADER_BYTES
from bench.records.submission import MOST_BYTES
from tests.receiver.http.serving import served
from tests.receiver.sent import bundle, every

POST = b"POST /api/submissions HTTP/1.1\r\nHost: x\r\n"
JSON = b"Content-Type: application/json\r\n"
BIG = 64 * 2**20
"""Bytes of a page that fill every buffer on the way."""


class Quick(Connection):
    """Connections that wait for a fraction of a second."""

    most_head_s = 0.3
    most_pause_s = 0.3


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with Database(f"sqlite:///{tmp_path}/receiver.sqlite") as opened:
        yield opened


@pytest.fixture
def lines() -> list[str]:
    return []


@pytest.fixture
def client(database: Database, tmp_path: Path, lines: list[str]) -> Iterator[httpx2.Client]:
    with served(database, tmp_path / "public", lines) as found:
        yield found


@pytest.fixture
def quick(database: Database, tmp_path: Path) -> Iterator[httpx2.Client]:
    public = tmp_path / "public"
    public.mkdir()
    with (public / "big.bin").open("wb") as file:
        file.truncate(BIG)
    with served(database, public, [], connection=Quick, most_body_s=0.3) as found:
        yield found


def connected(client: httpx2.Client, content: bytes = b"") -> socket.socket:
    connection = socket.create_connection((client.base_url.host, client.base_url.port or 0), timeout=60)
    connection.sendall(content)
    return connection


def rest(connection: socket.socket) -> bytes:
    """Return what comes until the server closes."""
    found = bytearray()
    with suppress(ConnectionError):
        while part := connection.recv(2**16):
            found += part
    return bytes(found)


def dripped(connection: socket.socket) -> bytes:
    """Send a byte now and then until the server closes, and return what came."""
    connection.settimeout(0.05)
    found = bytearray()
    with suppress(ConnectionError):
        for byte in repeat(b"x"):
            try:
                part = connection.recv(2**16)
            except TimeoutError:
                connection.sendall(byte)
                continue
            if not part:
                break
            found += part
    return bytes(found)


def asked(client: httpx2.Client, content: bytes) -> list[int]:
    """Send bytes, and return the statuses of all answers until the server closes."""
    with connected(client, content) as connection:
        answered = rest(connection)
    return [int(part[1:4]) for part in answered.split(b"HTTP/1.1")[1:]]


@pytest.mark.parametrize(
    "begin",
    [
        b"",
        b"G",
        b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /healthz HT",
        b"POST /api/challenge HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n",
        b"POST /api/challenge HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n40000\r\n",
    ],
)
def test_who_sends_a_byte_now_and_then_is_cut_off(quick: httpx2.Client, begin: bytes) -> None:
    with connected(quick, begin) as connection:
        assert dripped(connection).count(b"HTTP/1.1 200") == (b"\r\n\r\n" in begin)
    assert quick.get("/healthz").status_code == 200


def test_who_sends_nothing_is_cut_off(quick: httpx2.Client) -> None:
    with connected(quick) as connection:
        assert rest(connection) == b""


def test_a_body_that_takes_long_is_408(quick: httpx2.Client, database: Database) -> None:
    content = bundle()
    head = POST + JSON + f"Content-Length: {len(content)}\r\n\r\n".encode()
    with connected(quick, head + content[:-1]) as connection:
        assert rest(connection).startswith(b"HTTP/1.1 408")
    assert every(database, ledger.entries) == []


def test_who_takes_nothing_of_an_answer_is_cut_off(quick: httpx2.Client) -> None:
    get = b"GET /big.bin HTTP/1.1\r\nHost: x\r\n\r\n"
    with connected(quick, get) as slow, connected(quick) as other:
        assert rest(other) == b""  # which takes as long as the server waits for each of them
        assert quick.get("/big.bin").num_bytes_downloaded == BIG
        assert len(rest(slow)) < BIG


@pytest.mark.parametrize(
    "begin", [b"", b"GET / HTTP/1.1\r\nX: ", POST + JSON + b"Content-Length: 1000\r\n\r\n{"]
)
def test_many_slow_clients_keep_nobody_out(database: Database, tmp_path: Path, begin: bytes) -> None:
    with served(database, tmp_path, []) as client, ExitStack() as slow:
        for _ in range(250):
            slow.enter_context(connected(client, begin))
        for seed in range(10):
            answer = client.post(
                "/api/submissions", content=bundle(seed), headers={"content-type": "application/json"}
            )
            assert answer.status_code == 201


def chunked(*parts: bytes) -> bytes:
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (*parts, b""))


@pytest.mark.parametrize(
    ("content", "statuses"),
    [
        (POST + JSON + b"Content-Length: 1\r\n\r\n{}", [422]),
        (POST + JSON + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} ", [400]),
        (POST + JSON + b"Content-Length: -1\r\n\r\n{}", [400]),
        (POST + JSON + b"Content-Length: 0x2\r\n\r\n{}", [400]),
        (POST + JSON + b"Content-Length: 99999999999999999999\r\n\r\n{}", [413]),
        (POST + JSON + f"Content-Length: {5 * 2**20}\r\n\r\n".encode(), [413]),
        (POST + JSON + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(b"{}"), [400]),
        (POST + JSON + b"Transfer-Encoding: gzip, chunked\r\n\r\n" + chunked(b"{}"), [400]),
        (POST + JSON + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}", [400]),
        (POST + JSON + b"Transfer-Encoding: chunked\r\n\r\n" + chunked(b"{", b"}"), [422]),
        (POST + b"Content-Length: 2\r\n\r\n{}", [415]),
        (POST + b"Content-Type: text/json\r\nContent-Length: 2\r\n\r\n{}", [415]),
        (POST + b"Content-Type: application/jsonp\r\nContent-Length: 2\r\n\r\n{}", [415]),
        (POST + b"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 2\r\n\r\n{}", [415]),
        (POST + b"Content-Type: application/json; charset=utf-16\r\nContent-Length: 4\r\n\r\n{\0}\0", [422]),
        (POST + b"Content-Type: \xff\xfe\r\nContent-Length: 2\r\n\r\n{}", [415]),
        (b"\x16\x03\x01\x02\x00\x01\x00", [400]),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", [404, 400]),
        (b"GET /\r\n\r\n", [400]),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n", [400]),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 2 * MOST_HEADER_BYTES, [400]),
        (b"GET /" + b"x" * 2 * MOST_HEADER_BYTES + b" HTTP/1.1\r\n", [400]),
        (b"GET /" + b"x" * 10_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", [404]),
        (b"GET /" + b"../" * 9 + b"etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n", [404]),
        (b"GET /" + b"%2e%2e/" * 9 + b"etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n", [404]),
        (b"GET /" + b"..%5c" * 9 + b"etc%5cpasswd HTTP/1.1\r\nHost: x\r\n\r\n", [404]),
        (b"GET //etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n", [404]),
        (b"GET /%00 HTTP/1.1\r\nHost: x\r\n\r\n", [404]),
        (b"GET /%ff%fe HTTP/1.1\r\nHost: x\r\n\r\n", [404]),
        (b"GET /api/submissions/%00000000000000000 HTTP/1.1\r\nHost: x\r\n\r\n", [422]),
        (b"GET http://x/healthz HTTP/1.1\r\nHost: x\r\n\r\n", [404]),
        (b"CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n", [404]),
        (b"TRACE / HTTP/1.1\r\nHost: x\r\n\r\n", [405]),
        (b"WHATEVER /healthz HTTP/1.1\r\nHost: x\r\n\r\n", [405]),
        (b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" * 20, [200] * 20),
    ],
)
def test_whatever_comes_is_answered_and_nothing_is_stored(
    quick: httpx2.Client, database: Database, content: bytes, statuses: list[int]
) -> None:
    assert asked(quick, content) == statuses
    assert quick.get("/healthz").status_code == 200
    assert every(database, ledger.entries) == []


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "gzip, gzip", "x"])
def test_nothing_is_decompressed(client: httpx2.Client, encoding: str) -> None:
    bomb = (zlib.compress if encoding == "deflate" else gzip.compress)(bytes(10**7))
    headers = {"content-type": "application/json", "content-encoding": encoding}
    assert client.post("/api/submissions", content=bomb, headers=headers).status_code == 415


def test_half_a_body_is_no_failure_of_the_server(
    client: httpx2.Client, database: Database, lines: list[str]
) -> None:
    content = bundle()
    head = POST + JSON + f"Content-Length: {len(content) + 1}\r\n\r\n".encode()
    connected(client, head + content).close()
    while not (answered := [line for line in lines if "/api/submissions" in line]):
        assert client.get("/healthz").status_code == 200
    assert [json.loads(line)["status"] for line in answered] == [400]
    assert every(database, ledger.entries) == []


def test_a_body_of_nothing_but_brackets_is_refused(client: httpx2.Client) -> None:
    for content in (b"[" * 5000 + b"]" * 5000, b'{"a":' * 5000 + b"1" + b"}" * 5000, b"[" * MOST_BYTES):
        answer = client.post(
            "/api/submissions", content=content, headers={"content-type": "application/json"}
        )
        assert answer.status_code == 422
        assert json.loads(answer.text)["title"]
