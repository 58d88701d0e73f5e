"""Two predictions: what differs is exact, and their intervals keep their meaning."""

import pytest

from bench.records.base import ByteInterval
from bench.records.cell import CellResult
from bench.records.comparison import ChangeVerdict, SideComparison, Unit
from bench.records.comparison_reasons import EndsDisagree, NoCellHasMetric
from bench.records.prediction import PlannedSystem
from bench.records.record import Record
from tests.samples import predictions
from tests.samples import records as sample
from tests.samples.comparisons import against, cell, record

WANT = sample.requested(60.0)
GIB = 2**30


def plan(*cells: CellResult, number: int = 0) -> Record:
    made = predictions.derived_record(cells, with_longest_clips=False)
    return made.model_copy(update={"record_id": f"{number:012x}"})


def sized(allocated: int, reserved: tuple[float, float]) -> CellResult:
    """A predicted cell of these bytes."""
    made = predictions.predicted(WANT)
    assert made.envelope is not None
    ends = ByteInterval(low=round(reserved[0] * GIB), high=round(reserved[1] * GIB))
    changed = {"allocated_peak_bytes": allocated, "reserved_peak_bytes": ends, "device_peak_bytes": ends}
    return made.model_copy(update={"envelope": made.envelope.model_copy(update=changed)})


def compared(old: CellResult, now: CellResult, *gates: str) -> SideComparison:
    return against([plan(old)], [plan(now, number=1)], *gates)


def test_predicted_peaks_are_compared_end_by_end() -> None:
    found = compared(sized(1000, (10, 12)), sized(1001, (11, 12.6)))
    (one,) = found.cells
    assert (one.result, one.base_status, one.new_status) == ("compared", "predicted", "predicted")
    exact, reserved = one.metrics["allocated_peak_bytes"], one.metrics["reserved_peak_bytes"]
    assert exact.change == pytest.approx(0.001)
    assert (exact.interval, exact.unit) == (None, Unit.PREDICTION)
    assert (exact.verdict, exact.better) == (ChangeVerdict.MORE, False)
    assert reserved.base_interval == ByteInterval(low=10 * GIB, high=12 * GIB)
    assert reserved.interval is not None
    assert [reserved.interval.low, reserved.interval.high] == pytest.approx([0.05, 0.1])
    assert found.overall["reserved_peak_bytes"].interval == reserved.interval
    assert set(one.metrics) == {"allocated_peak_bytes", "reserved_peak_bytes", "device_peak_bytes"}


def test_an_interval_that_shrinks_on_both_sides_is_neither_more_nor_less() -> None:
    found = compared(sized(1000, (10, 12)), sized(1000, (10.5, 11))).cells[0].metrics["reserved_peak_bytes"]
    assert (found.verdict, found.note_code) == (ChangeVerdict.CANNOT_TELL, EndsDisagree())
    one_end = compared(sized(1000, (10, 12)), sized(1000, (10, 11))).cells[0].metrics["reserved_peak_bytes"]
    assert (one_end.verdict, one_end.better) == (ChangeVerdict.LESS, True)


@pytest.mark.parametrize(
    ("gate", "decision"),
    [
        ("allocated_peak_bytes:+0%", "fail"),
        ("allocated_peak_bytes:+1%", "pass"),
        ("reserved_peak_bytes:+2%", "fail"),
        ("reserved_peak_bytes:+7%", "undecided"),
        ("device_peak_bytes:+11%", "pass"),
        ("decode_tokens_per_s:-5%", "undecided"),
    ],
)
def test_a_gate_holds_predictions_against_its_limit(gate: str, decision: str) -> None:
    (found,) = compared(sized(1000, (10, 12)), sized(1001, (11, 12.6)), gate).gates
    assert found.decision == decision
    if gate.startswith("decode"):
        assert found.why_code == NoCellHasMetric()


def test_the_same_prediction_is_the_same() -> None:
    found = compared(sized(1000, (10, 12)), sized(1000, (10, 12)), "device_peak_bytes:+0%")
    assert {by.verdict for by in found.overall.values()} == {ChangeVerdict.SAME}
    assert found.gates[0].decision == "pass"


def test_budgets_and_the_frontier_of_two_cards_are_side_by_side() -> None:
    small, large = (
        predictions.derived_record(device=device, clips=(10.0,), tokens=(128,))
        for device in (predictions.RTX_4070, predictions.RTX_5060_TI)
    )
    found = against([small], [large])
    facts = {one.what: (one.base, one.new) for one in found.differences}
    assert facts["memory for one program, headless"] == ("11.39 GiB to 11.79 GiB", "15.33 GiB to 15.73 GiB")
    base, new = facts["longest clip that fits, headless, 128 tokens (SDPA)"]
    assert base is not None
    assert new is not None
    assert float(base.removesuffix(" s")) < float(new.removesuffix(" s"))
    assert found.overall["allocated_peak_bytes"].verdict is ChangeVerdict.SAME


def test_predictions_for_two_systems_name_both() -> None:
    windows = PlannedSystem(os="windows", torch="2.14")
    plans = [
        predictions.derived_record(clips=(10.0,), tokens=(128,), system=each)
        for each in (predictions.LINUX, windows)
    ]
    facts = {one.what: (one.base, one.new) for one in against(plans[:1], plans[1:]).differences}
    assert facts["predicted for"] == ("Linux with torch 2.13", "Windows with torch 2.14")


@pytest.mark.parametrize("is_base", [True, False])
def test_a_prediction_is_never_held_against_a_run(is_base: bool) -> None:
    ran, derived = record(cell(WANT)), plan(predictions.predicted(WANT), number=1)
    base, new = (derived, ran) if is_base else (ran, derived)
    found = against([base], [new], "allocated_peak_bytes:+900%")
    assert found.cells[0].result == "refused"
    assert found.overall == {}
    assert any(reason.startswith("provenance: ") for reason in found.reasons)
    assert found.gates[0].decision == "undecided"
