import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench import shipped
from bench.arithmetic.shapes import shapes_of
from bench.hardware.catalog import cards
from bench.records.enums import Attention, WeightMode
from bench.run.estimate import Correction, Estimate, card_rates, cpu_rates
from bench.suite.cells import Cell, expand
from bench.suite.overrides import override
from bench.suite.suite import Measure, Suite, find_suite
from bench.weights.tiny import tiny_config

SUITE = find_suite("standard")
SMOKE = find_suite("smoke")
CARD = next(card for card in cards() if card.slug == "rtx-4070")
GPU_RATES = card_rates(CARD)
assert GPU_RATES is not None
FOUR_B, EIGHT_B = (
    shapes_of(json.loads(shipped.data("models", f"MOSS-Audio-{size}-Instruct.json").read_bytes()))
    for size in ("4B", "8B")
)
CPU = Estimate(FOUR_B, SUITE.measure, cpu_rates(2, "bfloat16"))
GPU = Estimate(FOUR_B, SUITE.measure, GPU_RATES)
TINY = Estimate(shapes_of(tiny_config()), SMOKE.measure, cpu_rates(1, "float32"))

MEASURED = {
    # attention, clip in seconds: a generation of 16 tokens, one of 8 with every operator observed, one of 16
    # that counts memory; seconds of one core of an AMD EPYC, with the tiny model in float32
    (Attention.SDPA, 1.0): (0.076, 0.098, 0.188),
    (Attention.SDPA, 10.0): (0.100, 0.121, 0.226),
    (Attention.SDPA, 30.0): (0.143, 0.196, 0.253),
    (Attention.SDPA, 100.0): (0.385, 0.511, 0.595),
    (Attention.SDPA, 300.0): (1.245, 1.493, 1.519),
    (Attention.SDPA, 1000.0): (7.993, 7.653, 8.011),
    (Attention.EAGER, 1.0): (0.078, 0.108, 0.195),
    (Attention.EAGER, 10.0): (0.100, 0.127, 0.207),
    (Attention.EAGER, 100.0): (0.942, 1.001, 0.992),
    (Attention.EAGER, 300.0): (6.004, 5.925, 6.432),
}


def cells_of(suite: Suite) -> tuple[Cell, ...]:
    return expand(suite, weight_mode=WeightMode.RANDOM, clip_source_sha256="ab" * 32)


def cell(
    clip_seconds: float, max_tokens: int, attention: Attention = Attention.SDPA, of: Suite = SUITE
) -> Cell:
    point = override(of, clip_seconds=(clip_seconds,), max_tokens=(max_tokens,), attention=(attention,))
    return cells_of(point)[0]


CLIPS = st.lists(st.floats(0.2, 3600), min_size=2, max_size=6, unique=True).map(sorted)
TOKENS = st.lists(st.integers(1, 8192), min_size=2, max_size=6, unique=True).map(sorted)


@pytest.mark.parametrize(("attention", "clip_s"), MEASURED)
def test_what_was_measured_is_promised_within_a_factor_of_one_and_a_half(
    attention: Attention, clip_s: float
) -> None:
    wanted = cell(clip_s, 16, attention, of=SMOKE).requested
    promised = (
        TINY.generation_s(wanted, 16),
        TINY.generation_s(wanted, 8, watched=True),
        TINY.generation_s(wanted, 16, watched=True),
    )
    for promise_s, took_s in zip(promised, MEASURED[attention, clip_s], strict=True):
        assert 1 / 1.5 < promise_s / took_s < 1.5


@given(CLIPS, st.integers(1, 8192))
def test_longer_clips_never_take_less(clips: list[float], tokens: int) -> None:
    times = [CPU.generation_s(cell(clip, tokens).requested, tokens) for clip in clips]
    assert all(short <= long for short, long in pairwise(times))


@given(TOKENS, st.floats(0.2, 3600))
def test_more_tokens_always_take_longer(tokens: list[int], clip: float) -> None:
    times = [GPU.generation_s(cell(clip, count).requested, count) for count in tokens]
    assert all(few < many for few, many in pairwise(times))


@given(st.integers(1, 100))
def test_more_repeats_take_longer(repeats: int) -> None:
    one, other = (
        Estimate(FOUR_B, Measure(repeats=count, max_repeats=count, cell_limit_s=86_400), CPU.rates)
        for count in (repeats, repeats + 1)
    )
    assert one.cell_s(cell(10, 128)) < other.cell_s(cell(10, 128))


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
    assert GPU.run_s(cells_of(more)) > GPU.run_s(cells_of(SUITE))


def test_a_cell_takes_no_longer_than_its_limit() -> None:
    point = cell(1000, 512, Attention.EAGER)
    brief = Estimate(FOUR_B, Measure(cell_limit_s=60), CPU.rates)
    assert CPU.cell_s(point) > brief.cell_s(point) == 60


def test_a_run_is_its_cells_with_a_start_for_each_attention() -> None:
    cells = cells_of(SUITE)
    firsts = [next(one for one in cells if one.requested.attention is each) for each in SUITE.axes.attention]
    alone = sum(map(GPU.cell_s, cells)) + sum(map(GPU.start_s, firsts))
    assert alone < GPU.run_s(cells) < alone + 5


def test_nothing_to_run_takes_no_time() -> None:
    assert CPU.run_s(()) == 0


def test_a_gpu_is_quicker_and_a_larger_model_slower() -> None:
    point = cell(60, 512)
    assert GPU.cell_s(point) < CPU.cell_s(point)
    assert GPU.cell_s(point) < Estimate(EIGHT_B, SUITE.measure, GPU.rates).cell_s(point)


def test_smoke_is_promised_within_a_minute_on_a_cpu() -> None:
    assert TINY.run_s(cells_of(SMOKE)) < 60


def test_a_card_without_rates_in_the_catalog_has_no_estimate() -> None:
    assert card_rates(None) is None
    assert {card.slug for card in cards() if card_rates(card) is None} >= {"rtx-4090-laptop"}


def test_rates_say_whether_runs_have_checked_them() -> None:
    assert cpu_rates(2, "float32").basis == "checked"
    assert (CPU.rates.basis, GPU.rates.basis) == ("dtype", "catalog")


def test_cells_that_ran_correct_the_estimates_of_the_others() -> None:
    correction = Correction()
    assert correction.factor == 1
    correction.add(10, 20)
    correction.add(10, 40)
    assert correction.factor == 3
