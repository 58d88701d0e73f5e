"""Pages of predictions for several systems: side by side, and never mixed."""

import io

import pandas as pd

from bench.records.enums import Attention
from bench.records.record import Record
from bench.report import csv, html, markdown
from bench.report.details import Details
from bench.report.interface import View
from bench.report.terminal import as_text
from bench.report.view import build_view, view_of
from tests.judge.test_same_system import with_kernel
from tests.samples import cards
from tests.samples import predictions as derived
from tests.samples.predictions import LINUX, WINDOWS, planned_for
from tests.samples.reruns import cheaper, merged, replanned, rerun

PLAN = derived.derived_record(clips=(10.0, 300.0, 1200.0), tokens=(512,))
ON_LINUX = planned_for(PLAN, LINUX, "flash", 1)
ON_WINDOWS = planned_for(
    replanned(PLAN, [cheaper(cell, -4 * 2**30) for cell in PLAN.cells], 2), WINDOWS, "math", 2
)
NAMES = {"Linux with torch 2.13", "Windows with torch 2.13"}


def together(*records: Record) -> View:
    return build_view(merged(*records), Details())


def test_two_systems_are_two_rows_of_a_cell_and_no_disagreement() -> None:
    view = together(ON_LINUX, ON_WINDOWS)
    assert {grid.title.removeprefix("SDPA, ") for grid in view.grids} == NAMES
    assert [grid.kernels for grid in view.grids] == ["attention kernel: flash", "attention kernel: math"]
    assert view.merged is not None
    assert view.merged.disagreements == ()
    fits = {(row.shape, row.kernel): row.fit and row.fit.value for row in view.rows}
    assert fits["10 s × 512", "flash"] == "fits"
    assert fits["10 s × 512", "math"] == "does_not_fit"
    assert len({row.anchor for row in view.rows}) == len(view.rows)
    assert {name for name in NAMES if f"{name}:" in view.why} == NAMES


def test_the_longest_clips_of_two_systems_stand_in_one_table_with_their_kernels() -> None:
    view = together(ON_LINUX, ON_WINDOWS)
    page, post = html.render(view), markdown.render(view)
    for name, kernel in (("Linux", "flash"), ("Windows", "math")):
        assert (
            f'<th scope="row">SDPA, {name} with torch 2.13<small>1 record</small><td>{kernel}<td>512' in page
        )
        assert f"| SDPA, {name} with torch 2.13 (1 record) | {kernel} | 512 |" in post


def test_a_page_of_one_system_names_it_at_every_table() -> None:
    view = view_of(ON_WINDOWS)
    assert view.stamp == "predicted, nothing was run, for Windows with torch 2.13"
    assert ("System", "Windows with torch 2.13") in [(f.label, f.text) for f in view.derived.how]  # type: ignore[union-attr]
    assert "SDPA: math" in html.render(view)
    assert "attention kernel: math" in markdown.render(view)
    shown = as_text(view)
    assert "for Windows with torch 2.13" in " ".join(shown.split())
    assert "Attention kernel: math." in shown


def test_the_answer_whose_rows_are_of_several_systems_is_stamped_with_none() -> None:
    view = view_of(ON_WINDOWS)
    assert "predicted, nothing was run; 512 new tokens" in markdown.render(view).splitlines()
    _, caption = html.render(view).split('<table class="ways">', 1)
    assert "Windows" not in caption.split("</caption>")[0]


def test_attentions_with_equal_figures_and_other_kernels_are_not_shown_as_one() -> None:
    both = derived.derived_record(attentions=(Attention.SDPA, Attention.FLASH_ATTENTION_2))
    assert "SDPA and FlashAttention 2" in as_text(view_of(planned_for(both, WINDOWS, "flash")))
    math = planned_for(both, WINDOWS, "math")
    flash = planned_for(both, WINDOWS, "flash")
    cells = [
        one if one.requested.attention is Attention.SDPA else other
        for one, other in zip(math.cells, flash.cells, strict=True)
    ]
    shown = " ".join(as_text(view_of(replanned(math, cells, 3))).split())
    assert "SDPA and FlashAttention 2" not in shown
    assert "Attention kernel: math." in shown
    assert "Attention kernel: flash." in shown


def test_the_table_has_the_system_and_the_kernel() -> None:
    table = pd.read_csv(io.StringIO(csv.render(together(ON_LINUX, ON_WINDOWS))), dtype=str)
    assert set(zip(table["planned_os"], table["planned_torch"], table["attention_kernel"], strict=True)) == {
        ("linux", "2.13", "flash"),
        ("windows", "2.13", "math"),
    }


def test_a_run_has_the_prediction_for_its_system_and_the_other_is_a_row_of_its_own() -> None:
    run = cards.with_card([with_kernel(cards.measured(10.0, 512), "flash")])
    check = merged(ON_WINDOWS, ON_LINUX, rerun(run, 3))
    (ran,) = [row for row in check.rows if row.status == "measured"]
    assert ran.envelope == next(row.envelope for row in merged(ON_LINUX).rows if row.cell_id == ran.cell_id)
    assert [row.system for row in check.rows if row.cell_id == ran.cell_id] == [None, WINDOWS]


def test_runs_with_two_kernels_have_no_common_median() -> None:
    cell = cards.measured(10.0, 512)
    one, other = (
        cards.with_card([found]) for found in (with_kernel(cell, "flash"), with_kernel(cell, "math"))
    )
    check = merged(rerun(one, 1), rerun(other, 2))
    assert {(row.attention_kernel, row.variant, row.records) for row in check.rows} == {
        ("flash", ("flash kernel",), 1),
        ("math", ("math kernel",), 1),
    }
    assert {line.attention_kernel for line in check.frontier} == {"flash", "math"}


def test_a_kernel_that_no_card_confirmed_is_called_expected() -> None:
    efficient = view_of(planned_for(PLAN, WINDOWS, "memory_efficient"))
    assert any("is expected from the sources" in caveat for caveat in efficient.caveats)
    assert any("--profile lean" in caveat for caveat in view_of(ON_WINDOWS).caveats)
    for view in (view_of(ON_LINUX), view_of(planned_for(PLAN, LINUX, "memory_efficient"))):
        assert not any("expected" in caveat or "lean" in caveat for caveat in view.caveats)
