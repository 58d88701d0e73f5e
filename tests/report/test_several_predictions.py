"""A page of several predictions of one card, and one of predictions beside what three machines measured."""

import io

import pandas as pd

from bench.report import csv, html, markdown
from bench.report.details import Details
from bench.report.interface import View
from bench.report.plots.build import plots
from bench.report.plots.verdicts import code_of
from bench.report.view import build_view, view_of
from tests.report.pages import markup
from tests.samples import cards
from tests.samples.merged import MIXED, PLAN, PLANS
from tests.samples.reruns import cheaper, merged, replanned


def parts(view: View) -> list[str]:
    """The page, table by table: the words before each are those of the table before."""
    return markup(html.render(view)).split("<table")


def captioned(view: View, words: str) -> str:
    """The one table with these words in its caption."""
    (found,) = (part for part in parts(view) if words in part.partition("</caption>")[0])
    return found.partition("</table>")[0]


def test_the_heat_map_has_the_verdicts_of_the_single_record() -> None:
    alone = {row.cell_id: code_of(row) for row in view_of(PLAN).rows}
    told = {row.cell_id: code_of(row) for row in PLANS.rows}
    assert {cell: told[cell] for cell in alone} == alone
    assert set(told.values()) == {"runs", "fits_headless", "too_close_to_call", "does_not_fit"}


def test_a_cell_that_ran_on_two_machines_and_not_on_the_third_is_too_close_to_call() -> None:
    codes = {row.shape: code_of(row) for row in MIXED.rows if row.variant.startswith("SDPA")}
    assert codes["60 s × 512"] == "too_close_to_call"
    assert codes["10 s × 512"] == "runs"
    assert codes["300 s × 128"] == "runs_headless"
    assert codes["1200 s × 128"] == "does_not_fit"


def test_memory_is_held_against_the_rooms_of_the_single_record() -> None:
    alone = plots(view_of(PLAN)).data["budgets"]
    assert plots(PLANS).data["budgets"] == alone
    assert len(alone) == 3


def test_memory_that_ran_is_held_against_the_budgets_that_were_measured() -> None:
    texts = [str(datum["text"]) for datum in plots(MIXED).data["budgets"]]
    assert texts == [str(datum["text"]) for datum in plots(view_of(cards.rtx_4070())).data["budgets"]]
    memory = plots(MIXED).figures[0]
    assert memory.note.startswith("Points ran; bands were predicted")
    labels = [entry.label for entry in memory.key]
    assert "SDPA, Linux with torch 2.13, predicted, nothing was run" in labels


def test_what_was_only_predicted_is_not_called_speed() -> None:
    page = markup(html.render(PLANS))
    for words in (
        "Decode speed, first token",
        "Speed and memory",
        "All metrics",
        "What was run",
        "Longest that",
    ):
        assert words not in page
    assert page.count("Whether it fits, and the memory it needs") == 2
    assert "The longest clip" in page


def test_terms_and_ceilings_of_several_plans_are_those_of_each() -> None:
    row, alone = PLANS.rows[0], view_of(PLAN).rows[0]
    assert row.prediction is not None
    assert alone.prediction is not None
    assert row.prediction.terms == alone.prediction.terms
    assert alone.prediction.terms["kv_cache_bytes"] in captioned(PLANS, "Memory term by term")
    assert alone.prediction.ceiling["decode_tokens_per_s"] in captioned(PLANS, "Ceiling (roofline)")
    assert [plot.name for plot in plots(PLANS).figures] == ["memory"]


def test_the_tiles_are_the_card_and_its_rooms() -> None:
    assert PLANS.highlights == view_of(PLAN).highlights


def test_lines_that_ran_and_lines_that_were_predicted_stand_apart() -> None:
    ran, predicted = (
        captioned(MIXED, "Longest clip that fits <"),
        captioned(MIXED, "Longest clip that fits, that likely fits"),
    )
    assert "Smallest that did not fit" in ran
    assert "measured on this device" in ran
    assert "3 machines" in ran
    assert "With a desktop: fits up to" in predicted
    assert "Headless: does not fit from" in predicted
    assert "predicted, nothing was run" in predicted
    assert "measured" not in predicted


def test_a_grid_of_predictions_is_not_stamped_as_measured() -> None:
    grid = captioned(MIXED, "Whether it fits, and the memory")
    assert "does not fit" in grid
    assert "measured" not in grid


def test_the_post_says_the_same() -> None:
    plans, both = markdown.render(PLANS), markdown.render(MIXED)
    for words in ("longest that ran", "smallest that did not fit", "All metrics", "tok/s**"):
        assert words not in plans
    for words in ("headless: fits up to", "with a desktop: does not fit from", "Term by term"):
        assert words in plans
        assert words in both
    assert "longest that ran" in both
    assert "SDPA (3 machines)" in both


def test_a_band_beside_what_ran_is_stamped_as_a_prediction() -> None:
    figure = markup(html.render(MIXED)).partition('id="plot-memory"')[2].partition("</figcaption>")[0]
    assert "measured on this device" in figure
    assert "predicted, nothing was run" in figure
    assert "measured" not in markup(html.render(PLANS)).partition('id="plots"')[2].partition("</section>")[0]


def test_disagreement_stands_before_the_plots() -> None:
    page = markup(html.render(MIXED))
    words = "60 s × 512 (SDPA), whether it fits: ran in 2, out of memory in 1 of 3 records"
    assert page.index(words) < page.index('id="plots"')
    assert words in markdown.render(MIXED)


def test_bars_of_several_records_are_not_called_intervals() -> None:
    speed = next(plot for plot in plots(MIXED).figures if plot.name == "speed")
    assert speed.note == "Medians over the records; the bars go from the least of them to the most."
    assert "95 %" not in markup(html.render(MIXED))


def test_the_table_has_what_was_predicted() -> None:
    table = pd.read_csv(io.StringIO(csv.render(PLANS))).set_index("cell_id")
    alone = pd.read_csv(io.StringIO(csv.render(view_of(PLAN)))).set_index("cell_id")
    for name in ("verdict", "fits_desktop", "device_peak_high_bytes", "activations_peak_bytes"):
        assert (table.loc[alone.index, name] == alone[name]).all()


def test_predictions_that_contradict_each_other_are_too_close_to_call() -> None:
    other = replanned(PLAN, [cheaper(cell, 7 * 2**30) for cell in PLAN.cells], 3)
    view = build_view(merged(PLAN, other), Details())
    row = next(row for row in view.rows if row.shape == "1200 s × 128")
    assert code_of(row) == "too_close_to_call"
    assert row.marks == ("the predictions of 2 records differ",)
    assert row.status.word == "too close to call"


def test_the_number_of_records_is_said_with_the_verdict_and_not_at_tables_of_fewer() -> None:
    page = markup(html.render(PLANS))
    assert page.count("predicted, nothing was run, for Linux with torch 2.13, 2 records") == 1
    assert all("2 records" not in part.partition("</caption>")[0] for part in parts(PLANS)[1:])
    assert markdown.render(PLANS).count("torch 2.13, 2 records") == 1


def test_that_nothing_ran_is_said_by_the_stamp_alone() -> None:
    assert "Predicted from the architecture" not in markup(html.render(PLANS))
    assert "Predicted from the architecture" not in markdown.render(PLANS)
