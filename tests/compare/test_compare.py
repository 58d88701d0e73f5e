"""What a comparison says of two sides."""

from statistics import median

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bench.compare.compare import compare, compare_pairs
from bench.compare.evidence import samples
from bench.compare.gates import parse_gate
from bench.compare.sides import side_of
from bench.errors import UsageError
from bench.records.comparison import Against, Change, Comparison, Unit, Word
from bench.records.comparison_reasons import PairsLeftOut, TooFewRepeats, WithinAssumedSpread
from bench.records.record import CellResult, Record
from tests.samples import records as sample
from tests.samples.comparisons import STEADY, cell, record, requests

RATE = "decode_tokens_per_s"


def against(base: list[Record], new: list[Record], *gates: str) -> Against:
    made = compare(side_of("base", base), [side_of("new", new)], [parse_gate(gate) for gate in gates])
    assert Comparison.model_validate_json(made.model_dump_json()) == made
    return made.against[0]


def one(base: CellResult, new: CellResult, *gates: str) -> Against:
    return against([record(base)], [record(new, number=1)], *gates)


def change(found: Against, metric: str = RATE) -> Change:
    return found.cells[0].metrics[metric]


def test_the_change_is_that_of_the_medians_with_an_interval_around_it() -> None:
    base, new = cell(), cell(slow=1.25)
    told = change(one(base, new))
    assert told.change == pytest.approx(median(samples(new, RATE)) / median(samples(base, RATE)) - 1)
    assert told.interval is not None
    assert told.change is not None
    assert told.interval.low <= told.change <= told.interval.high
    assert (told.n_base, told.n_new, told.unit) == (6, 6, Unit.REPEAT)
    assert (told.verdict, told.better) == (Word.SLOWER, False)


def test_the_words_go_the_way_of_the_metric() -> None:
    found = one(cell(slow=1.25), cell(extra_bytes=1024))
    assert change(found).verdict is Word.FASTER
    assert change(found, "latency_s").verdict is Word.FASTER
    assert change(found, "latency_s").better is True
    assert change(found, "reserved_peak_bytes").verdict is Word.MORE
    assert change(found, "reserved_peak_bytes").better is False
    assert change(found, "generated_tokens").verdict is Word.SAME


def test_two_repeats_of_each_side_cannot_tell() -> None:
    told = change(one(cell(factors=STEADY[:2]), cell(slow=2, factors=STEADY[:2])))
    assert (told.verdict, told.interval) == (Word.CANNOT_TELL, None)
    assert told.note_code == TooFewRepeats(least=3)


def test_two_repeats_in_each_of_four_cells_cannot_tell_either() -> None:
    wants = requests(4)
    base, new = (
        record(*(cell(want, slow=slow, factors=STEADY[:2]) for want in wants), number=n)
        for n, slow in enumerate((1.0, 2.0))
    )
    assert against([base], [new]).overall[RATE].verdict is Word.CANNOT_TELL


def test_one_process_of_each_cannot_tell_what_fresh_processes_may_differ_by() -> None:
    told = change(one(cell(), cell(slow=1.04)))
    assert (told.p, told.process_spread) == (None, 0.07)
    assert told.verdict is Word.CANNOT_TELL
    assert told.note_code == WithinAssumedSpread(spread=0.07)
    assert told.interval is not None
    assert told.interval.low < -0.09 < 0.02 < told.interval.high


@pytest.mark.parametrize(
    ("slow", "verdict"), [(1.1, Word.CANNOT_TELL), (1.14, Word.CANNOT_TELL), (1.16, Word.SLOWER)]
)
def test_one_process_of_each_tells_what_is_more_than_twice_that(slow: float, verdict: Word) -> None:
    assert change(one(cell(), cell(slow=slow)), "latency_s").verdict is verdict


def test_repeats_that_overlap_tell_no_change_of_single_processes() -> None:
    wide = (1.0, 1.01, 0.99, 1.0, 1.4)
    told = change(one(cell(factors=wide), cell(slow=1.2, factors=wide)), "latency_s")
    assert told.verdict is Word.CANNOT_TELL


