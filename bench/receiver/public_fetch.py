"""Fetches a small text from a URL that a stranger gave, without reaching anything that is not public.

The name is resolved once, all of its addresses are checked, and the connection goes to a checked address: a
second answer of the name server changes nothing. Redirects, cookies and proxies do not exist here.
"""

import socket
import ssl
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from ipaddress import ip_address
from threading import Thread
from typing import TYPE_CHECKING, Final

from bench.errors import FetchError, UsageError
from bench.identity.web_url import WebUrl, parse_url
from bench.receiver.addresses import Address, is_public

if TYPE_CHECKING:
    import h11

_CHUNK_BYTES: Final = 16_384
_USER_AGENT: Final = "moss-audio-bench"


def resolve(host: str) -> tuple[Address, ...]:
    """Return the addresses of a host, in the order in which the system prefers them.

    Raises:
        OSError: it has none.
    """
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return tuple(ip_address(each[4][0]) for each in found)


@dataclass(frozen=True)
class Reach:
    """Where a fetch may go. The defaults are those of a site in public; tests reach servers of their own."""

    scheme: str = "https"
    port: int = 443
    is_public: Callable[[Address], bool] = is_public
    resolve: Callable[[str], Sequence[Address]] = resolve
    tls: Callable[[], ssl.SSLContext] = ssl.create_default_context
    """Verifies certificate and name."""


PUBLIC: Final = Reach()


@dataclass(frozen=True)
class _Deadline:
    """The end of the time that a fetch may take in all, however slowly bytes arrive."""

    limit_s: float
    began_s: float = field(default_factory=time.monotonic)

    def left_s(self) -> float:
        """Return the seconds that are left.

        Raises:
            TimeoutError: none are.
        """
        left = self.began_s + self.limit_s - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left


def fetch_public(url: str, *, limit_bytes: int, limit_s: float, reach: Reach = PUBLIC) -> bytes:
    """Return the UTF-8 text at a public `https` URL: at most `limit_bytes`, within `limit_s` seconds.

    The limits hold for the whole fetch: name, connection, headers and body.

    Raises:
        UsageError: the URL is not one of `https` on port 443.
        FetchError: an address of the host is not public, or there is no answer 200 with such a text.
    """
    where = parse_url(url)
    if (where.scheme, where.port) != (reach.scheme, reach.port):
        raise UsageError(f"only {reach.scheme} on port {reach.port} is fetched", hint="Give another URL")
    deadline = _Deadline(limit_s)
    with _one_line(where.host, limit_s), _connect(where, deadline, reach) as channel:
        content = _ask(channel, where, deadline, limit_bytes)
        if not _is_utf8(content):
            raise FetchError(f"{where.host} did not answer with UTF-8 text")
        return content


@contextmanager
def _one_line(host: str, limit_s: float) -> Iterator[None]:
    """Say in one line what went wrong. Nothing of the answer is quoted: strangers wrote it."""
    import h11

    try:
        yield
    except TimeoutError as error:
        raise FetchError(f"{host} did not answer in full within {limit_s:g} s") from error
    except socket.gaierror as error:
        raise FetchError(f"{host} has no address", hint="Check the name") from error
    except ssl.SSLCertVerificationError as error:
        raise FetchError(f"{host} has no valid certificate for its name") from error
    except OSError as error:
        raise FetchError(f"the connection to {host} failed") from error
    except h11.RemoteProtocolError as error:
        raise FetchError(f"{host} did not answer in valid HTTP") from error


@contextmanager
def _connect(where: WebUrl, deadline: _Deadline, reach: Reach) -> Iterator[socket.socket]:
    """Connect to a checked address of the host, by TLS where its scheme has it."""
    addresses = _addresses(where.host, deadline, reach)
    if not addresses or not all(map(reach.is_public, addresses)):
        raise FetchError(f"{where.host} has an address that is not public")
    with _first_open(addresses, where.port, deadline) as channel:
        if where.scheme == "http":
            yield channel
            return
        channel.settimeout(deadline.left_s())
        with reach.tls().wrap_socket(channel, server_hostname=where.host) as secured:
            yield secured


def _addresses(host: str, deadline: _Deadline, reach: Reach) -> Sequence[Address]:
    """Resolve in a thread: the resolver of the system takes no time limit."""
    answer: Future[Sequence[Address]] = Future()

    def work() -> None:
        try:
            answer.set_result(reach.resolve(host))
        except OSError as error:
            answer.set_exception(error)

    Thread(target=work, daemon=True).start()
    return answer.result(deadline.left_s())


def _first_open(addresses: Sequence[Address], port: int, deadline: _Deadline) -> socket.socket:
    """Connect to the first address that lets us. The text of an address is not resolved again."""
    for address in addresses[:-1]:
        try:
            return socket.create_connection((str(address), port), deadline.left_s())
        except OSError:
            continue
    return socket.create_connection((str(addresses[-1]), port), deadline.left_s())


def _ask(channel: socket.socket, where: WebUrl, deadline: _Deadline, limit_bytes: int) -> bytes:
    """Return the body of the answer to one GET."""
    import h11

    connection, body = h11.Connection(h11.CLIENT), bytearray()
    channel.settimeout(deadline.left_s())
    channel.sendall(_request(connection, where))
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            channel.settimeout(deadline.left_s())
            connection.receive_data(channel.recv(_CHUNK_BYTES))
        elif isinstance(event, h11.Response):
            _require_plain(event, where.host)
        elif isinstance(event, h11.Data):
            body += event.data
            if len(body) > limit_bytes:
                raise FetchError(f"{where.host} answers with more than {limit_bytes} bytes")
        elif isinstance(event, h11.EndOfMessage):
            return bytes(body)


def _request(connection: "h11.Connection", where: WebUrl) -> bytes:
    import h11

    headers = {
        "Host": where.authority,
        "User-Agent": _USER_AGENT,
        "Accept-Encoding": "identity",  # a body that is not compressed cannot grow
        "Connection": "close",
    }
    request = h11.Request(method="GET", target=where.path + where.query, headers=list(headers.items()))
    return (connection.send(request) or b"") + (connection.send(h11.EndOfMessage()) or b"")


def _require_plain(response: "h11.Response", host: str) -> None:
    """Refuse an answer without a body of its own, or with a compressed one."""
    if 300 <= response.status_code < 400:
        raise FetchError(f"{host} redirects to another URL", hint="Give the URL that it redirects to")
    if response.status_code != 200:
        raise FetchError(f"{host} answers with status {response.status_code}")
    if any(name == b"content-encoding" and value.lower() != b"identity" for name, value in response.headers):
        raise FetchError(f"{host} answers with a compressed text, although it was asked for a plain one")


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
