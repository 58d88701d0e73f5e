"""Decode steps of one clip after the prefill of another."""

from collections import Counter

import pytest

from bench.moss_audio.configuration import released_config
from bench.predict.peaks import phase_peaks
from bench.predict.tracing.tracer import Tracer
from tests.predict.tracing.samples import FULL_SIZE, levels, prompt_of, setting


@pytest.mark.full_size
def test_decode_steps_are_the_same_behind_any_clip() -> None:
    full_size = Tracer(released_config(FULL_SIZE), setting(kind="cuda"))
    full_size.trace(3000, prompt_of(3000))
    spliced = full_size.trace(27000, prompt_of(27000))
    alone = Tracer(released_config(FULL_SIZE), setting(kind="cuda")).trace(27000, prompt_of(27000))
    answers = [3, 4, 5, 700]
    peaks = [phase_peaks(trace, answers, lambda _: 0) for trace in (spliced, alone)]
    assert peaks[0] == peaks[1]
    assert levels(spliced) == levels(alone)
    assert Counter(spliced.kernels) == Counter(alone.kernels)  # shapes and all: workspace follows from them
