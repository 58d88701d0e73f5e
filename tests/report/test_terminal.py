"""The table at the end of a run."""

import io

from rich.console import Console

from bench.records.words import WeightMode
from bench.report.terminal import WIDTH, as_text, summary
from bench.report.view import build_view
from tests import sample_records as sample


def test_every_line_fits_100_columns() -> None:
    for record in (sample.standard(), sample.smoke(), sample.hostile(), sample.all_measured_48()):
        assert max(map(len, as_text(build_view(record)).splitlines())) <= WIDTH


def test_plain_text_has_no_escape_codes() -> None:
    assert "\x1b" not in as_text(build_view(sample.hostile()))


def test_figures_reasons_weights_and_verdict_are_there() -> None:
    text = as_text(build_view(sample.standard(WeightMode.RANDOM)))
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
    lines = as_text(build_view(sample.standard())).splitlines()
    (line,) = [line for line in lines if "FlashAttention 2" in line]
    assert "unsupported" in line
    assert "all 24 cells" in line


def test_markup_in_a_record_is_text() -> None:
    record = sample.renamed(sample.record([]), "model", "[bold red]x[/]")
    console = Console(file=io.StringIO(), width=WIDTH, force_terminal=True, record=True)
    console.print(summary(build_view(record)))
    assert "[bold red]x[/]" in console.export_text()
