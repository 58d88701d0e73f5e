"""Latency of each cell, broken into its phases."""

import json
import math

from bench.report.view import view_of
from tests.report.plots.shown import names, plot, plots_of
from tests.samples import cards
from tests.samples import records as sample


def test_phases_add_up_to_the_latency() -> None:
    for row, datum in zip(
        view_of(cards.rtx_4070()).rows, plots_of(cards.rtx_4070()).data["cells"], strict=True
    ):
        if "p" in datum:
            total = sum(float(str(datum[key])) for key in "pefd")
            assert math.isclose(total, row.figures["latency_s"].value or 0, rel_tol=1e-3)


def test_phases_that_do_not_add_up_are_not_drawn() -> None:
    cell = cards.measured()
    assert cell.summary is not None
    slow = cell.summary.model_copy(update={"encode_s": sample.statistic([9.0, 9.0, 9.0])})
    whole = cards.with_card([cell.model_copy(update={"summary": slow})])
    assert "latency" not in names(whole)


def test_many_bars_are_chosen_by_their_number_of_tokens() -> None:
    few, many = plot(cards.rtx_4070(), "latency"), plot(sample.all_measured_48(), "latency")
    assert few.summary.startswith("Latency of ")
    assert "New tokens" not in json.dumps(few.spec)
    lengths = [float(n) for n in range(10, 50)]
    long = cards.with_card([cards.measured(clip, n) for clip in lengths for n in (128, 256)])
    assert "New tokens" in json.dumps(plot(long, "latency").spec)
    assert many.table == "metrics"
