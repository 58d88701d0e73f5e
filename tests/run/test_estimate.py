from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.records.enums import Attention, WeightMode
from bench.run.estimate import cell_s, pace, run_s
from bench.suite.cells import Cell, expand
from bench.suite.overrides import override
from bench.suite.suite import Measure, Suite, find_suite

SUITE = find_suite("standard")
FOUR_B = "MOSS-Audio-4B-Instruct"
CPU = pace("cpu", FOUR_B)
GPU = pace("cuda", FOUR_B)


def cells_of(suite: Suite) -> tuple[Cell, ...]:
    return expand(suite, weight_mode=WeightMode.RANDOM, clip_source_sha256="ab" * 32)


def cell(clip_seconds: float, max_tokens: int) -> Cell:
    point = override(
        SUITE, clip_seconds=(clip_seconds,), max_tokens=(max_tokens,), attention=(Attention.SDPA,)
    )
    return cells_of(point)[0]


CLIPS = st.lists(st.floats(0.2, 3600), min_size=2, max_size=6, unique=True).map(sorted)
TOKENS = st.lists(st.integers(1, 8192), min_size=2, max_size=6, unique=True).map(sorted)


@given(CLIPS, st.integers(1, 8192))
def test_longer_clips_never_take_less(clips: list[float], tokens: int) -> None:
    times = [cell_s(cell(clip, tokens), SUITE.measure, CPU) for clip in clips]
    assert all(short <= long for short, long in pairwise(times))


@given(TOKENS, st.floats(0.2, 3600))
def test_more_tokens_always_take_longer(tokens: list[int], clip: float) -> None:
    times = [cell_s(cell(clip, count), SUITE.measure, GPU) for count in tokens]
    assert all(few < many for few, many in pairwise(times))


@given(st.integers(1, 100))
def test_more_repeats_take_longer(repeats: int) -> None:
    one, other = (Measure(repeats=count, max_repeats=1000) for count in (repeats, repeats + 1))
    assert cell_s(cell(10, 128), one, CPU) < cell_s(cell(10, 128), other, CPU)


@pytest.mark.parametrize(
    "more",
    [
        override(SUITE, clip_seconds=(*SUITE.axes.clip_seconds, 1200.0)),
        override(SUITE, max_tokens=(*SUITE.axes.max_tokens, 2048)),
        override(SUITE, attention=(*SUITE.axes.attention, Attention.EAGER)),
    ],
    ids=["clip", "tokens", "attention"],
)
def test_a_suite_with_one_more_value_takes_longer(more: Suite) -> None:
    assert run_s(cells_of(more), SUITE.measure, GPU) > run_s(cells_of(SUITE), SUITE.measure, GPU)


def test_a_run_is_its_cells_with_a_start_a_load_and_a_cold_call_for_each_attention() -> None:
    cells = cells_of(SUITE)
    alone = sum(cell_s(one, SUITE.measure, GPU) for one in cells)
    groups = len(SUITE.axes.attention)
    around = run_s(cells, SUITE.measure, GPU) - alone
    assert around > groups * (GPU.start_s + 10.4e9 / GPU.load_bytes_per_s) * 0.9
    assert around < groups * (GPU.start_s + 10.4e9 / GPU.load_bytes_per_s) + alone


def test_nothing_to_run_takes_no_time() -> None:
    assert run_s((), SUITE.measure, CPU) == 0


def test_a_gpu_is_quicker_and_a_larger_model_slower() -> None:
    measure, point = SUITE.measure, cell(60, 512)
    assert cell_s(point, measure, GPU) < cell_s(point, measure, CPU)
    assert cell_s(point, measure, GPU) < cell_s(point, measure, pace("cuda", "MOSS-Audio-8B-Instruct"))


def test_smoke_is_promised_within_a_minute_on_a_cpu() -> None:
    smoke = find_suite("smoke")
    assert run_s(cells_of(smoke), smoke.measure, pace("cpu", "tiny")) < 60
