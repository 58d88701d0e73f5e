"""The dataset that every plot but the memory trace draws from."""

import json

from bench.report.plots.cells import cells, memory_figure
from bench.report.plots.series import series
from bench.report.view import view_of
from tests.report.plots.shown import plots_of
from tests.samples import cards
from tests.samples import records as sample


def test_words_of_a_record_are_data_and_never_part_of_an_expression() -> None:
    for one in plots_of(sample.hostile()).figures:
        assert "alert" not in json.dumps(one.spec)


def test_one_kind_of_memory_for_the_whole_plot() -> None:
    assert memory_figure(view_of(cards.rtx_4070())) == "needed_bytes"
    assert memory_figure(view_of(sample.smoke())) == "resident peak"


def test_what_is_not_available_is_left_out_and_never_0() -> None:
    view = view_of(sample.all_unsupported())
    for datum in cells(view, series(view)):
        assert not {"m", "r", "p", "lo"} & set(datum)
        assert datum["why"]
