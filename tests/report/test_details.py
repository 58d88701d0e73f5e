"""Memory over time on a merged page: of one run, and said to be."""

from collections.abc import Iterator

import pytest

from bench.records.record import Record
from bench.report.details import Details, traces_of
from bench.report.html import render
from bench.report.interface import View
from bench.report.view import build_view
from tests.samples import cards
from tests.samples import predictions as derived
from tests.samples.merged import CLIPS, watched
from tests.samples.reruns import merged, rerun


def unwatched(nth: int) -> Record:
    return rerun(cards.with_card([cards.measured(clip) for clip in CLIPS]), nth)


def lengths(view: View) -> list[int | None]:
    return [None if row.trace is None else len(row.trace.times_s) for row in view.rows]


def test_the_newest_run_that_watched_a_cell_tells_its_course() -> None:
    old, partly, newest = watched(1, 10), watched(2, 20, CLIPS[:1]), unwatched(3)
    check = merged(old, partly, newest)
    view = build_view(check, traces_of(check, [newest, partly, old]))
    assert [row.clip_seconds for row in view.rows] == list(CLIPS)
    assert lengths(view) == [20, 10]


def test_no_record_is_read_that_is_not_needed() -> None:
    check = merged(watched(1, 10), watched(2, 20))

    def reading() -> Iterator[Record]:
        yield watched(2, 20)
        pytest.fail("every cell has its course already")

    assert lengths(build_view(check, traces_of(check, reading()))) == [20, 20]


def test_a_cell_that_was_only_predicted_has_none() -> None:
    plan = derived.derived_record(clips=(10.0, 60.0, 300.0))
    check = merged(plan, watched(2, 20))
    view = build_view(check, traces_of(check, [watched(2, 20)]))
    for row in view.rows:
        assert (row.trace is not None) == (row.status.code == "measured")


def test_the_page_says_that_a_course_is_of_one_run() -> None:
    check = merged(watched(1, 10), watched(2, 20))
    sentence = "Each is of one run, the newest that watched"
    assert sentence in render(build_view(check, traces_of(check, [watched(2, 20)])))
    assert sentence not in render(build_view(check, Details()))
