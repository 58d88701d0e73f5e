"""What a plan had predicted, beside the cells that ran."""

import pytest

from bench.records.record import Record
from bench.report.html import render
from bench.report.planned import is_of
from bench.report.plots.build import plots
from bench.report.view import view_of
from bench.store.record_files import seal
from tests.samples import cards
from tests.samples import predictions as derived
from tests.samples import records as sample

PLAN = derived.derived_record(clips=(10.0, 60.0))
RAN = cards.rtx_4070()


def on_another_card(plan: Record) -> Record:
    device = plan.device.model_copy(update={"slug": "rtx-4090"})
    return seal(plan.model_copy(update={"device": device}).model_dump(mode="json"))


def test_the_page_draws_the_predicted_band_and_says_whose_it_is() -> None:
    alone, both = view_of(RAN), view_of(RAN, plan=PLAN)
    assert not any(row.predicted_bytes for row in alone.rows)
    told = {cell.cell_id: cell.envelope for cell in PLAN.cells}
    shared = [row for row in both.rows if row.cell_id in told]
    assert shared
    for row in shared:
        envelope = told[row.cell_id]
        assert envelope is not None
        assert row.predicted_bytes == envelope.device_peak_bytes
    drawn = plots(both).data["cells"]
    assert any("lo" in datum and "m" in datum for datum in drawn)
    assert f"plan {PLAN.record_id}" in render(both)


def test_a_plan_changes_no_figure_and_no_verdict_of_what_ran() -> None:
    alone, both = view_of(RAN), view_of(RAN, plan=PLAN)
    assert both.check == alone.check
    assert (both.verdict, both.why, both.caveats) == (alone.verdict, alone.why, alone.caveats)
    assert [row.figures for row in both.rows] == [row.figures for row in alone.rows]


@pytest.mark.parametrize(
    ("plan", "record", "expected"),
    [
        (PLAN, RAN, True),
        (on_another_card(PLAN), RAN, False),
        (RAN, RAN, False),
        (PLAN, cards.emulated(), False),
        (PLAN, sample.smoke(), False),
        (derived.derived_record(clips=(7.0,)), RAN, False),
    ],
    ids=["of this card", "of another", "no plan", "of a card that was played", "smoke", "of other cells"],
)
def test_which_plan_is_of_which_run(plan: Record, record: Record, *, expected: bool) -> None:
    assert is_of(plan, record) is expected
