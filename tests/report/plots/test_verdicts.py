"""What the heat map says of a cell."""

import pytest

from bench.records.record import Record
from bench.report.plots.verdicts import VERDICTS, code_of
from bench.report.view import view_of
from tests.samples import cards
from tests.samples import predictions as derived
from tests.samples import records as sample


def codes(record: Record) -> set[str]:
    return {code_of(row) for row in view_of(record).rows}


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (sample.smoke(), {"ran"}),
        (cards.rtx_4070(), {"runs", "runs_headless", "out_of_memory", "skipped"}),
        (sample.standard(), {"ran", "failed", "timeout", "out_of_memory", "skipped", "unsupported"}),
        (sample.interrupted(), {"ran", "not_run"}),
        (derived.derived_record(), {"fits_headless", "too_close_to_call", "does_not_fit"}),
        (derived.derived_record(device=sample.CPU, clips=(10.0,)), {"predicted"}),
    ],
    ids=["smoke", "card", "standard", "interrupted", "derived", "derived CPU"],
)
def test_the_code_of_a_cell(record: Record, expected: set[str]) -> None:
    assert codes(record) == expected


def test_what_spilled_is_not_said_to_fit() -> None:
    cell = cards.measured()
    assert cell.summary is not None
    spilled = cell.model_copy(update={"summary": cell.summary.model_copy(update={"labels": ("spilled",)})})
    assert codes(cards.with_card([spilled])) == {"spilled"}


def test_no_two_verdicts_that_stand_in_one_plot_look_alike() -> None:
    looks = [(verdict.symbol, verdict.word) for verdict in VERDICTS.values()]
    assert len(looks) == len(set(looks))
    assert all(len(verdict.symbol) == 1 for verdict in VERDICTS.values())
