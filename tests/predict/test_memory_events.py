"""What the allocator gives and takes back, between marks."""

import subprocess
import sys

import pytest
import torch

from bench.predict.memory_events import MemoryEvents, PhaseMarks
from bench.records.enums import Phase

KIB = 1024


def floats(count: int) -> torch.Tensor:
    return torch.zeros(count, dtype=torch.float32)


def test_a_stretch_knows_its_begin_its_peak_and_its_end() -> None:
    with MemoryEvents() as events:
        kept = floats(KIB)
        events.mark("wide")
        wide = floats(10 * KIB)
        narrow = wide[:1].clone()
        del wide
        events.mark("nothing")
        events.mark("less")
        del kept
    wide_segment, nothing, less = events.segments()
    assert [segment.name for segment in (wide_segment, nothing, less)] == ["wide", "nothing", "less"]
    assert (wide_segment.before, wide_segment.peak, wide_segment.after) == (
        4 * KIB,
        44 * KIB + 4,
        4 * KIB + 4,
    )
    assert (nothing.before, nothing.peak, nothing.after) == (4 * KIB + 4,) * 3
    assert (less.peak, less.after) == (4 * KIB + 4, 4)
    assert narrow.item() == 0


def test_blocks_inside_an_operator_are_seen() -> None:
    """Fused attention has buffers of its own, which it gives back before it returns."""
    query = torch.zeros(1, 2, 100, 64)
    with MemoryEvents() as events:
        events.mark("attention")
        mixed = torch.nn.functional.scaled_dot_product_attention(query, query, query)
        events.mark("over")
    inside, _ = events.segments()
    assert inside.after == mixed.untyped_storage().nbytes()
    assert inside.peak > inside.after + KIB


def test_who_ran_at_a_moment_can_be_told() -> None:
    with MemoryEvents() as events:
        events.mark("sum")
        floats(KIB) + floats(KIB)
    (segment,) = events.segments()
    assert events.operators_at(segment.changes[0].time_ns)[0] == "aten::zeros"
    assert events.operators_at(segment.changes[2].time_ns) == ("aten::add",)


def test_an_observer_marks_the_phases() -> None:
    with MemoryEvents() as events:
        marks = PhaseMarks()
        marks.begin(Phase.ENCODE)
        encoded = floats(KIB)
        marks.begin(Phase.DECODE)
        marks.token()
        marks.end()
    assert [(segment.name, segment.peak) for segment in events.segments()] == [
        (Phase.ENCODE, 4 * KIB),
        (Phase.DECODE, 4 * KIB),
        ("over", 4 * KIB),
    ]
    assert encoded.shape == (KIB,)


@pytest.mark.parametrize("level", [None, "3"])
def test_the_profiler_says_nothing_and_the_environment_stays(level: str | None) -> None:
    chosen = f"os.environ['KINETO_LOG_LEVEL'] = {level!r}" if level else "pass"
    code = f"""
import os, torch
{chosen}
before = dict(os.environ)
from bench.predict.memory_events import MemoryEvents
for _ in range(2):
    with MemoryEvents():
        torch.zeros(1)
assert dict(os.environ) == before
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (ended.stdout + ended.stderr == "") == (level is None)  # unless somebody wants to hear it