def test_one_cell_at_half_speed_is_not_the_same_within_noise() -> None:
    wants = requests(4)
    base = record(*(cell(want, factors=STEADY[:3]) for want in wants))
    cells = [cell(want, slow=2.0 if n == 1 else 1.0, factors=STEADY[:3]) for n, want in enumerate(wants)]
    found = against([base], [record(*cells, number=1)])
    assert [c.metrics[RATE].verdict for c in found.cells].count(Word.SLOWER) == 1
    assert found.overall[RATE].verdict in {Word.SLOWER, Word.CANNOT_TELL}


def test_scattered_repeats_are_the_same_within_noise() -> None:
    wide = (1.0, 1.2, 0.8, 1.1, 0.9, 1.3)
    assert change(one(cell(factors=wide), cell(slow=1.05, factors=wide))).verdict is Word.SAME_WITHIN_NOISE


def test_several_records_of_a_build_are_compared_process_by_process() -> None:
    base = [record(cell(slow=slow), number=n) for n, slow in enumerate((1.0, 1.01, 0.99, 1.005))]
    new = [record(cell(slow=1.03 * slow), number=9 + n) for n, slow in enumerate((1.0, 1.01, 0.995, 1.005))]
    told = change(against(base, new))
    assert (told.unit, told.n_base, told.n_new) == (Unit.PROCESS, 4, 4)
    assert told.p == pytest.approx(0.0571, abs=0.001) or told.p == pytest.approx(2 / 70)


def test_three_records_of_the_base_tell_its_spread_to_a_single_new_one() -> None:
    steady = [record(cell(slow=slow), number=n) for n, slow in enumerate((1.0, 1.004, 0.996))]
    assert change(against(steady, [record(cell(slow=1.04), number=9)])).verdict is Word.SLOWER
    loose = [record(cell(slow=slow), number=n) for n, slow in enumerate((1.0, 1.05, 0.95))]
    told = change(against(loose, [record(cell(slow=1.09), number=9)]))
    assert told.noise == pytest.approx(0.05, abs=0.005)
    assert told.process_spread == pytest.approx(4.303 * 0.05 * (4 / 3) ** 0.5, rel=0.02)
    assert told.verdict is Word.SAME_WITHIN_NOISE


def test_memory_is_exact_to_the_byte_and_what_is_watched_is_not() -> None:
    found = one(cell(), cell(extra_bytes=1))
    assert change(found, "allocated_peak_bytes").verdict is Word.MORE
    assert change(found, "process_peak_bytes").verdict is Word.SAME_WITHIN_NOISE


def test_a_metric_that_is_told_once_per_process_cannot_be_told() -> None:
    found = one(cell(sample.requested()), cell(sample.requested()))
    told = change(found, "load_s")
    assert (told.verdict, told.unit, told.p) == (Word.CANNOT_TELL, Unit.ONCE, None)


def test_over_many_cells_the_ratio_is_the_geometric_mean() -> None:
    wants = requests(3)
    base = record(*(cell(want) for want in wants))
    new = record(
        *(cell(want, slow=slow) for want, slow in zip(wants, (1.1, 1.2, 1.3), strict=True)), number=1
    )
    found = against([base], [new])
    ratios = [1 + told.change for c in found.cells if (told := c.metrics[RATE]).change is not None]
    assert found.overall[RATE].change == pytest.approx((ratios[0] * ratios[1] * ratios[2]) ** (1 / 3) - 1)
    assert found.overall[RATE].verdict is Word.SLOWER


def test_cells_of_one_side_are_listed() -> None:
    wants = requests(3)
    found = against(
        [record(cell(wants[0]), cell(wants[1]))], [record(cell(wants[1]), cell(wants[2]), number=1)]
    )
    assert [c.clip_seconds for c in found.only_in_base] == [10.0]
    assert [c.clip_seconds for c in found.only_in_new] == [30.0]
    assert [c.clip_seconds for c in found.cells] == [20.0]


