"""A worker waits for its turn, where somebody gives turns."""

import socket
import threading
from pathlib import Path

import pytest

from bench.errors import BenchError
from bench.run.turns import ADDRESS, ASK, GO, at_once, turns_of_environment


def test_a_run_that_is_alone_never_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ADDRESS, raising=False)
    assert turns_of_environment() is at_once


def test_an_address_without_anybody_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(ADDRESS, str(tmp_path / "nobody"))
    with pytest.raises(BenchError, match="no process gives turns"):
        turns_of_environment()


def test_a_turn_comes_when_it_is_given_and_never_from_a_giver_that_is_gone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    address = str(tmp_path / "turns")
    monkeypatch.setenv(ADDRESS, address)
    asked: list[bytes] = []
    with socket.socket(socket.AF_UNIX) as giver:
        giver.bind(address)
        giver.listen(1)

        def give_one() -> None:
            line, _ = giver.accept()
            with line:
                asked.append(line.recv(1))
                line.sendall(GO)

        thread = threading.Thread(target=give_one)
        thread.start()
        ask = turns_of_environment()
        ask()
        thread.join()
    assert asked == [ASK]
    with pytest.raises(BenchError, match="has ended"):
        ask()
