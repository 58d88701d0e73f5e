"""Turns of a worker whose run alternates with another: the worker waits for its turn before each generation.

An environment variable names the socket of the process that gives turns. It is in a folder that only this
user can open. A message is one byte each way. `bench.interleave.turns` is the other end.
"""

import os
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from bench.errors import BenchError

ADDRESS: Final = "BENCH_TURNS"
ASK: Final = b"?"
GO: Final = b"!"

Ask = Callable[[], None]
"""Waits for the turn of this worker."""


def at_once() -> None:
    """Do not wait: no other run alternates with this one."""


def turns_of_environment() -> Ask:
    """Return the function that waits for a turn, at the socket that the environment names; else `at_once`.

    Raises:
        BenchError: nothing listens at that address.
    """
    address = os.environ.get(ADDRESS)
    if not address:
        return at_once
    line = socket.socket(socket.AF_UNIX)
    try:
        line.connect(address)
    except OSError as error:
        raise BenchError(f"{ADDRESS}: no process gives turns there", hint=f"Unset {ADDRESS}") from error

    def ask() -> None:
        with suppress(ConnectionError):
            line.sendall(ASK)
            if line.recv(1) == GO:
                return
        raise BenchError("the process that gave turns has ended")

    return ask
