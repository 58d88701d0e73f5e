"""Turns of runs that are up at the same time: one computes, the others wait."""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.errors import BenchError
from bench.interleave.turns import EventQueue, TurnRequest, Turns, listen
from bench.run.turns import ADDRESS, at_once, turns_of_environment

pytestmark = pytest.mark.skipif(os.name == "nt", reason="its Python has no such sockets")


class Runs:
    """Runs as a giver of turns sees them: each computes, waits or has ended."""

    def __init__(self, names: str, stack: ExitStack) -> None:
        self.turns = Turns(names)
        self.lines = {name: socket.socketpair() for name in names}
        for pair in self.lines.values():
            for end in pair:
                stack.callback(end.close)
                end.setblocking(False)
        self.waiting: set[str] = set()
        self.gone: set[str] = set()
        self.order: list[str] = []

    def asks(self, name: str) -> None:
        self.waiting.add(name)
        self.turns.add(TurnRequest(name, self.lines[name][0]))
        self._see()

    def ends(self, name: str) -> None:
        self.gone.add(name)
        self.turns.ended(name)
        self._see()

    def computing(self) -> set[str]:
        return set(self.lines) - self.waiting - self.gone

    def _see(self) -> None:
        for name in sorted(self.waiting):
            try:
                byte = self.lines[name][1].recv(1)
            except BlockingIOError:
                continue
            assert byte
            assert not self.computing(), "two would compute at the same time"
            self.waiting.discard(name)
            self.order.append(name)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


def test_nobody_begins_before_all_are_there_and_then_they_alternate(stack: ExitStack) -> None:
    runs = Runs("ab", stack)
    runs.asks("b")
    assert runs.order == []
    runs.asks("a")
    for _ in range(3):
        runs.asks(runs.order[-1])
    assert "".join(runs.order) == "abab"


def test_one_that_has_ended_is_waited_for_no_more(stack: ExitStack) -> None:
    runs = Runs("ab", stack)
    runs.asks("b")
    runs.ends("a")
    runs.asks("b")
    assert "".join(runs.order) == "bb"


def test_one_that_waited_and_was_killed_takes_no_turn_from_the_other(stack: ExitStack) -> None:
    runs = Runs("ab", stack)
    runs.asks("a")
    runs.lines["a"][1].close()
    runs.waiting.discard("a")
    runs.gone.add("a")
    runs.turns.add(TurnRequest("b", runs.lines["b"][0]))
    runs.turns.ended("a")
    assert runs.lines["b"][1].recv(1)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=60))
def test_never_do_two_compute_and_all_that_wait_come_to_their_turn(moves: list[tuple[str, bool]]) -> None:
    with ExitStack() as stack:
        runs = Runs("abc", stack)
        for name, ends in moves:
            if name in runs.computing():
                runs.ends(name) if ends else runs.asks(name)
        for name in sorted(runs.computing()):
            runs.ends(name)
        while runs.waiting:
            before = len(runs.order)
            (name,) = runs.computing() or {""}
            runs.ends(name)
            assert len(runs.order) == before + 1


def test_a_worker_that_is_alone_asks_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ADDRESS, raising=False)
    assert turns_of_environment() is at_once


def test_a_worker_waits_until_it_is_byte(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    post = EventQueue()
    monkeypatch.setenv(ADDRESS, str(listen("base", tmp_path, post)))
    ask, went = turns_of_environment(), threading.Event()

    def work() -> None:
        ask()
        went.set()

    worker = threading.Thread(target=work)
    worker.start()
    asked = post.get(timeout=30)
    assert isinstance(asked, TurnRequest)
    assert asked.name == "base"
    assert not went.is_set()
    turns = Turns(["base"])
    turns.add(asked)
    worker.join(30)
    assert went.is_set()
    assert turns.taken == {"base": 1}


def test_without_the_giver_of_turns_a_worker_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(ADDRESS, str(tmp_path / "nobody"))
    with pytest.raises(BenchError, match="no process gives turns"):
        turns_of_environment()


def test_a_giver_of_turns_that_is_gone_is_no_turn(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "turns"))
        server.listen()
        monkeypatch.setenv(ADDRESS, str(tmp_path / "turns"))
        ask = turns_of_environment()
        server.accept()[0].close()
        with pytest.raises(BenchError, match="has ended"):
            ask()
