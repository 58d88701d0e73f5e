"""The pieces of specs that several plots have in common."""

import json

from bench.report.plots.build import plots
from bench.report.plots.cells import cells
from bench.report.plots.marks import ALL, of_variant, variant_choice
from bench.report.plots.series import drawn, series
from bench.report.view import view_of
from tests.samples import cards
from tests.samples import records as sample
from tests.samples.merged import MIXED


def test_settings_can_be_chosen_where_there_are_several() -> None:
    two, one = view_of(sample.all_measured_48()), view_of(cards.with_card([cards.measured()]))
    several = drawn(series(two), cells(two, series(two)))
    single = drawn(series(one), cells(one, series(one)))
    assert (variant_choice(single), of_variant(single)) == ([], "true")
    assert len(variant_choice(several)) == 1
    assert of_variant(several) == f"(variant == {ALL} || datum.v == variant)"


def test_a_map_shows_one_setting_at_a_time_and_lines_show_all_together() -> None:
    found = {one.name: json.dumps(one.spec["params"]) for one in plots(MIXED).figures}
    assert "[-1, 0, 1, 2]" in found["memory"]
    assert "[-1, 0" not in found["heat"]
    assert "[0, 1, 2]" in found["heat"]
