"""Which signals are heard, and that those which the caller ignores stay ignored."""

import os
import signal
import threading
from queue import Empty, SimpleQueue

import pytest

from bench.run.signals import StopRequest, receive, signals_to
from tests.run.processes import NEEDS_SIGNALS

pytestmark = NEEDS_SIGNALS


def test_a_closed_terminal_is_a_request_to_stop_like_any_other() -> None:
    asked: list[StopRequest] = []
    before = signal.getsignal(signal.SIGHUP)
    with signals_to(asked.append):
        for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT):
            os.kill(os.getpid(), number)
    assert [each.signal_number for each in asked] == [signal.SIGHUP, signal.SIGTERM, signal.SIGINT]
    assert signal.getsignal(signal.SIGHUP) == before


def test_a_signal_that_nohup_ignores_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    asked: list[StopRequest] = []
    try:
        with signals_to(asked.append):
            os.kill(os.getpid(), signal.SIGHUP)
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
    assert asked == []


def test_a_wait_ends_with_what_comes_or_at_its_limit_however_often_it_looks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As on Windows, where a signal that comes while Python waits is handled when the wait ends."""
    monkeypatch.setattr("bench.run.signals._LONGEST_WAIT_S", 0.001)
    queue: SimpleQueue[StopRequest] = SimpleQueue()
    with pytest.raises(Empty):
        receive(queue, 0.005)
    with pytest.raises(Empty):
        receive(queue, -1.0)
    with signals_to(queue.put):
        sender = threading.Timer(0.02, lambda: os.kill(os.getpid(), signal.SIGTERM))
        sender.start()
        assert receive(queue) == StopRequest(signal.SIGTERM)
        sender.join()
