from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.errors import BenchError
from bench.measure.clock import HostEdges, HostTicks, Stopwatch, StopwatchReading, repeat_of
from bench.records.cell import Repeat
from bench.records.enums import Phase


class Script:
    """Ticks whose moments were written down before."""

    def __init__(self, *times: float) -> None:
        self._times = list(times)
        self._marks = 0

    def mark(self) -> None:
        self._marks += 1

    def read(self) -> list[float]:
        return self._times[: self._marks]


def generation(watch: Stopwatch, tokens: int) -> None:
    """What an engine announces."""
    for phase in (Phase.PREPROCESS, Phase.ENCODE, Phase.PREFILL):
        watch.begin(phase)
    for number in range(tokens):
        watch.token()
        if number == 0:
            watch.begin(Phase.DECODE)
    watch.end()


def test_figures_worked_out_by_hand() -> None:
    watch = Stopwatch(Script(0.0, 0.25, 0.75, 1.0, 1.0, 1.5, 2.0, 3.0))
    generation(watch, tokens=4)
    assert repeat_of(watch.read(), generated_tokens=4, clip_seconds=10, stopped_early=False) == Repeat(
        preprocess_s=0.25,
        encode_s=0.5,
        time_to_first_token_s=1.0,
        decode_tokens_per_s=1.5,  # 3 tokens in the 2 s after the first
        latency_s=3.0,
        real_time_factor=0.3,
        generated_tokens=4,
        stop_reason="length",
        token_times_s=(1.0, 1.5, 2.0, 3.0),
    )


def test_one_token_has_no_decode_speed() -> None:
    watch = Stopwatch(Script(0.0, 0.1, 0.2, 0.5, 0.5))
    generation(watch, tokens=1)
    repeat = repeat_of(watch.read(), generated_tokens=1, clip_seconds=2, stopped_early=True)
    assert repeat.decode_tokens_per_s is None
    assert repeat.latency_s == repeat.time_to_first_token_s == 0.5
    assert repeat.stop_reason == "eos"


def test_tokens_at_one_moment_have_no_decode_speed() -> None:
    moments = StopwatchReading({Phase.ENCODE: 0.1, Phase.PREFILL: 0.2}, (0.5, 0.5))
    repeat = repeat_of(moments, generated_tokens=2, clip_seconds=2, stopped_early=False)
    assert repeat.decode_tokens_per_s is None


def test_a_phase_that_was_not_announced_and_tokens_in_chunks_are_not_known() -> None:
    """As a server answers: the request, then chunks of text."""
    watch = Stopwatch(Script(0.0, 1.0, 3.0))
    watch.begin(Phase.PREPROCESS)
    watch.token()
    watch.token()
    watch.end()
    repeat = repeat_of(watch.read(), generated_tokens=7, clip_seconds=10, stopped_early=False)
    assert (repeat.time_to_first_token_s, repeat.latency_s, repeat.generated_tokens) == (1.0, 3.0, 7)
    assert (repeat.preprocess_s, repeat.encode_s) == (None, None)
    assert (repeat.decode_tokens_per_s, repeat.token_times_s) == (None, None)


def test_an_engine_has_to_announce_the_begin() -> None:
    with pytest.raises(BenchError, match="where a generation begins"):
        repeat_of(StopwatchReading({}, (0.0,)), generated_tokens=1, clip_seconds=2, stopped_early=False)


def test_no_token_at_all_is_an_error_not_a_zero() -> None:
    with pytest.raises(BenchError, match="no token"):
        repeat_of(
            StopwatchReading({Phase.PREPROCESS: 0.0}, ()),
            generated_tokens=0,
            clip_seconds=2,
            stopped_early=False,
        )


@given(
    st.lists(st.floats(1e-6, 10), min_size=4, max_size=60),
    st.floats(0.2, 3600),
)
def test_figures_of_one_generation_agree_with_each_other(gaps: list[float], clip_seconds: float) -> None:
    before, tokens = list(accumulate(gaps))[:2], list(accumulate(gaps))[2:]
    moments = StopwatchReading(
        {Phase.PREPROCESS: 0.0, Phase.ENCODE: before[0], Phase.PREFILL: before[1]}, tuple(tokens)
    )
    repeat = repeat_of(moments, generated_tokens=len(tokens), clip_seconds=clip_seconds, stopped_early=False)
    assert repeat.preprocess_s is not None
    assert repeat.encode_s is not None
    assert repeat.token_times_s is not None
    assert repeat.preprocess_s + repeat.encode_s <= repeat.time_to_first_token_s <= repeat.latency_s
    assert repeat.real_time_factor * clip_seconds == pytest.approx(repeat.latency_s)
    assert len(repeat.token_times_s) == repeat.generated_tokens == len(tokens)
    assert list(repeat.token_times_s) == sorted(repeat.token_times_s)
    if repeat.decode_tokens_per_s is not None:
        decode_s = (repeat.generated_tokens - 1) / repeat.decode_tokens_per_s
        assert repeat.time_to_first_token_s + decode_s == pytest.approx(repeat.latency_s)


def test_the_host_clock_starts_at_zero_and_never_goes_back() -> None:
    ticks = HostTicks()
    assert ticks.read() == []
    for _ in range(100):
        ticks.mark()
    times = ticks.read()
    assert times[0] == 0.0
    assert times == sorted(times)
    assert times[-1] > 0


def test_the_stopwatch_of_a_cpu_times_real_work() -> None:
    watch = Stopwatch()
    generation(watch, tokens=3)
    moments = watch.read()
    assert list(moments.begins) == [Phase.PREPROCESS, Phase.ENCODE, Phase.PREFILL, Phase.DECODE]
    assert (
        moments.begins[Phase.PREFILL] < moments.tokens[0] < moments.begins[Phase.DECODE] < moments.tokens[1]
    )


def test_beside_a_devices_clock_the_host_waits_at_three_edges_only() -> None:
    """Before the first phase, at the first token and at the end."""
    ticks, waits, clock = Script(0.0, 0.25, 0.75, 1.0, 1.0, 1.5, 2.0, 3.0), [], iter([10.0, 11.25, 13.5])
    watch = Stopwatch(ticks, HostEdges(lambda: waits.append(ticks._marks), lambda: next(clock)))
    generation(watch, tokens=4)
    assert waits == [0, 4, 8]
    repeat = repeat_of(watch.read(), generated_tokens=4, clip_seconds=10, stopped_early=False)
    assert (repeat.time_to_first_token_s, repeat.host_time_to_first_token_s) == (1.0, 1.25)
    assert (repeat.latency_s, repeat.host_latency_s) == (3.0, 3.5)


def test_on_a_cpu_there_is_no_second_clock() -> None:
    watch = Stopwatch()
    generation(watch, tokens=2)
    repeat = repeat_of(watch.read(), generated_tokens=2, clip_seconds=10, stopped_early=False)
    assert repeat.host_time_to_first_token_s is None
    assert repeat.host_latency_s is None
