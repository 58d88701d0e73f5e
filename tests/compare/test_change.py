"""What one change is called, and what limits that."""

from statistics import median

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bench.compare.compare import compare_pairs
from bench.compare.evidence import samples
from bench.records.comparison import Change, ChangeVerdict, SideComparison, Unit
from bench.records.comparison_reasons import (
    BeyondAssumedSpread,
    DriftNotTested,
    TooFewRepeats,
    TooFewRuns,
    WithinMeasuredSpread,
    WithinSegmentOrder,
)
from bench.records.enums import Provenance
from bench.records.record import DeviceInfo
from tests.samples import records as sample
from tests.samples.comparisons import STEADY, against, against_one, cell, record

RATE = "decode_tokens_per_s"
MIB = 2**20


def change(found: SideComparison, metric: str = RATE) -> Change:
    return found.cells[0].metrics[metric]


def test_the_change_is_that_of_the_medians_with_an_interval_around_it() -> None:
    base, new = cell(), cell(slow=2.5)
    found = change(against_one(base, new))
    assert found.change == pytest.approx(median(samples(new, RATE)) / median(samples(base, RATE)) - 1)
    assert found.interval is not None
    assert found.change is not None
    assert found.interval.low <= found.change <= found.interval.high
    assert (found.n_base, found.n_new, found.unit) == (6, 6, Unit.REPEAT)
    assert (found.verdict, found.better) == (ChangeVerdict.SLOWER, False)


def test_the_words_go_the_way_of_the_metric() -> None:
    found = against_one(cell(slow=2.5), cell(extra_bytes=25 * MIB))
    assert change(found).verdict is ChangeVerdict.FASTER
    assert change(found, "latency_s").verdict is ChangeVerdict.FASTER
    assert change(found, "latency_s").better is True
    assert change(found, "reserved_peak_bytes").verdict is ChangeVerdict.MORE
    assert change(found, "reserved_peak_bytes").better is False
    assert change(found, "generated_tokens").verdict is ChangeVerdict.SAME


@pytest.mark.parametrize("extra_bytes", [1, 24 * MIB, -24 * MIB])
def test_reserved_memory_of_equal_builds_differs_by_up_to_24_mib(extra_bytes: int) -> None:
    found = against_one(cell(), cell(extra_bytes=extra_bytes))
    for one in (change(found, "reserved_peak_bytes"), found.overall["reserved_peak_bytes"]):
        assert (one.verdict, one.better) == (ChangeVerdict.SAME_WITHIN_NOISE, None)
        assert one.note_code == WithinSegmentOrder(threshold_bytes=24 * MIB)
    same = change(against_one(cell(), cell()), "reserved_peak_bytes")
    assert (same.verdict, same.note) == (ChangeVerdict.SAME, "")


@pytest.mark.parametrize(("count", "kind"), [(3, "range"), (4, "range"), (5, "bootstrap_95")])
def test_below_five_repeats_the_interval_is_a_range(count: int, kind: str) -> None:
    base, new = cell(factors=STEADY[:count]), cell(slow=2.5, factors=STEADY[:count])
    found = against_one(base, new)
    for one in (change(found), found.overall[RATE]):
        assert (one.interval_kind, one.interval_n) == (kind, count)
        assert one.interval is not None
        assert one.process_spread is not None
        if kind == "range":
            olds, news = samples(base, RATE), samples(new, RATE)
            widest = max(news) / min(olds) * (1 + one.process_spread) - 1
            assert one.interval.high == pytest.approx(widest)


def test_the_range_of_pairs_that_are_too_few_shows_nothing() -> None:
    pairs = [(record(cell(), number=n), record(cell(slow=2.5), number=50 + n)) for n in range(3)]
    found = compare_pairs(pairs, ("a", "b")).against[0].overall[RATE]
    assert (found.interval_kind, found.interval_n, found.verdict) == ("range", 3, ChangeVerdict.CANNOT_TELL)
    assert found.interval is not None
    assert found.interval.high < 0