def test_a_cell_that_no_longer_runs_is_a_result_and_one_that_does_now() -> None:
    want = sample.requested()
    assert one(cell(want), sample.out_of_memory(want)).cells[0].result == "no_longer_runs"
    assert one(sample.out_of_memory(want), cell(want)).cells[0].result == "runs_now"
    both = one(sample.out_of_memory(want), sample.out_of_memory(want)).cells[0]
    assert (both.result, both.metrics) == ("ran_in_neither", {})


def test_pairs_cancel_what_both_builds_share() -> None:
    drift = (1.0, 1.3, 0.8, 1.5, 0.9, 1.2, 1.1, 0.7)
    pairs = [
        (record(cell(slow=slow), number=2 * n), record(cell(slow=1.02 * slow), number=2 * n + 1))
        for n, slow in enumerate(drift)
    ]
    found = compare_pairs(pairs, ("a", "b"))
    told = found.against[0].cells[0].metrics[RATE]
    assert (found.method, told.unit, told.n_base) == ("interleaved", Unit.PAIR, 8)
    assert told.p == pytest.approx(2 / 2**8)
    assert told.change == pytest.approx(1 / 1.02 - 1, abs=0.002)
    assert told.verdict is Word.SLOWER
    assert compare_pairs(pairs[:5], ("a", "b")).against[0].cells[0].metrics[RATE].verdict is Word.CANNOT_TELL


def test_a_disturbed_pair_is_left_out_and_a_lost_cell_is_not() -> None:
    want = sample.requested()
    throttled = sample.measured(want, labels=("throttled",))
    pairs = [(record(cell(want), number=n), record(cell(want, slow=1.1), number=n)) for n in range(7)]
    found = compare_pairs([*pairs, (record(cell(want)), record(throttled))], ("a", "b")).against[0].cells[0]
    assert found.metrics[RATE].n_base == 7
    assert found.reason_codes == (PairsLeftOut(left_out=1, pairs=8),)
    lost = (record(cell(want)), record(sample.out_of_memory(want)))
    assert compare_pairs([*pairs, lost], ("a", "b")).against[0].cells[0].result == "no_longer_runs"


def test_a_disturbed_record_of_a_folder_is_left_out_of_its_side() -> None:
    want = sample.requested()
    good = [record(cell(want), number=n) for n in range(3)]
    throttled = record(sample.measured(want, labels=("throttled",)), number=5)
    found = against([*good, throttled], [record(cell(want, slow=1.2), number=9)])
    assert found.cells[0].result == "compared"
    assert found.cells[0].metrics[RATE].n_base == 18  # six repeats of each


def test_no_pair_is_no_comparison() -> None:
    with pytest.raises(UsageError, match="no pair"):
        compare_pairs([], ("a", "b"))


def test_records_of_another_build_are_left_out_of_a_side() -> None:
    older = sample.environment().model_copy(update={"torch": "2.9.1"})
    records = [
        record(cell(), number=1, environment=older),
        record(cell(), number=2),
        record(cell(), number=3),
    ]
    side = side_of("main", records)
    assert ([one.record_id[-1] for one in side.records], side.left_out) == (["2", "3"], 1)


def test_the_base_of_a_folder_is_what_is_most_alike() -> None:
    cpu = record(cell(), number=5, device=sample.CPU)
    card = record(cell(), number=1)
    assert side_of("main", [cpu, card], like=record(cell(), number=9)).newest == card
    assert side_of("main", [cpu, card]).newest == cpu


@settings(max_examples=25, deadline=None)
@given(st.floats(0.5, 2), st.floats(0.5, 2))
@example(0.921875, 0.9921875)  # up by more than fresh processes may differ by, down by less
def test_the_other_way_round_is_the_other_way_round(first: float, second: float) -> None:
    there = change(one(cell(slow=first), cell(slow=second)), "latency_s")
    back = change(one(cell(slow=second), cell(slow=first)), "latency_s")
    assert there.change is not None
    assert back.change is not None
    assert (1 + there.change) * (1 + back.change) == pytest.approx(1)
    assert there.p == back.p
    assert (there.better, back.better) in {(True, False), (False, True), (None, None)}
