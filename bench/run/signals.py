"""The signals that ask a process to stop: Ctrl-C, SIGTERM, and a terminal or connection that closed."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from math import inf
from queue import Empty, SimpleQueue
from time import monotonic
from types import FrameType
from typing import Final, TypeVar

T = TypeVar("T")

# Python handles a signal between two steps of its own, and on Windows no signal ends a wait: never run there.
_LONGEST_WAIT_S: Final = 0.25 if os.name == "nt" else inf

# SIGHUP exists on POSIX only, SIGBREAK (Ctrl-Break, a console that closes) on Windows only: never run there.
STOP_SIGNALS: Final = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK") if hasattr(signal, name)
)


@dataclass(frozen=True)
class StopRequest:
    """A signal that asks the run to stop."""

    signal_number: int


@contextmanager
def signals_to(send: Callable[[StopRequest], None]) -> Iterator[None]:
    """Turn a signal that asks to stop into a call, so that no write is interrupted.

    `send` is called in the signal handler: for a run the `put` of a SimpleQueue, which is reentrant. A signal
    that is ignored stays ignored: `nohup` asks for that, and a shell for its jobs in the background.
    """

    def forward(number: int, _frame: FrameType | None) -> None:
        send(StopRequest(number))

    # None: a handler that Python did not install, and could not put back.
    heard = [number for number in STOP_SIGNALS if signal.getsignal(number) not in {signal.SIG_IGN, None}]
    before = {number: signal.signal(number, forward) for number in heard}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def receive(queue: SimpleQueue[T], timeout_s: float = inf) -> T:
    """Return the next item of a queue, and let handlers of signals run while nothing comes.

    Raises:
        Empty: nothing came in time.
    """
    deadline = monotonic() + timeout_s
    while True:
        left_s = max(0.0, deadline - monotonic())
        wait_s = min(left_s, _LONGEST_WAIT_S)
        with suppress(Empty):
            return queue.get(timeout=None if wait_s == inf else wait_s)
        if wait_s == left_s:
            raise Empty


@contextmanager
def undisturbed(stopped_by: int | None) -> Iterator[None]:
    """Ignore further signals if one has ended the run: the command that finishes it is still to be printed.

    A person presses Ctrl-C twice, and a terminal that closes sends SIGHUP twice.
    """
    if stopped_by is None:
        yield
        return
    with signals_to(_drop):
        yield


def _drop(_request: StopRequest) -> None:
    """Do nothing."""