def test_the_p_of_processes_says_that_it_leaves_out_drift() -> None:
    olds = [record(cell(slow=1 + n / 100), number=n) for n in range(4)]
    news = [record(cell(slow=1.3 + n / 100), number=50 + n) for n in range(4)]
    found = against(olds, news).overall[RATE]
    assert (found.interval_kind, found.interval_n) == ("rank_95", 4)
    assert found.p is not None
    assert found.note_code == DriftNotTested()


def test_two_repeats_of_each_side_cannot_tell() -> None:
    found = change(against_one(cell(factors=STEADY[:2]), cell(slow=2, factors=STEADY[:2])))
    assert (found.verdict, found.interval) == (ChangeVerdict.CANNOT_TELL, None)
    assert found.note_code == TooFewRepeats(least=3)


def test_one_process_of_each_cannot_tell_what_fresh_processes_may_differ_by() -> None:
    base, new = (record(cell(slow=slow), number=n, device=sample.CPU) for n, slow in enumerate((1.0, 1.04)))
    found = change(against([base], [new]))
    assert (found.p, found.process_spread) == (None, 1.0)
    assert found.verdict is ChangeVerdict.CANNOT_TELL
    assert found.note_code == TooFewRuns(base=1, new=1, factor=2.0)
    assert found.interval is not None
    assert found.interval.low < -0.5 < 0.9 < found.interval.high


@pytest.mark.parametrize("slow", [0.1, 1.3, 10.0])
def test_two_single_smoke_runs_are_neither_faster_nor_slower(slow: float) -> None:
    base, new = (
        record(cell(slow=factor), number=n, device=sample.CPU, provenance=Provenance.SMOKE)
        for n, factor in enumerate((1.0, slow))
    )
    found = against([base], [new])
    for metric in (RATE, "latency_s", "time_to_first_token_s", "real_time_factor"):
        one = change(found, metric)
        assert (one.verdict, one.interval, one.better) == (ChangeVerdict.CANNOT_TELL, None, None)
        assert one.note_code == TooFewRuns(base=1, new=1, factor=None)
    assert change(found, "allocated_peak_bytes").verdict is ChangeVerdict.SAME


@pytest.mark.parametrize("kind", [sample.CPU, sample.RTX_4070])
def test_no_factor_is_assumed_for_milliseconds_of_preprocessing(kind: DeviceInfo) -> None:
    slow = cell(slow=10)
    found = against([record(cell(), device=kind)], [record(slow, number=1, device=kind)])
    assert change(found, "latency_s").verdict is ChangeVerdict.SLOWER
    assert change(found, "preprocess_s").verdict is ChangeVerdict.CANNOT_TELL


@pytest.mark.parametrize(
    ("device", "slow", "verdict"),
    [
        (sample.CPU, 1.0, ChangeVerdict.CANNOT_TELL),
        (sample.CPU, 1.85, ChangeVerdict.CANNOT_TELL),
        (sample.CPU, 1.98, ChangeVerdict.CANNOT_TELL),
        (sample.CPU, 2.05, ChangeVerdict.SLOWER),
        (sample.RTX_4070, 1.33, ChangeVerdict.CANNOT_TELL),
        (sample.RTX_4070, 1.37, ChangeVerdict.SLOWER),
    ],
)
def test_steady_repeats_of_one_process_each_tell_nothing_that_runs_may_differ_by(
    device: DeviceInfo, slow: float, verdict: ChangeVerdict
) -> None:
    base, new = record(cell(), device=device), record(cell(slow=slow), number=1, device=device)
    found = change(against([base], [new]), "latency_s")
    assert found.verdict is verdict
    if verdict is ChangeVerdict.SLOWER:
        assert isinstance(found.note_code, BeyondAssumedSpread)


def test_a_card_against_a_cpu_has_the_wider_of_both_margins() -> None:
    found = against([record(cell(), device=sample.CPU)], [record(cell(slow=0.7), number=1)])
    assert change(found).process_spread == 1.0


