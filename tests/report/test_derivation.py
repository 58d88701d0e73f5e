"""The page of a prediction, as its source."""

import re

import pytest

from bench.records.cell import Unsupported
from bench.records.enums import Attention
from bench.records.prediction import Comparison
from bench.records.record import Record
from bench.report.derivation import UNCONFIRMED
from bench.report.html import render
from bench.report.view import view_of
from tests.samples import odd_predictions
from tests.samples import predictions as derived
from tests.samples import records as sample

BOTH = (Attention.SDPA, Attention.FLASH_ATTENTION_2)
COMPARED = Comparison(
    record_id="0123456789ab",
    content_hash="sha256:" + "a" * 64,
    metric="reserved_peak_bytes",
    cells=20,
    inside=17,
    ratio_median=1.013,
    ratio_low=0.99,
    ratio_high=1.04,
)


def page(record: Record) -> str:
    return render(view_of(record))


def test_nothing_on_the_page_says_that_anything_ran() -> None:
    source = page(derived.derived_record())
    for words in ("Longest that ran", "every repeat", "Observed", "measured on this device"):
        assert words not in source
    assert source.count("predicted, nothing was run") > source.count("<table")


def test_the_units_are_settled_from_the_records_own_figures() -> None:
    line = "card reports 12.88 GB (11.99 GiB); the weights are 10.45 GB (9.73 GiB)."
    assert f"A &#34;12 GB&#34; {line}" in page(derived.derived_record())
    small = derived.RTX_4070.model_copy(update={"memory_total_bytes": 8188 * 2**20})
    text = page(derived.derived_record(device=small, clips=(10.0,), with_longest_clips=False))
    assert "An &#34;8 GB&#34; card reports 8.59 GB (8.00 GiB)" in text
    assert "The weights are 10.45 GB (9.73 GiB)." in page(derived.derived_record(device=sample.CPU))


def test_budgets_are_ranges_in_both_units() -> None:
    source = page(derived.derived_record())
    for words in ("11.39–11.79 GiB", "12.23–12.66 GB", "9.83–11.59 GiB", "10.56–12.44 GB"):
        assert words in source


@pytest.mark.parametrize(("headroom", "other"), [("headless", "desktop"), ("desktop", "headless")])
def test_only_the_budget_that_was_asked_for_is_shown(headroom: derived.Headroom, other: str) -> None:
    source = page(derived.derived_record(clips=(10.0,), headroom=headroom))
    names = {
        "headless": ("Budget, headless", "Headless: fits up to"),
        "desktop": ("Budget, with a desktop",),
    }
    assert all(name in source for name in names[headroom])
    assert not any(name in source for name in names[other])
    assert f"--{headroom}</code>" in source


def test_each_cell_has_its_word_its_range_and_what_is_at_work() -> None:
    source = page(derived.derived_record())
    for code, word in (
        ("runs_headless", "fits headless"),
        ("too_close_to_call", "too close to call"),
        ("does_not_fit", "does not fit"),
    ):
        assert re.search(
            rf'<td data-head="[0-9,]+ new tokens" class="fit {code}">'
            rf'<a class="big" href="#c-[0-9a-f]+">{word}</a>',
            source,
        )
    assert "<span>11.57–12.27 GiB</span>" in source
    assert "prefill: logits of every position" in source


def test_the_phases_stand_with_the_operator_as_it_is_named() -> None:
    source = page(derived.derived_record(clips=(10.0,), tokens=(128,)))
    assert "logits of every position<small>lm_head: aten::mm</small>" in source


def test_a_ceiling_is_called_a_ceiling_wherever_speed_stands() -> None:
    source = page(derived.derived_record())
    assert "A ceiling (roofline), not a forecast" in source
    assert "Ceiling (roofline), not a forecast <span" in source
    assert "tok/s" in source
    assert "tok/s" not in page(derived.derived_record(device=sample.CPU))


def test_reserved_is_modelled_until_a_measured_record_was_held_against_it() -> None:
    assert UNCONFIRMED in page(derived.derived_record())
    source = page(derived.derived_record(compared=(COMPARED,)))
    assert UNCONFIRMED not in source
    for words in ("0123456789ab", "17 of 20 (to 24.0 MiB)", "1.01", "0.99 to 1.04", 'id="compared"'):
        assert words in source


def test_a_record_of_nothing_and_one_without_its_derivation_have_a_page() -> None:
    assert "This record contains no cells" in page(derived.derived_record([]))
    bare = derived.derived_record().model_copy(update={"derivation": None})
    assert "The record does not say" in page(bare)


def test_an_attention_that_cannot_run_is_named_once() -> None:
    cells = [derived.predicted(sample.requested(clip)) for clip in (10.0, 60.0)]
    flash = [sample.requested(clip, 128, Attention.FLASH_ATTENTION_2) for clip in (10.0, 60.0)]
    cells += [sample.not_measured(want, Unsupported(reason="needs Ampere")) for want in flash]
    assert "All 2 cells: needs Ampere." in page(derived.derived_record(cells))


def test_hostile_operators_and_evidence_are_shown_as_they_are() -> None:
    source = page(odd_predictions.hostile())
    assert "<script>alert" not in source
    assert source.count("<script") == 3  # the page's own two, and its data
    assert "<img" not in source
    assert "\x1b" not in source
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in source


def test_two_attentions_on_one_page_stay_a_small_file() -> None:
    source = page(derived.derived_record(attentions=BOTH))
    assert len(source.encode()) - len(source.rpartition("</footer>")[2].encode()) < 150_000
    assert len(source.encode()) < 900_000
