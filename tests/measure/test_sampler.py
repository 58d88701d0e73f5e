from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

import pytest

from bench.hardware.readings import DriverLost, Sample, SlowSample
from bench.measure import sampler
from bench.measure.energy import counted
from bench.measure.sampler import Sampler
from tests.measure.scripted_probe import Scripted


@contextmanager
def sampling(probe: Scripted, period_s: float = 0.001) -> Iterator[Sampler]:
    watching = Sampler(probe, period_s)
    try:
        yield watching
    finally:
        watching.close()


def after_calls(watching: Sampler, probe: Scripted, calls: int) -> None:
    while probe.calls < calls:
        assert watching.fresh() is not None


def test_peaks_are_the_largest_of_what_was_told() -> None:
    answers = [
        Sample(0, used_bytes=100, processes={}),
        Sample(0, used_bytes=900, processes={7: 500, 8: None}),
        Sample(0, used_bytes=None, processes={7: 300}),
        Sample(0, used_bytes=200, processes=None),
    ]
    probe = Scripted(answers)
    with sampling(probe) as watching:
        after_calls(watching, probe, 5)
        seen = watching.seen()
    assert seen.device.peak == 900
    assert {pid: timeline.peak for pid, timeline in seen.processes.items()} == {7: 500, 8: None}
    assert seen.device.high[:3].tolist() == [100, 900, 200], "what was not reported is no sample of it"
    assert seen.processes[7].high.tolist() == [500, 300]
    assert seen.processes[7].at_s[0] == seen.device.at_s[1]
    assert seen.processes[8].high.tolist() == []
    assert seen.process(7) is seen.processes[7]
    assert seen.process(8) is seen.process(9) is seen.process(None) is None
    assert seen.sampled.samples >= 5
    assert seen.sampled.largest_gap_s is not None
    assert seen.slow[0].temperature_c == 50.0
    assert seen.lost is None


def test_a_new_cell_begins_with_nothing() -> None:
    probe = Scripted([Sample(0, used_bytes=900, processes={7: 900}), *[Sample(0, used_bytes=100)] * 3])
    with sampling(probe) as watching:
        after_calls(watching, probe, 3)
        watching.begin()
        assert watching.seen().sampled.samples == 0
        assert watching.seen().device.peak is None
        watching.fresh()
        seen = watching.seen()
    assert seen.device.peak == 100
    assert seen.processes == {}
    assert set(seen.device.high.tolist()) == {100}


def test_who_draws_is_read_with_every_fresh_sample_and_remembered() -> None:
    """A window that opened just before the end of a cell, and one that is closed again."""
    probe = Scripted([Sample(0)])
    with sampling(probe, period_s=0.001) as watching:
        for drawing in (frozenset({5}), frozenset(), frozenset({6})):
            probe.drawing = drawing
            watching.fresh()
        assert watching.seen().drawing == {5, 6}
        watching.begin()
        watching.fresh()
        assert watching.seen().drawing == {6}


def test_a_lost_driver_leaves_what_was_seen_and_its_message() -> None:
    probe = Scripted([Sample(0, used_bytes=700), Sample(0, used_bytes=600), DriverLost("GPU is lost")])
    with sampling(probe, period_s=0.01) as watching:
        while watching.fresh() is not None:
            pass
        seen = watching.seen()
        assert watching.fresh() is None
    assert seen.lost == watching.lost == "GPU is lost"
    assert seen.device.peak == 700
    assert seen.sampled.samples == 2
    assert probe.closed


def test_a_driver_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampler, "ANSWER_LIMIT_S", 0.05)
    with sampling(Scripted([Sample(0)], waits_s=0.5)) as watching:
        assert watching.fresh() is None
        assert watching.lost is not None
        assert "stopped answering" in watching.lost
        begin = perf_counter()
        assert watching.fresh() is None
        assert perf_counter() - begin < 0.4, "a driver that was given up is not waited for again"


def test_a_driver_slower_than_the_period_shows_in_the_largest_gap() -> None:
    probe = Scripted([Sample(0)], waits_s=0.03)
    with sampling(probe, period_s=0.002) as watching:
        after_calls(watching, probe, 4)
        sampled = watching.seen().sampled
    assert sampled.period_s == 0.002
    assert sampled.largest_gap_s is not None
    assert sampled.largest_gap_s >= 0.03


def test_it_stops_in_the_middle_of_a_period_and_lets_go_of_the_driver() -> None:
    probe = Scripted([Sample(0)])
    watching = Sampler(probe, period_s=3600)
    assert probe.asked.wait(10)
    watching.close()
    assert probe.thread is not None
    assert not probe.thread.is_alive()
    assert probe.closed


def test_memory_is_bounded_and_what_is_kept_still_tells_the_energy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampler, "_MOST_FAST", 64)
    monkeypatch.setattr(sampler, "_MOST_SLOW", 8)
    monkeypatch.setattr(sampler, "_MOST_SEGMENTS", 32)
    log = sampler._Log(0.0, 0.02)
    for number in range(5000):
        at = number * 0.02
        used = number % 977
        log.add(Sample(at, used, {7: used // 2}, energy_j=150 * at), SlowSample(at))
        seen = log.seen(None)
        assert len(seen.trace.at_s) <= 65
        assert len(seen.slow) <= 8
        assert max(len(seen.device.at_s), len(seen.processes[7].at_s)) <= 32
        assert seen.trace.at_s[-1] == at
    assert seen.sampled.samples == 5000
    assert seen.sampled.largest_gap_s == pytest.approx(0.02)
    assert seen.device.peak == 976
    assert seen.processes[7].peak == 488
    assert seen.trace.at_s[0] == 0.0
    assert counted(seen.trace, 20.0, 70.0) == pytest.approx(150 * 50.0)
