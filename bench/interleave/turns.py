"""Turns between runs that are up at the same time: one computes and the others wait, one generation each.

The other end is `bench.run.turns`: a worker asks there before each generation, and the turn is its own until
it asks again or its run ends.
"""

import socket
import threading
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

from bench.run.child import Gone, StopRequest
from bench.run.turns import GO


@dataclass(frozen=True, slots=True)
class TurnRequest:
    """The run of this name waits for its turn on this line."""

    name: str
    line: socket.socket


EventQueue = SimpleQueue[Gone | StopRequest | TurnRequest]


def listen(name: str, folder: Path, post: EventQueue) -> Path:
    """Take what the workers of one run ask, one worker after the other, for as long as this process lives.

    Returns the address for their environment.
    """
    address = folder / name
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(address))
    server.listen()
    threading.Thread(target=_serve, args=(name, server, post), name=f"turns of {name}", daemon=True).start()
    return address


def _serve(name: str, server: socket.socket, post: EventQueue) -> None:
    while True:
        line, _ = server.accept()
        with line, suppress(ConnectionError):  # a worker that was killed
            while line.recv(1):
                post.put(TurnRequest(name, line))


class Turns:
    """Who is next. Nobody gets a turn while another may compute: while one neither asks nor has ended."""

    def __init__(self, names: Iterable[str]) -> None:
        self._order = tuple(names)
        self._running = set(self._order)
        self._waiting: dict[str, socket.socket] = {}
        self.taken: Counter[str] = Counter()

    def asks(self, asked: TurnRequest) -> None:
        """It has done what its last turn was for."""
        self._waiting[asked.name] = asked.line
        self._give()

    def ended(self, name: str) -> None:
        """It will not ask again."""
        self._running.discard(name)
        self._waiting.pop(name, None)
        self._give()

    def _give(self) -> None:
        """To the one that had fewest, so that they alternate; of equal ones to the first."""
        if not self._waiting or not self._running <= self._waiting.keys():
            return
        name = min(self._waiting, key=lambda one: (self.taken[one], self._order.index(one)))
        self.taken[name] += 1
        with suppress(OSError):  # it has died meanwhile; its end is on the way
            self._waiting.pop(name).sendall(GO)
