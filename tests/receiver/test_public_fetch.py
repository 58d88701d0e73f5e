"""Fetching from strangers, from real servers on this machine."""

import gzip
import socket
import ssl
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from threading import Event

import pytest

from bench.errors import FetchError, UsageError
from bench.receiver.addresses import Address, is_public
from bench.receiver.public_fetch import Reach, fetch_public, resolve
from tests.certificate import self_signed
from tests.receiver.raw_server import Served, dripping, serving, silent, whole

LIMIT_BYTES = 1000
LONG_S, SHORT_S = 60.0, 0.3
HERE = ip_address("127.0.0.1")
OK = b"HTTP/1.1 200 OK\r\n"
TEXT = OK + b"Content-Length: 5\r\n\r\nhello"


def is_here(address: Address) -> bool:
    return address.is_loopback or address.is_unspecified or is_public(address)


def to(*addresses: str) -> Callable[[str], Sequence[Address]]:
    """A name server with one answer."""
    return lambda host: [ip_address(address) for address in addresses]


TO_HERE = to("127.0.0.1")


@dataclass(frozen=True)
class Near:
    """Fetches from a local server, by default with its address among the allowed ones."""

    served: Served
    tls: Callable[[], ssl.SSLContext] | None = None

    def fetch(
        self,
        host: str = "localhost",
        *,
        path: str = "/key.txt",
        limit_s: float = LONG_S,
        is_public: Callable[[Address], bool] = is_here,
        resolve: Callable[[str], Sequence[Address]] = TO_HERE,
    ) -> bytes:
        scheme = "http" if self.tls is None else "https"
        reach = Reach(
            scheme, self.served.port, is_public, resolve, tls=self.tls or ssl.create_default_context
        )
        url = f"{scheme}://{host}:{self.served.port}{path}"
        return fetch_public(url, limit_bytes=LIMIT_BYTES, limit_s=limit_s, reach=reach)


@contextmanager
def near(answer: bytes | Callable[[Event], Iterable[bytes]]) -> Iterator[Near]:
    with serving(whole(answer) if isinstance(answer, bytes) else answer) as served:
        yield Near(served)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return self_signed(tmp_path_factory.mktemp("tls"))


@pytest.mark.parametrize(
    "answer",
    [
        TEXT,
        OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
        OK + b"Connection: close\r\n\r\nhello",
        OK + b"Content-Encoding: identity\r\nContent-Length: 5\r\n\r\nhello",
        b"HTTP/1.1 103 Early Hints\r\n\r\n" + TEXT,
    ],
    ids=["length", "chunks", "until the end", "identity", "after early hints"],
)
def test_a_text_arrives_whole(answer: bytes) -> None:
    with near(answer) as server:
        assert server.fetch() == b"hello"


def test_the_request_has_nothing_of_this_machine_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with near(TEXT.replace(b"\r\n\r\n", b"\r\nSet-Cookie: a=b\r\n\r\n")) as server, near(TEXT) as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://user:secret@127.0.0.1:{proxy.served.port}")
        assert server.fetch(path="/a%20b?c=d") == server.fetch(path="/a%20b?c=d") == b"hello"
        assert proxy.served.connections == 0
        sent = (
            f"GET /a%20b?c=d HTTP/1.1\r\nHost: localhost:{server.served.port}\r\n"
            "User-Agent: moss-audio-bench\r\nAccept-Encoding: identity\r\nConnection: close\r\n\r\n"
        )
        assert server.served.requests == [sent.encode()] * 2


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (b"HTTP/1.1 302 Found\r\nLocation: /other\r\n\r\n", "redirects to another URL"),
        (b"HTTP/1.1 404 \x1b[31mNo\r\nContent-Length: 0\r\n\r\n", "answers with status 404"),
        (b"HTTP/1.1 206 Part\r\nContent-Length: 5\r\n\r\nhello", "answers with status 206"),
        (
            OK + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(bytes(10_000_000)),
            "answers with a compressed text",
        ),
        (OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n", "did not answer in valid HTTP"),
        (OK + b"Content-Length: 50\r\n\r\nhello", "did not answer in valid HTTP"),
        (OK + b"X: " + b"x" * 100_000, "did not answer in valid HTTP"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "did not answer in valid HTTP"),
        (b"", "did not answer in valid HTTP"),
        (OK + b"Content-Length: 2\r\n\r\n\xff\xfe", "did not answer with UTF-8 text"),
    ],
)
def test_other_answers_are_refused_in_one_line(answer: bytes, line: str) -> None:
    with near(answer) as server, pytest.raises(FetchError) as caught:
        server.fetch()
    assert str(caught.value).startswith(f"localhost {line}")
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("begin", [OK + b"Connection: close\r\n\r\n", OK + b"Content-Length: 1001\r\n\r\n"])
def test_a_text_may_have_as_many_bytes_as_the_limit_and_no_more(begin: bytes) -> None:
    with near(OK + b"Connection: close\r\n\r\n" + b"x" * LIMIT_BYTES) as server:
        assert server.fetch() == b"x" * LIMIT_BYTES
    with near(begin + b"x" * (LIMIT_BYTES + 1)) as server, pytest.raises(FetchError) as caught:
        server.fetch()
    assert str(caught.value) == "localhost answers with more than 1000 bytes"


