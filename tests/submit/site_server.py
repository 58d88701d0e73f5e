"""A site on 127.0.0.1 that answers as it is told: real HTTP, with every fault of a network."""

import json
import select
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread

ID = "0123456789abcdef"
FINDING = {
    "code": "outlier_of_card",
    "severity": "suspicious",
    "path": "$.cells[3]",
    "facts": {"ratio": 3.5},
    "sentence": "It is far from others.",
    "remedy": "Say in a note how it came about",
}


@dataclass(frozen=True)
class Answer:
    """What is sent to one request."""

    status: int = 201
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    length: int | None = None
    """`Content-Length`, where it is not that of the body: the connection ends before."""
    is_early: bool = False
    """Whether it is sent before the request has been read; the rest of that is never read."""


@dataclass(frozen=True)
class Cut:
    """The connection is closed without an answer."""


@dataclass(frozen=True)
class Silence:
    """No answer, until the client leaves."""


def document(status: int = 201, **fields: object) -> Answer:
    """An answer with this JSON."""
    return Answer(status, json.dumps(fields).encode(), (("Content-Type", "application/json"),))


def accepted(status: int = 201, **changes: object) -> Answer:
    """The bundle is taken."""
    fields = {"id": ID, "state": "held", "url": f"/records/{ID}/", "findings": [], **changes}
    return document(status, **fields)


def busy(status: int, retry_after: str | None = None) -> Answer:
    """An answer that asks for patience."""
    headers = () if retry_after is None else (("Retry-After", retry_after),)
    return Answer(status, b'{"title": "Later"}', headers)


@dataclass(frozen=True)
class Received:
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class LocalSite:
    """The answers to come, in order, the last one for good; and what was received."""

    answers: list[Answer | Cut | Silence]
    url: str = ""
    port: int = 0
    received: list[Received] = field(default_factory=list)
    reached: Event = field(default_factory=Event)

    def next(self) -> Answer | Cut | Silence:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@contextmanager
def serve(
    *answers: Answer | Cut | Silence, certificate: tuple[Path, Path] | None = None
) -> Iterator[LocalSite]:
    """Run a site on a free port until the block ends; with a certificate and its key it speaks TLS."""
    site = LocalSite(list(answers))

    class Handler(_Handler):
        state = site

    server = ThreadingServer(("127.0.0.1", 0), Handler)
    scheme, host = "http", "127.0.0.1"
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        scheme, host = "https", "localhost"
    site.port = server.server_address[1]
    site.url = f"{scheme}://{host}:{site.port}"
    with running(server):
        yield site


@contextmanager
def tunnel(port: int) -> Iterator[str]:
    """Run a proxy whose every tunnel leads to a port of 127.0.0.1; its address."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            """Nothing on the terminal."""

        def do_CONNECT(self) -> None:
            with socket.create_connection(("127.0.0.1", port)) as far:
                self.send_response(200)
                self.end_headers()
                ends = {self.connection: far, far: self.connection}
                while True:
                    for near in select.select(list(ends), [], [])[0]:
                        content = near.recv(65_536)
                        if not content:
                            return
                        ends[near].sendall(content)

    server = ThreadingServer(("127.0.0.1", 0), Handler)
    with running(server):
        yield f"http://127.0.0.1:{server.server_address[1]}"


@contextmanager
def running(server: ThreadingHTTPServer) -> Iterator[None]:
    """Serve until the block ends."""
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class ThreadingServer(ThreadingHTTPServer):
    """A server that waits for no client, and says nothing of one that hangs up."""

    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is no event; anything else fails the test that asked."""


class _Handler(BaseHTTPRequestHandler):
    disable_nagle_algorithm = True
    state: LocalSite

    def log_message(self, format: str, *args: object) -> None:
        """Nothing on the terminal."""

    def do_GET(self) -> None:
        self.do_POST()

    def do_POST(self) -> None:
        answer = self.state.next()
        is_early = isinstance(answer, Answer) and answer.is_early
        body = b"" if is_early else self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.state.received.append(Received(self.path, dict(self.headers.items()), body))
        self.state.reached.set()
        if isinstance(answer, Cut):
            return
        if isinstance(answer, Silence):
            self.rfile.read(1)
            return
        self.send_response(answer.status)
        for name, value in answer.headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(answer.length or len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)
