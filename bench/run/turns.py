"""Turns between runs that are up at the same time: one computes and the others wait, one generation each.

A worker that finds an address in its environment asks there before each generation; the turn is its own until
it asks again or its run ends. Its address is a socket in a folder that only this user can open, and what
is said on it is one byte each way.
"""

import os
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Final

from bench.errors import BenchError
from bench.run.child import Gone, StopRequest

ADDRESS: Final = "BENCH_TURNS"
_ASK: Final = b"?"
_GO: Final = b"!"

Ask = Callable[[], None]
"""Comes back when it is one's turn."""


def at_once() -> None:
    """The turn of a run that is alone."""


def turns_of_environment() -> Ask:
    """What a worker asks before each generation: the giver of turns that its environment names, or nobody.

    Raises:
        BenchError: there is none at that address.
    """
    address = os.environ.get(ADDRESS)
    if not address:
        return at_once
    line = socket.socket(socket.AF_UNIX)
    try:
        line.connect(address)
    except OSError as error:
        raise BenchError(f"{ADDRESS}: nobody gives turns there", hint=f"Unset {ADDRESS}") from error

    def ask() -> None:
        with suppress(ConnectionError):
            line.sendall(_ASK)
            if line.recv(1) == _GO:
                return
        raise BenchError("whoever gave turns is gone")

    return ask


@dataclass(frozen=True, slots=True)
class Asks:
    """The run of this name waits for its turn on this line."""

    name: str
    line: socket.socket


Post = SimpleQueue[Gone | StopRequest | Asks]


def listen(name: str, folder: Path, post: Post) -> Path:
    """Take what the workers of one run ask, one worker after the other, for as long as this process lives.

    Returns the address for their environment.
    """
    address = folder / name
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(address))
    server.listen()
    threading.Thread(target=_serve, args=(name, server, post), name=f"turns of {name}", daemon=True).start()
    return address


def _serve(name: str, server: socket.socket, post: Post) -> None:
    while True:
        line, _ = server.accept()
        with line, suppress(ConnectionError):  # a worker that was killed
            while line.recv(1):
                post.put(Asks(name, line))


class Turns:
    """Who is next. Nobody gets a turn while another may compute: while one neither asks nor has ended."""

    def __init__(self, names: Iterable[str]) -> None:
        self._order = tuple(names)
        self._running = set(self._order)
        self._waiting: dict[str, socket.socket] = {}
        self.taken: Counter[str] = Counter()

    def asks(self, asked: Asks) -> None:
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
            self._waiting.pop(name).sendall(_GO)
