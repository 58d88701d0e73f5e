"""The table at the end of a run."""

import io

from rich.console import Console

from bench.records.enums import WeightMode
from bench.report.terminal import WIDTH, as_text, brief, plain, summary
from bench.report.view import view_of
from tests.report.test_answer import PLAN, with_lean
from tests.samples import cards
from tests.samples import records as sample
from tests.samples.named import RECORDS


def test_every_line_fits_100_columns() -> None:
    for record in RECORDS.values():
        assert max(map(len, as_text(view_of(record)).splitlines())) <= WIDTH


def test_no_figure_of_the_table_is_cut_short() -> None:
    for record in (sample.standard(), sample.all_measured_48(), cards.rtx_4070(), cards.emulated()):
        assert "…" not in as_text(view_of(record))


def test_plain_text_has_no_escape_codes() -> None:
    assert "\x1b" not in as_text(view_of(sample.hostile()))
    assert "\x1b" not in as_text(view_of(cards.hostile()))


def test_the_card_and_its_work_are_two_lines() -> None:
    lines = " ".join(as_text(view_of(cards.rtx_4070())).split())
    assert "Card: 11.57 GiB without a desktop, 10.79 GiB with one, 11.54 GiB free when the run began" in lines
    assert "J per token, 0.708 to 0.766 of the memory bandwidth in decode" in lines
    assert "not comparable" in lines
    assert "Card:" not in as_text(view_of(sample.smoke()))


def test_figures_reasons_weights_and_verdict_are_there() -> None:
    text = as_text(view_of(sample.standard(WeightMode.RANDOM)))
    for words in (
        "47.4 tok/s",
        "10.49 GiB",
        "random weights",
        "cuDNN error",
        "noisy",
        "Runs: The longest clip",
    ):
        assert words in text


def test_a_whole_unsupported_attention_is_one_line() -> None:
    lines = as_text(view_of(sample.standard())).splitlines()
    (line,) = [line for line in lines if "FlashAttention 2" in line]
    assert "unsupported" in line
    assert "all 24 cells" in line


def test_markup_in_a_record_is_text() -> None:
    record = sample.renamed(sample.record([]), "model", "[bold red]x[/]")
    console = Console(file=io.StringIO(), width=WIDTH, force_terminal=True, record=True)
    console.print(summary(view_of(record)))
    assert "[bold red]x[/]" in console.export_text()


def test_the_details_of_a_prediction_begin_with_its_answer_and_repeat_none_of_it() -> None:
    view = view_of(with_lean(PLAN, 600.0))
    answer, details = plain(brief(view, 80), 80), plain(summary(view, 80), 80)
    assert details.startswith(answer[: answer.index("Add -v")])
    assert "Add -v" not in details
    assert details.count("10 min") == answer.count("10 min")
