"""Whether cells are what their suite expects."""

from collections.abc import Sequence

import pytest
from pydantic import JsonValue

from bench.errors import RecordError
from bench.judge.expectations import count, judge_expectations, stated
from bench.records.cell import CellResult, Failed, Skipped, Timeout, Unsupported
from bench.records.expectations import Bound, ExpectationResult, Finding, FoundEnd, FoundValue, Sign
from tests.samples import records as sample
from tests.samples.cards import device_memory

WANT = sample.requested(60, 128)
RAN = sample.measured(WANT)
PRUNED = Skipped(reason="10 s with 128 tokens ran out of memory", cause="pruned")


def judged(cell: CellResult, *expect: JsonValue) -> tuple[Finding, ...]:
    return judge_expectations(sample.record([cell], definition={"expect": list(expect)}))


def not_run(outcome: Failed | Skipped | Timeout | Unsupported) -> CellResult:
    return sample.not_measured(WANT, outcome)


def contended(cell: CellResult) -> CellResult:
    assert RAN.summary is not None
    seen = device_memory(RAN.summary).model_copy(update={"contended": True})
    return cell.model_copy(update={"device_memory": seen})


@pytest.mark.parametrize(
    ("cell", "fits"),
    [
        (RAN, True),
        (sample.measured(WANT, labels=("spilled",)), False),
        (sample.out_of_memory(WANT), False),
        (not_run(PRUNED), False),
        (not_run(Skipped(reason="the run ended", cause="interrupted")), None),
        (not_run(Unsupported(reason="no flash-attn")), None),
        (not_run(Failed(reason="cuDNN error")), None),
        (not_run(Timeout(reason="no token for 300 s", limit_s=300)), None),
    ],
)
def test_whether_it_fits(cell: CellResult, fits: bool | None) -> None:
    yes, no = judged(cell, {"fits": True}, {"fits": False})
    assert yes.found == no.found == FoundEnd(cell.outcome, spilled=cell.summary is not None and fits is False)
    expected = {
        True: (ExpectationResult.MET, ExpectationResult.NOT_MET),
        False: (ExpectationResult.NOT_MET, ExpectationResult.MET),
        None: (ExpectationResult.NOT_JUDGED,) * 2,
    }
    assert (yes.met, no.met) == expected[fits]


def test_out_of_memory_beside_another_program_says_nothing_of_the_card() -> None:
    cell = sample.out_of_memory(WANT)
    record = sample.record([cell], definition={"expect": [{"fits": True}]})
    record = record.model_copy(update={"cells": (contended(cell),)})
    (finding,) = judge_expectations(record)
    assert finding.met is ExpectationResult.NOT_JUDGED
    assert finding.found == FoundEnd(cell.outcome, contended=True)


def test_a_bound_is_on_the_median_and_the_finding_has_both() -> None:
    assert RAN.summary is not None
    assert RAN.summary.decode_tokens_per_s is not None
    median = RAN.summary.decode_tokens_per_s.median
    met, unmet = judged(RAN, {"decode_tokens_per_s": f">= {median:.15f}"}, {"decode_tokens_per_s": "<= 20"})
    assert met.met is ExpectationResult.MET
    assert unmet == Finding(
        RAN.cell_id,
        "decode_tokens_per_s",
        Bound(Sign.AT_MOST, 20.0),
        FoundValue(median),
        ExpectationResult.NOT_MET,
    )


def test_the_labels_of_a_cell_go_with_its_figure() -> None:
    cell = sample.measured(WANT, labels=("throttled",))
    (finding,) = judged(cell, {"process_peak_bytes": "<= 10GiB"})
    assert isinstance(finding.found, FoundValue)
    assert finding.found.labels == ("throttled",)
    assert finding.met is ExpectationResult.NOT_MET


def test_a_figure_that_is_not_there_is_not_judged() -> None:
    (energy,) = judged(RAN, {"energy_j": "<= 5"})
    assert (energy.met, energy.found) == (ExpectationResult.NOT_JUDGED, FoundValue(None))


def test_a_bound_is_not_met_by_a_cell_that_does_not_fit_unless_it_is_expected_not_to() -> None:
    bound: JsonValue = {"decode_tokens_per_s": ">= 20"}
    (speed,) = judged(sample.out_of_memory(WANT), bound)
    assert speed.met is ExpectationResult.NOT_MET
    assert isinstance(speed.found, FoundEnd)
    both = judged(sample.out_of_memory(WANT), {"fits": False}, bound)
    assert [finding.met for finding in both] == [ExpectationResult.MET, ExpectationResult.NOT_JUDGED]
    (unsupported,) = judged(sample.not_measured(WANT, Unsupported(reason="no kernels")), bound)
    assert unsupported.met is ExpectationResult.NOT_JUDGED


def test_an_expectation_is_about_the_cells_that_it_chooses() -> None:
    record = sample.standard()
    expect: Sequence[JsonValue] = [{"fits": True, "clip_seconds": [10, 30], "attention": ["sdpa"]}]
    findings = judge_expectations(sample.record(record.cells, definition={"expect": list(expect)}))
    assert count(findings) == {
        ExpectationResult.MET: 8,
        ExpectationResult.NOT_MET: 0,
        ExpectationResult.NOT_JUDGED: 0,
    }
    assert judge_expectations(record) == ()


@pytest.mark.parametrize("tables", ["fits", [{"fits": 1}], [{"speed": ">= 1"}], [{}], {"fits": True}, None])
def test_a_record_with_something_else_in_their_place_is_refused(tables: JsonValue) -> None:
    with pytest.raises(RecordError, match="expectations of its suite cannot be read"):
        stated(sample.record([RAN], definition={"expect": tables}))
