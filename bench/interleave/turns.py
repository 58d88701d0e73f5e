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

from bench.run.child import OutputClosed
from bench.run.signals import StopRequest
from bench.run.turns import GO


@dataclass(frozen=True, slots=True)
class TurnRequest:
    """A run that waits for its turn, and the socket on which it waits."""

    name: str
    line: socket.socket


EventQueue = SimpleQueue[OutputClosed | StopRequest | TurnRequest]


def listen(name: str, folder: Path, events: EventQueue) -> Path:
    """Accept the requests of one run's workers, one worker after the other, as long as this process lives.

    Returns the address for their environment.
    """
    address = folder / name
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(address))
    server.listen()
    threading.Thread(target=_serve, args=(name, server, events), name=f"turns of {name}", daemon=True).start()
    return address


def _serve(name: str, server: socket.socket, events: EventQueue) -> None:
    while True:
        line, _ = server.accept()
        with line, suppress(ConnectionError):  # a worker that was killed
            while line.recv(1):
                events.put(TurnRequest(name, line))


class Turns:
    """Which run is next. No run gets a turn while another may compute, having neither asked nor ended."""

    def __init__(self, names: Iterable[str]) -> None:
        self._order = tuple(names)
        self._running = set(self._order)
        self._waiting: dict[str, socket.socket] = {}
        self.taken: Counter[str] = Counter()

    def add(self, request: TurnRequest) -> None:
        """Note that a run waits: its last turn is over."""
        self._waiting[request.name] = request.line
        self._give()

    def ended(self, name: str) -> None:
        """Note that a run has ended."""
        self._running.discard(name)
        self._waiting.pop(name, None)
        self._give()

    def _give(self) -> None:
        """Give a turn to the run that had the fewest, so that they alternate; of equal ones to the first."""
        if not self._waiting or not self._running <= self._waiting.keys():
            return
        name = min(self._waiting, key=lambda one: (self.taken[one], self._order.index(one)))
        self.taken[name] += 1
        with suppress(OSError):  # it has died meanwhile; its end is on the way
            self._waiting.pop(name).sendall(GO)
