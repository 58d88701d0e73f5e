"""The turns of a worker whose run alternates with another: it waits for its turn before each generation.

The address of whoever gives turns comes in the environment: a socket in a folder that only this user can
open. A message on it is one byte each way. `bench.interleave.turns` is the other end.
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
            line.sendall(ASK)
            if line.recv(1) == GO:
                return
        raise BenchError("whoever gave turns is gone")

    return ask
