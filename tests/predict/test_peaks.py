"""Peaks of hand-made traces, and of random ones against a walk through every step."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.predict.peaks import PhasePeak, phase_peaks
from bench.predict.trace import DecodeStep, Event, Kernel, StepEvent, Trace
from bench.records.enums import Phase
from tests.predict.made_traces import CALL, Made, generations, levels, unrolled


def nothing(kernel: Kernel) -> int:
    return 0


def by_name(kernel: Kernel) -> int:
    """Some workspace for some kernels."""
    return 7 * (sum(map(ord, kernel.name)) % 5)


def two_phases() -> Trace:
    made = Made()
    wide = made.run("wide", Phase.ENCODE, 100)
    gelu = made.run("gelu", Phase.ENCODE, 100)
    made.release(*wide)
    narrow = made.run("narrow", Phase.ENCODE, 10)
    made.release(*gelu)
    made.run("keys", Phase.PREFILL, 30, cache=True)
    logits = made.run("logits", Phase.PREFILL, 50)
    made.release(*narrow, *logits)
    made.token()
    return made.trace()


def test_each_phase_tells_its_highest_moment_and_who_caused_it() -> None:
    peaks = phase_peaks(two_phases(), [1], nothing)[1]
    assert list(peaks) == [Phase.ENCODE, Phase.PREFILL]
    encode, prefill = peaks.values()
    assert (encode.allocated_bytes, encode.cache_bytes, str(encode.kernel)) == (200, 0, "gelu")
    assert (prefill.allocated_bytes, prefill.cache_bytes, str(prefill.kernel)) == (90, 30, "logits")


def test_workspace_is_taken_beside_the_outputs_and_given_back() -> None:
    peaks = phase_peaks(two_phases(), [1], lambda kernel: 150 if kernel.name == "narrow" else 0)[1]
    encode = peaks[Phase.ENCODE]
    assert (encode.allocated_bytes, encode.activations_bytes, encode.workspace_bytes) == (260, 110, 150)
    assert str(encode.kernel) == "narrow"
    assert encode.activations_peak_bytes == 200, "at another point than the highest one"
    assert peaks[Phase.PREFILL].workspace_peak_bytes == 0


def test_workspace_waits_for_the_last_output_of_its_kernel() -> None:
    made = Made()
    made.run("two outputs", Phase.ENCODE, 5, 20)
    made.token()
    peak = phase_peaks(made.trace(), [1], lambda kernel: 3)[1][Phase.ENCODE]
    assert (peak.activations_bytes, peak.workspace_bytes) == (25, 3)


def test_a_kernel_without_shapes_is_not_asked_for_workspace() -> None:
    trace = Trace(1, 1, (Kernel("add", "", Phase.ENCODE),), (Event(0, 0, 8),), (1,), None)
    assert phase_peaks(trace, [1], lambda kernel: 99)[1][Phase.ENCODE].allocated_bytes == 8


def test_a_phase_begins_with_what_is_alive() -> None:
    made = Made()
    features = made.run("features", Phase.ENCODE, 100)
    made.release(*features)
    made.run("left", Phase.ENCODE, 40)
    made.run("keys", Phase.PREFILL, 1)
    made.kernels.append(Kernel("ids", "", Phase.DECODE, CALL))
    made.token()
    made.release(1)
    made.token()
    peaks = phase_peaks(made.trace(), [2], nothing)[2]
    assert peaks[Phase.DECODE].allocated_bytes == 41
    assert peaks[Phase.DECODE].kernel is None


def growing_cache(old_goes: bool = True) -> Trace:
    """One layer: a step makes a cache of 4 bytes more, and only then lets the old one go."""
    made = Made()
    made.run("prompt", Phase.PREFILL, 40, cache=True)
    made.token()
    made.kernels.append(Kernel("cat", "", Phase.DECODE, CALL))
    events = [StepEvent(1, 0, 0, 44, 4, True)] + ([StepEvent(1, 1, 0, 0, 0)] if old_goes else [])
    return made.trace(DecodeStep(1, tuple(events), ((0,),)))


def test_old_and_new_cache_are_there_at_once() -> None:
    peaks = phase_peaks(growing_cache(), [1, 2, 3, 1024], nothing)
    assert Phase.DECODE not in peaks[1]
    assert [peaks[n][Phase.DECODE].allocated_bytes for n in (2, 3, 1024)] == [
        84,
        92,
        40 * 2 + 4 * (2 * 1023 - 1),
    ]
    assert str(peaks[1024][Phase.DECODE].kernel) == "cat"


def test_what_every_step_keeps_adds_up() -> None:
    peaks = phase_peaks(growing_cache(old_goes=False), [1024], nothing)
    assert peaks[1024][Phase.DECODE].allocated_bytes == 40 + sum(40 + 4 * step for step in range(1, 1024))


def test_what_cannot_be_answered_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one token"):
        phase_peaks(growing_cache(), [0], nothing)
    with pytest.raises(ValueError, match="without a decode step"):
        phase_peaks(two_phases(), [2], nothing)


def walked(trace: Trace, tokens: int) -> dict[Phase, tuple[int, int, int, int, str | None, int, int]]:
    """The peaks of a trace that has every step, point after point."""
    found: dict[Phase, list[tuple[int, int, int, str | None]]] = {}
    before = (0, 0)
    events = trace.events[: trace.tokens_at[tokens - 1]]
    for place, (event, cache, other) in enumerate(levels(trace)):
        if place == len(events):
            break
        kernel = trace.kernels[event.kernel]
        follower = events[place + 1] if place + 1 < len(events) else None
        goes_on = follower is not None and follower.size_bytes > 0 and follower.kernel == event.kernel
        taken = by_name(kernel) if event.size_bytes and not goes_on else 0
        points = found.setdefault(kernel.phase, [(*before, 0, None)])
        points.append((cache, other, taken, str(kernel)))
        before = (cache, other)
    return {phase: summary(points) for phase, points in found.items()}


def summary(
    points: list[tuple[int, int, int, str | None]],
) -> tuple[int, int, int, int, str | None, int, int]:
    cache, other, taken, who = max(points, key=lambda point: sum(point[:3]))
    most = max(point[1] for point in points), max(point[2] for point in points)
    return cache + other + taken, cache, other, taken, who, *most


def parts(peak: PhasePeak) -> tuple[int, int, int, int, str | None, int, int]:
    return (
        peak.allocated_bytes,
        peak.cache_bytes,
        peak.activations_bytes,
        peak.workspace_bytes,
        str(peak.kernel) if peak.kernel else None,
        peak.activations_peak_bytes,
        peak.workspace_peak_bytes,
    )


@given(generations(), st.integers(1, 40))
def test_an_answer_of_any_length_equals_the_walk_through_every_step(trace: Trace, tokens: int) -> None:
    found = {phase: parts(peak) for phase, peak in phase_peaks(trace, [tokens], by_name)[tokens].items()}
    assert found == walked(unrolled(trace, tokens), tokens)


@given(generations(), st.integers(1, 2000), st.integers(1, 2000))
def test_more_tokens_never_take_less(trace: Trace, some: int, more: int) -> None:
    fewer, longer = (phase_peaks(trace, [n], by_name)[n] for n in sorted((some, more)))
    for phase, peak in fewer.items():
        assert longer[phase].allocated_bytes >= peak.allocated_bytes
        assert peak.allocated_bytes == peak.cache_bytes + peak.activations_bytes + peak.workspace_bytes
        assert peak.activations_bytes <= peak.activations_peak_bytes
