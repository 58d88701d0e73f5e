"""A server on 127.0.0.1 that answers each request with given bytes, in HTTP or not, fast or slowly."""

import ssl
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from socket import socket
from socketserver import BaseRequestHandler, ThreadingTCPServer
from threading import Event, Thread


@dataclass
class Served:
    """Where the server listens, how many connections it had, and the requests that came whole."""

    port: int = 0
    connections: int = 0
    requests: list[bytes] = field(default_factory=list)


@contextmanager
def serving(
    answer: Callable[[Event], Iterable[bytes]], certificate: tuple[Path, Path] | None = None
) -> Iterator[Served]:
    """Run a server until the block ends. `answer` gives the pieces to send; its event is set at the end."""
    served, ended = Served(), Event()

    class Handler(BaseRequestHandler):
        def handle(self) -> None:
            served.connections += 1
            with suppress(OSError), _spoken(self.request, certificate) as channel:
                served.requests.append(_request(channel))
                for piece in answer(ended):
                    channel.sendall(piece)

    with ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        served.port = server.server_address[1]
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield served
        finally:
            ended.set()
            server.shutdown()
            thread.join()


def whole(content: bytes) -> Callable[[Event], Iterable[bytes]]:
    """Answer with these bytes at once, and close."""
    return lambda ended: [content]


def dripping(begin: bytes, drop: bytes) -> Callable[[Event], Iterable[bytes]]:
    """Answer with a beginning, then with the same bytes again and again, every 20 ms."""

    def pieces(ended: Event) -> Iterator[bytes]:
        yield begin
        while not ended.wait(0.02):
            yield drop

    return pieces


def silent(ended: Event) -> Iterator[bytes]:
    """Never answer."""
    ended.wait()
    yield b""


def _spoken(channel: socket, certificate: tuple[Path, Path] | None) -> socket:
    if certificate is None:
        return channel
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    return context.wrap_socket(channel, server_side=True)


def _request(channel: socket) -> bytes:
    found = b""
    while not found.endswith(b"\r\n\r\n"):
        piece = channel.recv(4096)
        if not piece:
            raise ConnectionError
        found += piece
    return found
