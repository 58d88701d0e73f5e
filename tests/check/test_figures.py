"""Medians over records and machines, and where they differ by more than noise."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.records.enums import Provenance
from tests.samples.reruns import (
    CELL,
    MACHINES,
    at,
    figure_of,
    merged,
    only_row,
    rate,
    rerun,
    small,
    with_rate,
)


def test_a_median_with_its_spread_never_the_best() -> None:
    figure = rate(merged(*(at(speed, n, MACHINES[n]) for n, speed in enumerate((40.0, 41.0, 45.0)))))
    assert (figure.value, figure.low, figure.high) == (41.0, 40.0, 45.0)
    assert figure.interval_kind == "range"
    assert (figure.provenance, figure.machines, figure.records) == (Provenance.MEASURED, 3, 3)


def test_reruns_on_one_machine_do_not_outvote_another() -> None:
    """Ten records at 50 on one machine, one at 40 on another: halfway, where a plain median says 50."""
    reruns = [at(50.0, n, MACHINES[0]) for n in range(10)]
    figure = rate(merged(*reruns, at(40.0, 20, MACHINES[1])))
    assert (figure.value, figure.machines, figure.records) == (45.0, 2, 11)


def test_records_without_a_machine_are_counted_as_records() -> None:
    figure = rate(merged(at(40.0, 1), at(42.0, 2), at(44.0, 3)))
    assert (figure.value, figure.machines, figure.records) == (42.0, None, 3)
    figure = rate(merged(at(40.0, 1), at(40.0, 2), at(40.0, 3), at(50.0, 4, MACHINES[0])))
    assert (figure.value, figure.machines) == (45.0, None)  # all unknown ones weigh as one machine


@pytest.mark.parametrize("label", ["throttled", "contended", "spilled"])
def test_a_disturbed_record_shifts_no_median_where_clean_ones_exist(label: str) -> None:
    row = only_row(at(40.0, 1, MACHINES[0]), at(41.0, 2, MACHINES[1]), at(20.0, 3, MACHINES[2], label))
    rate = figure_of(row, "decode_tokens_per_s")
    assert (rate.value, rate.machines) == (40.5, 2)
    assert (row.left_out, row.labels, row.records) == (1, {label: 1}, 3)


def test_a_throttled_cell_took_the_memory_that_it_took() -> None:
    row = only_row(at(40.0, 1, MACHINES[0]), at(20.0, 2, MACHINES[1], "throttled"))
    assert figure_of(row, "reserved_peak_bytes").machines == 2
    assert isinstance(figure_of(row, "reserved_peak_bytes").value, int)


def test_where_all_are_disturbed_all_count_and_say_so() -> None:
    row = only_row(at(20.0, 1, MACHINES[0], "throttled"), at(22.0, 2, MACHINES[1], "throttled"))
    assert figure_of(row, "decode_tokens_per_s").value == 21.0
    assert (row.left_out, row.labels) == (0, {"throttled": 2})


def test_noise_is_no_disagreement_and_more_than_noise_is_one() -> None:
    near = only_row(at(40.0, 1, MACHINES[0]), at(41.5, 2, MACHINES[1]))
    assert near.disagrees == ()
    far = only_row(at(40.0, 1, MACHINES[0]), at(50.0, 2, MACHINES[1]))
    assert far.disagrees == ("decode_tokens_per_s",)
    again = only_row(at(40.0, 1, MACHINES[0]), at(50.0, 2, MACHINES[0]))
    assert again.disagrees == ()  # one machine that varies: its spread says so


def test_wide_intervals_explain_a_difference() -> None:
    first = rerun(small([with_rate(CELL, 40.0, 0.2)]), 1, machine=MACHINES[0])
    second = rerun(small([with_rate(CELL, 50.0, 0.2)]), 2, machine=MACHINES[1])
    assert only_row(first, second).disagrees == ()


RATES = st.floats(10, 100)
POOL = st.lists(
    st.tuples(RATES, st.sampled_from([*MACHINES, None]), st.sampled_from(["", "noisy", "throttled"])),
    min_size=1,
    max_size=5,
)


@settings(max_examples=25)
@given(POOL)
def test_a_median_lies_within_its_spread(pool: list[tuple[float, str | None, str]]) -> None:
    figure = rate(merged(*(at(speed, n, machine) for n, (speed, machine, _) in enumerate(pool))))
    assert figure.value is not None
    assert figure.low is not None
    assert figure.high is not None
    assert figure.low <= figure.value <= figure.high
    assert figure.records == len(pool)