def test_scattered_repeats_tell_less() -> None:
    wide = (1.0, 1.8, 0.4, 1.5, 0.5, 2.4)
    found = change(against_one(cell(factors=wide), cell(slow=2.5, factors=wide)), "latency_s")
    assert found.verdict is ChangeVerdict.CANNOT_TELL


def test_several_records_of_a_build_are_compared_process_by_process() -> None:
    base = [record(cell(slow=slow), number=n) for n, slow in enumerate((1.0, 1.01, 0.99, 1.005))]
    new = [record(cell(slow=1.03 * slow), number=9 + n) for n, slow in enumerate((1.0, 1.01, 0.995, 1.005))]
    found = change(against(base, new))
    assert (found.unit, found.n_base, found.n_new) == (Unit.PROCESS, 4, 4)
    assert found.p == pytest.approx(0.0571, abs=0.001) or found.p == pytest.approx(2 / 70)


def test_three_records_of_the_base_tell_its_spread_to_a_single_new_one() -> None:
    steady = [record(cell(slow=slow), number=n) for n, slow in enumerate((1.0, 1.004, 0.996))]
    assert change(against(steady, [record(cell(slow=1.04), number=9)])).verdict is ChangeVerdict.SLOWER
    loose = [record(cell(slow=slow), number=n) for n, slow in enumerate((1.0, 1.05, 0.95))]
    found = change(against(loose, [record(cell(slow=1.09), number=9)]))
    assert found.noise == pytest.approx(0.05, abs=0.005)
    assert found.process_spread == pytest.approx(4.303 * 0.05 * (4 / 3) ** 0.5, rel=0.02)
    assert isinstance(found.note_code, WithinMeasuredSpread)
    assert found.verdict is ChangeVerdict.SAME_WITHIN_NOISE


def test_memory_is_exact_to_the_byte_and_what_is_watched_is_not() -> None:
    found = against_one(cell(), cell(extra_bytes=1))
    assert change(found, "allocated_peak_bytes").verdict is ChangeVerdict.MORE
    assert change(found, "process_peak_bytes").verdict is ChangeVerdict.SAME_WITHIN_NOISE


def test_one_value_of_each_process_decides_nothing() -> None:
    found = change(against_one(cell(sample.requested()), cell(sample.requested())), "load_s")
    assert (found.verdict, found.unit, found.p) == (ChangeVerdict.CANNOT_TELL, Unit.ONCE, None)


def test_pairs_cancel_what_both_builds_share() -> None:
    drift = (1.0, 1.3, 0.8, 1.5, 0.9, 1.2, 1.1, 0.7)
    pairs = [
        (record(cell(slow=slow), number=2 * n), record(cell(slow=1.02 * slow), number=2 * n + 1))
        for n, slow in enumerate(drift)
    ]
    compared = compare_pairs(pairs, ("a", "b"))
    found = compared.against[0].cells[0].metrics[RATE]
    assert (compared.method, found.unit, found.n_base) == ("interleaved", Unit.PAIR, 8)
    assert found.p == pytest.approx(2 / 2**8)
    assert found.change == pytest.approx(1 / 1.02 - 1, abs=0.002)
    assert found.verdict is ChangeVerdict.SLOWER
    assert (
        compare_pairs(pairs[:5], ("a", "b")).against[0].cells[0].metrics[RATE].verdict
        is ChangeVerdict.CANNOT_TELL
    )


@settings(max_examples=25)
@given(st.floats(0.5, 2), st.floats(0.5, 2))
@example(0.921875, 0.9921875)  # up by more than fresh processes may differ by, down by less
def test_the_other_way_round_is_the_other_way_round(first: float, second: float) -> None:
    there = change(against_one(cell(slow=first), cell(slow=second)), "latency_s")
    back = change(against_one(cell(slow=second), cell(slow=first)), "latency_s")
    assert there.change is not None
    assert back.change is not None
    assert (1 + there.change) * (1 + back.change) == pytest.approx(1)
    assert there.p == back.p
    assert (there.better, back.better) in {(True, False), (False, True), (None, None)}
