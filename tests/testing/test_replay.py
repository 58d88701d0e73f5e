"""What the fixture of pytest-benchmark books is what was measured."""

from hypothesis import given
from hypothesis import strategies as st

from bench.testing.replay import Replay


@given(st.lists(st.floats(1e-9, 1e5), min_size=1, max_size=20))
def test_each_round_takes_exactly_one_latency(latencies_s: list[float]) -> None:
    replay = Replay()
    replay.load(latencies_s)
    booked = []
    for _ in latencies_s:
        replay.rewind()
        start = replay.latency_s()
        replay.generation()
        booked.append(replay.latency_s() - start)
    assert booked == latencies_s


def test_a_profiler_that_calls_once_more_moves_nothing() -> None:
    replay = Replay()
    replay.load([2.0])
    replay.generation()
    replay.generation()
    assert replay.latency_s() == 2.0
