"""Files at URLs in public, without a network: the name and the address are made up, all else is real."""

import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Any, Final

import pytest

from tests.certificate import self_signed
from tests.receiver.raw_server import Served, serving, whole

HOST: Final = "raw.githubusercontent.com"
PUBLIC: Final = "93.184.215.14"


def answer(content: bytes) -> bytes:
    """Return an answer with a file."""
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(content) + content


@contextmanager
def published(
    monkeypatch: pytest.MonkeyPatch,
    folder: Path,
    content: bytes | Callable[[Event], Iterable[bytes]],
    *,
    host: str = HOST,
    address: str = PUBLIC,
) -> Iterator[Served]:
    """Answer with a file at every URL of a host. Its name has an address that only this process can reach."""
    certificate = self_signed(folder, host)
    answers = whole(answer(content)) if isinstance(content, bytes) else content
    resolve, connect = socket.getaddrinfo, socket.create_connection

    def resolved(name: Any, *given: Any, **named: Any) -> Any:
        return resolve(address if name == host else name, *given, **named)

    with serving(answers, certificate) as served, monkeypatch.context() as patched:

        def connected(where: tuple[str, int], *given: Any, **named: Any) -> socket.socket:
            here = ("127.0.0.1", served.port) if where == (address, 443) else where
            return connect(here, *given, **named)

        patched.setenv("SSL_CERT_FILE", str(certificate[0]))
        patched.setattr(socket, "getaddrinfo", resolved)
        patched.setattr(socket, "create_connection", connected)
        yield served
