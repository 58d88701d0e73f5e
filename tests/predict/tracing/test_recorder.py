"""What the recorder notes of operators, and what it cannot follow."""

import pytest
import torch

from bench.predict.tracing.interiors import interior_of
from bench.predict.tracing.meta import META, LikeCpu
from bench.predict.tracing.recorder import Recorder, TracingError
from bench.records.enums import Phase

SDPA = interior_of("flash", "cpu")


def test_allocations_and_releases_come_with_their_operator_and_phase() -> None:
    recorder = Recorder(2, SDPA)
    with META, LikeCpu(), recorder:
        recorder.begin(Phase.ENCODE)
        first = torch.zeros(256)
        recorder.begin(Phase.PREFILL)
        second = first + 1
        del first
        recorder.token()
        del second
    found = recorder.recording()
    assert [(kernel.name, kernel.phase) for kernel in found.kernels] == [
        ("aten::zeros", Phase.ENCODE),
        ("aten::add", Phase.PREFILL),
    ]
    assert [(event.kernel, event.size_bytes) for event in found.events] == [(0, 1024), (1, 1024), (1, 0)]
    assert found.tokens == (3,), "what is released after the last token does not count"


def test_a_view_takes_no_memory() -> None:
    recorder = Recorder(1, SDPA)
    with META, LikeCpu(), recorder:
        table = torch.zeros(4, 4)
        rows = table[1:3].transpose(0, 1)
        recorder.token()
    assert rows.shape == (4, 2)
    assert [event.size_bytes for event in recorder.recording().events] == [64]


def test_a_value_that_is_no_flag_cannot_be_read() -> None:
    with META, LikeCpu(), Recorder(1, SDPA), pytest.raises(TracingError, match=r"float32"):
        torch.zeros(1).item()
