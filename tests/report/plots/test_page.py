"""Scripts, data and the policy of a page."""

import json
import math

import pytest

from bench.report.plots.interface import Plots
from bench.report.plots.page import as_json, inline
from tests.report.plots.shown import plots_of
from tests.samples import cards


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


def test_the_policy_names_the_scripts_of_the_page_and_no_other() -> None:
    page = inline(plots_of(cards.rtx_4070()))
    assert len(page.scripts) == page.policy.count("sha256-") == 2
    assert page.policy.startswith("default-src 'none'")
