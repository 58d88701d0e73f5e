"""Which plots a view has, what they say, and that their specs are Vega-Lite."""

import json
import math

import altair as alt
import pytest

from bench.records.base import Interval
from bench.records.record import Record
from bench.report.plots.build import plots
from bench.report.plots.interface import Plot, Plots
from bench.report.plots.page import as_json, inline
from bench.report.view import view_of
from tests.samples import cards, large
from tests.samples import predictions as derived
from tests.samples import records as sample
from tests.samples.named import RECORDS


def plots_of(record: Record) -> Plots:
    return plots(view_of(record))


def plot(record: Record, name: str) -> Plot:
    return next(one for one in plots_of(record).figures if one.name == name)


def names(record: Record) -> list[str]:
    return [one.name for one in plots_of(record).figures]


def traced_card() -> Record:
    return cards.with_card([large.traced(cards.measured(clip)) for clip in (10.0, 60.0)])


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
        (derived.derived_record(), ["memory", "speed", "heat"]),
        (derived.derived_record(device=sample.CPU, clips=(10.0,)), ["memory", "heat"]),
    ],
    ids=["empty", "unsupported", "card", "traced", "emulated", "derived", "derived CPU"],
)
def test_a_plot_without_data_is_not_there(record: Record, expected: list[str]) -> None:
    assert names(record) == expected


def test_an_emulated_speed_is_not_drawn_and_the_page_says_why() -> None:
    found = plots_of(cards.emulated())
    assert not any("r" in datum or "d" in datum for datum in found.data["cells"])
    assert "another device played the card" in found.notes[0]


def test_a_ceiling_says_that_it_is_none_of_a_forecast() -> None:
    speed = plot(derived.derived_record(), "speed")
    assert "a ceiling, not a forecast" in speed.title
    assert all("at most" in str(datum["rt"]) for datum in plots_of(derived.derived_record()).data["cells"])


def test_budgets_are_named_with_both_units_and_the_card_comes_first() -> None:
    texts = [str(datum["text"]) for datum in plots_of(cards.rtx_4070()).data["budgets"]]
    assert texts == [
        "Memory of the card 11.99 GiB (12.88 GB)",
        "Budget without a desktop 11.57 GiB (12.42 GB)",
        "Budget beside a desktop 10.79 GiB (11.59 GB)",
    ]


def test_a_budget_far_above_is_told_and_not_drawn() -> None:
    whole = cards.with_card([cards.measured()], device=cards.H200, state=None)
    memory = plot(whole, "memory")
    assert "Far above, and so not drawn: Memory of the card 140.40 GiB (150.75 GB)" in memory.summary


def test_without_a_card_the_memory_says_which_figure_it_is() -> None:
    memory = plot(sample.smoke(), "memory")
    assert memory.title == "Memory by clip length"
    assert "not what a card must have" in memory.note


def test_predictions_are_bands_and_never_points_that_ran() -> None:
    cells = plots_of(derived.derived_record()).data["cells"]
    assert all("lo" in datum and "hi" in datum and "m" not in datum for datum in cells)
    assert "Nothing ran" in plot(derived.derived_record(), "memory").note


def test_a_cell_that_ran_and_was_predicted_shows_both() -> None:
    cell = cards.measured()
    envelope = derived.envelope(cell.requested).model_copy(
        update={"device_peak_bytes": Interval(low=10.5 * 2**30, high=11.5 * 2**30)}
    )
    whole = cards.with_card([cell.model_copy(update={"envelope": envelope})])
    (datum,) = plots_of(whole).data["cells"]
    assert (datum["lo"], datum["hi"]) == (10.5, 11.5)
    assert "m" in datum
    assert plot(whole, "memory").note.startswith("Points ran; bands were predicted")


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


def test_many_token_counts_are_thinned_in_lines_and_the_page_says_so() -> None:
    found = plots_of(cards.with_card([cards.measured(10.0, n) for n in large.TOKENS]))
    tokens = [entry.label for entry in found.figures[0].key if "new tokens" in entry.label]
    assert tokens == [f"{n:,} new tokens" for n in (32, 64, 192, 384, 768, 2048)]
    assert found.notes == ("4 more numbers of new tokens are not drawn as lines; the tables have them.",)


def test_words_of_a_record_are_data_and_never_part_of_an_expression() -> None:
    for one in plots_of(sample.hostile()).figures:
        assert "alert" not in json.dumps(one.spec)


def test_json_in_the_page_cannot_end_its_element() -> None:
    nasty = {"x": "</script><!-- & \u2028 \u2029"}
    text = as_json(nasty)
    assert not set("<>&\u2028\u2029") & set(text)
    assert json.loads(text) == nasty


def test_a_number_that_json_has_not_is_refused() -> None:
    with pytest.raises(ValueError, match="JSON"):
        as_json({"x": math.nan})


def test_nothing_to_draw_needs_no_script() -> None:
    page = inline(Plots())
    assert (page.scripts, page.data) == ((), "")
    assert "script-src" not in page.policy
    assert page.policy.startswith("default-src 'none'; ")


def test_a_prediction_among_cells_that_ran_is_a_setting_of_its_own_and_its_ceiling_no_speed() -> None:
    predicted = derived.predicted(sample.requested(60.0))
    whole = cards.with_card([cards.measured(), predicted])
    ran, other = plots_of(whole).data["cells"]
    assert (ran["v"], other["v"]) == (0, 1)
    assert str(other["cell"]).endswith("SDPA, derived, nothing was run")
    assert "r" in ran
    assert "r" not in other
