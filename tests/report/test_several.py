"""A merged document in every format."""

import io
from html.parser import HTMLParser

import pandas as pd
import pytest

from bench.records.check import Check
from bench.records.record import Record
from bench.report import csv, html, markdown
from bench.report import json as check_json
from bench.report.details import Details
from bench.report.interface import View
from bench.report.several import MAX_SOURCES
from bench.report.terminal import as_text
from bench.report.view import build_view
from tests.report.pages import markup
from tests.samples import cards
from tests.samples import predictions as derived
from tests.samples import records as sample
from tests.samples.reruns import MACHINES, labelled, merged, rerun, small, with_rate

CELL = sample.measured(sample.requested())


def linked(document: Check, path: str) -> Check:
    """As if every record lay there."""
    records = tuple(one.model_copy(update={"path": path}) for one in document.records)
    return document.model_copy(update={"records": records})


THREE = merged(
    rerun(sample.standard(), 1, machine=MACHINES[0]),
    rerun(sample.standard(), 2, machine=MACHINES[1], faster=1.3),
    rerun(sample.all_measured_48(), 3, machine=MACHINES[2]),
)
PAIRS: dict[str, list[Record]] = {
    "hostile": [rerun(sample.hostile(), 1), rerun(sample.hostile(), 2)],
    "hostile card": [rerun(cards.hostile(), 1), rerun(cards.hostile(), 2)],
    "smoke": [rerun(sample.smoke(), 1), rerun(sample.smoke(), 2)],
    "empty": [rerun(sample.record([]), 1), rerun(sample.record([]), 2)],
    "unsupported": [rerun(sample.all_unsupported(), 1), rerun(sample.all_unsupported(), 2)],
    "misfit": [rerun(sample.nothing_fits(), 1), rerun(sample.nothing_fits(), 2)],
    "interrupted": [rerun(sample.interrupted(), 1), rerun(sample.interrupted(), 2)],
    "emulated": [rerun(cards.emulated(), 1), rerun(cards.emulated(), 2)],
    "derived": [derived.derived_record(), rerun(derived.derived_record(clips=(10.0, 60.0)), 2)],
    "derived and measured": [derived.derived_record(), rerun(sample.standard(), 2)],
}


def named_view(name: str) -> View:
    return build_view(linked(merged(*PAIRS[name]), "../../x.json"), Details())


class Ids(HTMLParser):
    """The ids of a page, and where its links go."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            if name == "href":
                self.links.append(value or "")


@pytest.mark.parametrize("name", PAIRS)
def test_every_format_shows_every_merge(name: str) -> None:
    view = named_view(name)
    page, post, shown = html.render(view), markdown.render(view), as_text(view)
    assert Check.model_validate_json(check_json.render(view)) == view.check
    assert len(pd.read_csv(io.StringIO(csv.render(view)))) == len(view.check.rows)
    for text in (page, post, shown):
        assert "\x1b" not in text
        assert "\u202e" not in text
    for text in (markup(page), "".join(post.split("```")[::2])):
        assert "<script>" not in text
        assert "<img" not in text
    assert "](http" not in post.replace("\\](", "")


@pytest.mark.parametrize("name", PAIRS)
def test_every_link_within_a_page_has_its_end_and_no_id_stands_twice(name: str) -> None:
    found = Ids(html.render(named_view(name)))
    assert len(set(found.ids)) == len(found.ids)
    assert {link[1:] for link in found.links if link.startswith("#")} <= set(found.ids)
    assert [link for link in found.links if not link.startswith("#")] == ["../../x.json"] * 2


def test_a_figure_has_its_spread_and_what_it_rests_on() -> None:
    row = build_view(THREE, Details()).rows[0]
    figure = row.figures["decode_tokens_per_s"]
    assert (figure.text, figure.interval, figure.note) == ("47.4 tok/s", "47.4–61.6 tok/s", "3 machines")
    assert row.marks == ("records disagree",)
    assert row.repetitions == ()


def test_page_and_post_tell_records_and_disagreements() -> None:
    view = build_view(linked(THREE, "../a b.json"), Details())
    page, post = html.render(view), markdown.render(view)
    for text in (page, post):
        assert "Where records disagree" in text
        assert "47.4–61.6 tok/s, 3 machines" in text
        assert "out of memory in 2 of 3 records" in text
        assert "3 records, 3 machines" in text
        assert not any(key in text for key in MACHINES)
    assert 'href="../a%20b.json"' in page
    assert "(../a%20b.json)" in post
    assert "Raw numbers" not in page
    assert page.index("Before you rely on this") < page.index('class="grid"')


def test_a_link_is_no_script_and_leaves_no_attribute() -> None:
    document = linked(merged(*PAIRS["smoke"]), 'javascript:alert(1)"><script>x</script>)')
    page, post = (
        html.render(build_view(document, Details())),
        markdown.render(build_view(document, Details())),
    )
    assert "<script>" not in markup(page) + post
    assert "javascript:" not in markup(page) + post  # quoted: the colon would begin a scheme


def test_a_table_of_the_csv_has_counts_and_spreads() -> None:
    table = pd.read_csv(io.StringIO(csv.render(build_view(THREE, Details()))))
    first = table.iloc[0]
    assert (first["machines"], first["records"]) == (3, 3)
    assert first["decode_tokens_per_s_low"] < first["decode_tokens_per_s"] + 0.1
    assert first["process_peak_bytes_low"] == first["process_peak_bytes_high"]
    assert table["record_id"].isna().all()


def test_labels_say_in_how_many_records() -> None:
    records = [
        rerun(small([labelled(with_rate(CELL, 40.0), "throttled")]), 1, machine=MACHINES[0]),
        rerun(small([with_rate(CELL, 41.0)]), 2, machine=MACHINES[1]),
    ]
    (row,) = build_view(merged(*records), Details()).rows
    assert row.marks == ("throttled in 1 of 2",)


def test_more_records_than_anybody_reads_are_counted() -> None:
    (record,) = merged(rerun(sample.smoke(), 1)).records
    many = tuple(
        record.model_copy(update={"id": f"{nth:012x}", "hash": f"sha256:{nth:064x}"})
        for nth in range(MAX_SOURCES + 7)
    )
    view = build_view(merged(rerun(sample.smoke(), 1)).model_copy(update={"records": many}), Details())
    assert "7 older ones are in check.json" in html.render(view)
    assert "447 more lines left out here: check.json has all of them" in markdown.render(view)


def test_what_was_predicted_only_is_told_beside_what_ran() -> None:
    plan = derived.derived_record(clips=(5.0, 10.0, 1200.0))
    view = build_view(merged(plan, rerun(sample.standard(), 2)), Details())
    assert {grid.title for grid in view.grids} >= {
        "SDPA, measured on this device",
        "SDPA, Linux with torch 2.13, predicted, nothing was run",
    }
    predicted = [row for row in view.rows if row.status.code == "predicted"]
    assert predicted
    assert all(row.predicted_bytes is not None for row in predicted)
    assert "needs" in predicted[0].status.reason


def test_the_command_of_several_predictions_names_their_model() -> None:
    made = derived.derived_record()
    model = {"name": "MOSS-Audio-8B-Instruct", "repo": "OpenMOSS-Team/MOSS-Audio-8B-Instruct"}
    other = made.model_copy(update={"model": made.model.model_copy(update=model)})
    shown = build_view(merged(rerun(other, 1), rerun(other, 2)), Details()).repeat_command
    assert shown == "bench plan --suite standard --gpu rtx-4070 --model MOSS-Audio-8B-Instruct"
