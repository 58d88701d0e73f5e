"""Several records of one model on one card become one document."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.records.caveats import RecordsElsewhere
from bench.records.check import Check, CheckFigure, CheckRow
from bench.records.enums import Attention, Fit, Provenance, Verdict, WeightMode
from bench.records.record import Record
from bench.report.view import view_of
from tests.samples import cards
from tests.samples import predictions as derived
from tests.samples import records as sample
from tests.samples.reruns import MACHINES, labelled, lean, merged, only_row, rerun, small, with_rate

CELL = sample.measured(sample.requested())


def at(rate: float, nth: int, machine: str | None = None, *labels: str) -> Record:
    """A record of one cell with this decode speed."""
    cell = labelled(with_rate(CELL, rate), *labels)
    return rerun(small([cell]), nth, machine=machine)


def figure_of(row: CheckRow, metric: str) -> CheckFigure:
    found = row.figure(metric)
    assert found is not None
    return found


def rate(check: Check) -> CheckFigure:
    """The decode speed of the only cell."""
    (row,) = check.rows
    return figure_of(row, "decode_tokens_per_s")


def test_a_median_with_its_spread_never_the_best() -> None:
    figure = rate(merged(*(at(speed, n, MACHINES[n]) for n, speed in enumerate((40.0, 41.0, 45.0)))))
    assert (figure.value, figure.low, figure.high) == (41.0, 40.0, 45.0)
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


def test_a_copy_of_a_record_counts_once() -> None:
    first, second = at(40.0, 1, MACHINES[0]), at(44.0, 2, MACHINES[1])
    assert merged(first, second, first, first) == merged(first, second)


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


def test_ran_on_two_and_not_on_one_is_too_close_to_call_with_the_tally() -> None:
    out = rerun(small([sample.out_of_memory(CELL.requested)]), 3, machine=MACHINES[2])
    check = merged(at(40.0, 1, MACHINES[0]), at(41.0, 2, MACHINES[1]), out)
    (row,) = check.rows
    assert row.fit is Fit.TOO_CLOSE_TO_CALL
    assert row.statuses == {"measured": 2, "out_of_memory": 1}
    assert "fit" in row.disagrees
    assert check.verdict is Verdict.TOO_CLOSE_TO_CALL
    assert "ran in 2 records and ran out of memory in 1 record" in check.why
    (line,) = check.frontier
    assert (line.longest_fit_s, line.smallest_misfit_s, line.disagrees) == (None, None, True)


def test_the_sentence_says_what_it_rests_on() -> None:
    check = merged(at(40.0, 1, MACHINES[0]), at(41.0, 2, MACHINES[1]), at(42.0, 3, MACHINES[1]))
    assert check.verdict is Verdict.RUNS
    assert check.why.startswith("Measured in 3 records on 2 machines: the longest clip that ran is 10 s with")
    assert "40.8 tok/s" in check.why  # of 40 and the 41.5 of the second machine


def test_what_ran_decides_and_a_prediction_stands_beside_it() -> None:
    plan = derived.derived_record()
    want = plan.cells[0].requested
    ran = rerun(small([sample.measured(want)]), 1, machine=MACHINES[0])
    ran = rerun(ran.model_copy(update={"model": plan.model, "device": plan.device}), 1, machine=MACHINES[0])
    ran = rerun(
        ran.model_copy(
            update={"cells": (ran.cells[0].model_copy(update={"cell_id": plan.cells[0].cell_id}),)}
        ),
        1,
        machine=MACHINES[0],
    )
    check = merged(plan, ran)
    assert (check.provenance, check.verdict) == (Provenance.MEASURED, Verdict.RUNS)
    (row,) = [row for row in check.rows if row.provenance is Provenance.MEASURED]
    assert row.envelope is not None
    assert figure_of(row, "latency_s").records == 1
    assert len(check.rows) == len(plan.cells)
    assert {line.provenance for line in check.frontier} == {Provenance.MEASURED, Provenance.DERIVED}


def test_a_smoke_run_never_decides() -> None:
    check = merged(rerun(sample.smoke(), 1), rerun(sample.smoke(), 2))
    assert check.verdict is Verdict.UNKNOWN
    assert "says nothing about whether the real model runs" in check.why


def test_records_that_computed_elsewhere_count_in_no_figure() -> None:
    seen = sample.effective(CELL.requested, sample.CPU)
    elsewhere = rerun(small([CELL.model_copy(update={"effective": seen})]), 5, machine=MACHINES[1])
    check = merged(at(40.0, 1, MACHINES[0]), elsewhere)
    assert rate(check).records == 1
    assert check.verdict is Verdict.RUNS
    assert RecordsElsewhere(count=1, records=2) in check.caveat_codes


def test_machines_are_numbered_and_their_keys_never_shown() -> None:
    check = merged(at(40.0, 1, MACHINES[1]), at(41.0, 2, MACHINES[0]), at(42.0, 3, MACHINES[1]), at(43.0, 4))
    assert [record.machine for record in check.records] == [1, 2, 1, None]
    assert not any(key in check.model_dump_json() for key in MACHINES)


def test_each_set_of_software_with_the_number_of_its_records() -> None:
    newer = sample.environment().model_copy(update={"torch": "2.14.0"})
    other = rerun(small().model_copy(update={"environment": newer}), 3, machine=MACHINES[0])
    check = merged(at(40.0, 1), at(41.0, 2), other)
    assert [(seen.torch, seen.records) for seen in check.environment] == [("2.13.0+cu130", 2), ("2.14.0", 1)]


def test_a_named_shape_has_one_entry_per_attention_not_the_best_of_them() -> None:
    wants = [sample.requested(10.0, 128, kind) for kind in (Attention.SDPA, Attention.EAGER)]
    record = small([sample.measured(want) for want in wants])
    check = merged(rerun(record, 1, machine=MACHINES[0]), rerun(record, 2, machine=MACHINES[1]))
    assert [one.point.attention for one in check.speed["10/128"]] == [Attention.EAGER, Attention.SDPA]


ALONE = (
    sample.smoke(),
    sample.standard(),
    sample.standard(WeightMode.RANDOM),
    sample.all_unsupported(),
    sample.nothing_fits(),
    sample.interrupted(),
    sample.hostile(),
    sample.record([]),
    cards.rtx_4070(),
    cards.emulated(),
    derived.derived_record(),
)


@pytest.mark.parametrize("record", ALONE)
def test_one_record_merged_alone_is_its_own_document(record: Record) -> None:
    assert merged(record) == merged(record, record) == view_of(record).check


RATES = st.floats(10, 100)
POOL = st.lists(
    st.tuples(RATES, st.sampled_from([*MACHINES, None]), st.sampled_from(["", "noisy", "throttled"])),
    min_size=1,
    max_size=5,
)


@settings(max_examples=25, deadline=None)
@given(POOL, st.randoms(use_true_random=False))
def test_the_order_of_the_records_changes_nothing(
    pool: list[tuple[float, str | None, str]], dice: random.Random
) -> None:
    records = [
        at(speed, n, machine, *filter(None, [label])) for n, (speed, machine, label) in enumerate(pool)
    ]
    if len(records) > 2:
        records[0] = rerun(small([sample.out_of_memory(CELL.requested)]), 0, machine=pool[0][1])
    first = merged(*records)
    dice.shuffle(records)
    assert merged(*records) == first
    assert merged(*records, *records) == first


@settings(max_examples=25, deadline=None)
@given(POOL)
def test_a_median_lies_within_its_spread(pool: list[tuple[float, str | None, str]]) -> None:
    figure = rate(merged(*(at(speed, n, machine) for n, (speed, machine, _) in enumerate(pool))))
    assert figure.value is not None
    assert figure.low is not None
    assert figure.high is not None
    assert figure.low <= figure.value <= figure.high
    assert figure.records == len(pool)


def test_predictions_for_two_profiles_are_told_one_by_one_and_none_is_the_best() -> None:
    plan = derived.derived_record(with_longest_clips=False)
    faithful, economical = merged(plan).why, merged(lean(plan, 2)).why
    check = merged(plan, lean(plan, 2))
    first, _, second = check.why.partition(" Profile faithful: ")
    assert first == "Predicted in 2 records. Profile lean: " + economical.removeprefix(
        "Derived, not measured: "
    )
    assert second == faithful.removeprefix("Derived, not measured: ")
    assert check.verdict is Verdict.RUNS  # as the leaner of both says: one that fits can be chosen
    assert "best" not in check.why


def test_of_predictions_for_the_same_settings_the_newest_tells() -> None:
    old, new = rerun(derived.derived_record(clips=(600.0,)), 1), rerun(derived.derived_record(), 2)
    check = merged(new, old)
    assert check.why == f"Predicted in 2 records. The newest of them: {merged(new).why}"
    assert check.verdict is merged(new).verdict
