"""Which plots a view has, and that their specs are Vega-Lite."""

import json

import altair as alt
import pytest

from bench.records.record import Record
from tests.report.plots.shown import names, plots_of, traced_card
from tests.samples import cards
from tests.samples import predictions as derived
from tests.samples import records as sample
from tests.samples.named import RECORDS


@pytest.mark.parametrize("record", [*RECORDS.values(), traced_card()], ids=[*RECORDS, "traced"])
def test_every_spec_is_vega_lite_and_names_only_data_that_are_there(record: Record) -> None:
    found = plots_of(record)
    for one in found.figures:
        spec = {**one.spec, "datasets": {name: list(rows) for name, rows in found.data.items()}}
        alt.Chart.from_dict(spec, validate=True)
        assert "http" not in json.dumps(one.spec)


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (sample.record([]), []),
        (sample.all_unsupported(), ["heat"]),
        (cards.rtx_4070(), ["memory", "speed", "latency", "heat"]),
        (traced_card(), ["memory", "speed", "latency", "heat", "trace"]),
        (cards.emulated(), ["memory", "heat"]),
        (derived.derived_record(), ["memory"]),
        (derived.derived_record(device=sample.CPU, clips=(10.0,)), ["memory"]),
    ],
    ids=["empty", "unsupported", "card", "traced", "emulated", "derived", "derived CPU"],
)
def test_a_plot_without_data_is_not_there(record: Record, expected: list[str]) -> None:
    assert names(record) == expected


def test_an_emulated_speed_is_not_drawn_and_the_page_says_why() -> None:
    found = plots_of(cards.emulated())
    assert not any("r" in datum or "d" in datum for datum in found.data["cells"])
    assert "another device emulated the card" in found.notes[0]