@pytest.mark.parametrize(
    "answer",
    [
        silent,
        dripping(OK + b"Content-Length: 500\r\n\r\n", b"x"),
        dripping(OK, b"X: x\r\n"),
        dripping(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"),
    ],
    ids=["silent", "body", "headers", "early hints"],
)
def test_a_slow_server_is_left_at_the_time_limit(answer: Callable[[Event], Iterable[bytes]]) -> None:
    with near(answer) as server, pytest.raises(FetchError) as caught:
        server.fetch(limit_s=SHORT_S)
    assert str(caught.value) == "localhost did not answer in full within 0.3 s"


def test_a_slow_name_server_and_a_silent_handshake_are_left_at_the_time_limit() -> None:
    ended = Event()

    def hang(host: str) -> Sequence[Address]:
        ended.wait()
        return [HERE]

    with near(TEXT) as server, pytest.raises(FetchError, match=r"within 0\.3 s"):
        server.fetch(limit_s=SHORT_S, resolve=hang)
    ended.set()
    with serving(silent) as served, pytest.raises(FetchError, match=r"within 0\.3 s"):
        Near(served, ssl.create_default_context).fetch(limit_s=SHORT_S)
    assert served.requests == []


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.1", "2130706433", "0x7f.0.0.1", "0"])
def test_this_machine_is_not_public_in_any_spelling(host: str) -> None:
    with near(TEXT) as server:
        with pytest.raises(FetchError) as caught:
            server.fetch(host, is_public=is_public, resolve=resolve)
        assert server.served.connections == 0
        assert server.fetch(host, resolve=resolve) == b"hello"
    assert str(caught.value) == f"{host} has an address that is not public"


@pytest.mark.parametrize("others", [["10.0.0.1"], ["93.184.215.14", "10.0.0.1"], ["::ffff:127.0.0.1"], []])
def test_one_address_that_is_not_public_is_enough_to_refuse_a_host(others: list[str]) -> None:
    addresses = ["127.0.0.1", *others] if others else []
    with near(TEXT) as server:
        with pytest.raises(FetchError, match="not public"):
            server.fetch(resolve=to(*addresses))
        assert server.served.connections == 0


def test_a_name_is_resolved_once_and_the_checked_address_is_connected_to() -> None:
    answers = [[HERE], [ip_address("10.0.0.1")]]
    with near(TEXT) as server:
        assert server.fetch("ada.example", resolve=lambda host: answers.pop(0)) == b"hello"
        assert f"Host: ada.example:{server.served.port}\r\n".encode() in server.served.requests[0]
    assert len(answers) == 1


def test_the_next_address_is_tried_where_the_first_one_refuses() -> None:
    with near(TEXT) as server:
        assert server.fetch(resolve=to("127.0.0.2", "127.0.0.1")) == b"hello"
        with pytest.raises(FetchError, match="the connection to localhost failed"):
            server.fetch(resolve=to("127.0.0.2", "127.0.0.3"))


def test_a_name_without_addresses_is_one_line() -> None:
    def unknown(host: str) -> Sequence[Address]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    with near(TEXT) as server, pytest.raises(FetchError) as caught:
        server.fetch("ada.example", resolve=unknown)
    assert str(caught.value) == "ada.example has no address. Check the name"


def test_a_certificate_is_verified_for_the_name(certificate: tuple[Path, Path]) -> None:
    def trusting() -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(certificate[0]))

    with serving(whole(TEXT), certificate) as served:
        assert Near(served, trusting).fetch() == b"hello"
        for host, tls in (("localhost", ssl.create_default_context), ("ada.example", trusting)):
            with pytest.raises(FetchError) as caught:
                Near(served, tls).fetch(host)
            assert str(caught.value) == f"{host} has no valid certificate for its name"
    assert len(served.requests) == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://ada.example/key.txt",
        "https://ada.example:8443/key.txt",
        "https://ada.example:80/key.txt",
        "https://ada:secret@ada.example/key.txt",
        "file:///etc/passwd",
        "ftp://ada.example/key.txt",
        "gopher://ada.example/key.txt",
        "//ada.example/key.txt",
        "https://[::1]/key.txt",
        "",
    ],
)
def test_only_https_on_its_own_port_is_fetched(url: str) -> None:
    with pytest.raises(UsageError) as caught:
        fetch_public(url, limit_bytes=LIMIT_BYTES, limit_s=LONG_S)
    assert "secret" not in str(caught.value)
