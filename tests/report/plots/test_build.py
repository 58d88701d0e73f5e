"""Which plots a view has, and that their specs are Vega-Lite."""

import json

import altair as alt
import pytest

from bench.records.cell import CellResult
from bench.records.enums import Attention
from bench.records.record import Record
from tests.report.plots.shown import names, plots_of, traced_card
from tests.samples import cards, large
from tests.samples import predictions as derived
from tests.samples import records as sample
from tests.samples.named import RECORDS


def unread(clip_seconds: float) -> CellResult:
    """A cell that ran and of whose memory nothing was read."""
    cell = sample.measured(sample.requested(clip_seconds))
    assert cell.summary is not None
    peaks = {name: None for name in type(cell.summary).model_fields if name.endswith("_peak_bytes")}
    return cell.model_copy(update={"summary": cell.summary.model_copy(update=peaks), "memory": None})


OUT = sample.out_of_memory(sample.requested(600.0))
FLASH = cards.on_card(sample.measured(sample.requested(attention=Attention.FLASH_ATTENTION_2)))
UNREAD = unread(10.0)


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
        (sample.all_unsupported(), []),
        (sample.nothing_fits(), ["heat"]),
        (cards.with_card([cards.measured()]), ["latency"]),
        (cards.with_card([large.traced(cards.measured())]), ["latency", "trace"]),
        (cards.with_card([cards.measured(10.0, n) for n in (128, 512)]), ["latency"]),
        (cards.with_card([cards.measured(clip) for clip in (10.0, 60.0)]), ["memory", "speed", "latency"]),
        (cards.with_card([cards.measured(), OUT]), ["memory", "latency", "heat"]),
        (cards.with_card([cards.measured(), FLASH]), ["latency"]),
        (cards.with_card([UNREAD, unread(60.0)]), ["speed", "latency"]),
        (cards.rtx_4070(), ["memory", "speed", "latency", "heat"]),
        (traced_card(), ["memory", "speed", "latency", "trace"]),
        (cards.emulated(), ["memory", "heat"]),
        (derived.derived_record(), ["memory"]),
        (derived.derived_record(device=sample.CPU, clips=(10.0,)), []),
        (derived.derived_record(clips=(10.0,)), []),
    ],
    ids=[
        "empty",
        "unsupported",
        "nothing fits",
        "one cell",
        "one traced cell",
        "one clip length",
        "one token count",
        "one that ran and one that ran out",
        "one cell of each attention",
        "no memory was read",
        "card",
        "traced",
        "emulated",
        "derived",
        "derived CPU",
        "one predicted cell",
    ],
)
def test_a_plot_without_data_is_not_there(record: Record, expected: list[str]) -> None:
    assert names(record) == expected


def test_an_emulated_speed_is_not_drawn_and_the_page_says_why() -> None:
    found = plots_of(cards.emulated())
    assert not any("r" in datum or "d" in datum for datum in found.data["cells"])
    assert "another device emulated the card" in found.notes[0]
