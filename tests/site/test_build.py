"""Sites of whole folders: the same bytes, only what has changed, and what no page may say."""

import io
import json
import shutil
import sqlite3
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue

import pandas as pd
import pytest

from bench.errors import RecordError, UsageError
from bench.records.check import Check
from bench.records.enums import Provenance, WeightMode
from bench.site import places
from bench.site.build import Task, build_site
from bench.site.interface import State
from bench.site.output import LOCK
from bench.store.exclusive import exclusive
from tests.benchmarks.many_results import make
from tests.site.results import (
    CARD,
    MODEL,
    PAGE,
    RUN,
    WATCH,
    built,
    commit,
    decide,
    entry_id,
    files_of,
    put,
    put_edited,
    run,
)
from tests.validate.recipes import EIGHT, Recipe

SLOW = replace(RUN, pace=2.0)
RANDOM = replace(RUN, weights=WeightMode.RANDOM, has_power=False)
SMOKE = Recipe(card=CARD, weights=WeightMode.TINY, suite="smoke")
WRONG = {"cells[0].summary.latency_s.median": 12_345.0}


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Records in every state: published, held, refused, replayed, withdrawn, apart."""
    folder = tmp_path / "results"
    for seed in range(4):
        put(folder, run(seed), f"{seed}", key=seed, note=f"note {seed}")
    put(folder, run(9, SLOW), "slow", key=9)
    put_edited(folder, run(5), WRONG, "edited")
    put(folder, run(0), "stolen", key=7)
    put(folder, run(6), "gone", key=6)
    decide(folder, "withdrawn", entry_id(run(6)), "Asked for by its sender")
    put(folder, run(11, RANDOM), "random", key=1)
    put(folder, run(12, SMOKE), "smoke", key=1)
    put(folder, run(13, replace(RUN, model=EIGHT)), "eight", key=1)
    return folder


def test_a_build_waits_for_another_one_of_the_same_site(results: Path, tmp_path: Path) -> None:
    out, said = tmp_path / "site", SimpleQueue[str]()
    watch = replace(WATCH, note=said.put)
    with ThreadPoolExecutor(1) as pool, exclusive(out / LOCK, lambda: pytest.fail("it is free")):
        building = pool.submit(build_site, Task(results, out, ()), None, is_ours=True, watch=watch)
        assert "another build is writing this site" in said.get(timeout=60)
        assert [path.name for path in out.iterdir()] == [LOCK]
    assert building.result().files == len(files_of(out)) - 1
    assert not (out / LOCK).exists()


def test_a_build_that_began_before_a_decision_does_not_undo_it(tmp_path: Path) -> None:
    results, out = tmp_path / "results", tmp_path / "public"
    put(results, run(1), "one", key=1)
    said: SimpleQueue[str] = SimpleQueue()

    def second() -> None:
        watch = replace(WATCH, note=said.put)
        build_site(Task(results, out, ()), tmp_path / "second", is_ours=True, watch=watch)
        said.put("built")

    def reading(_done: int, _all: int) -> None:
        decide(results, "withdrawn", entry_id(run(1)), "Asked for by its sender")
        built_then.append(pool.submit(second))
        assert said.get(timeout=60).endswith("another build is writing this site; waiting for its end")

    built_then: list[Future[None]] = []
    with ThreadPoolExecutor(1) as pool:
        watch = replace(WATCH, reading=reading)
        build_site(Task(results, out, ()), tmp_path / "first", is_ours=True, watch=watch)
        built_then[0].result()
    page = (out / "records" / entry_id(run(1)) / "index.html").read_text(encoding="utf-8")
    assert "Asked for by its sender" in page


def test_a_site_that_moves_together_with_its_index_is_known_there(tmp_path: Path) -> None:
    """Copied folders and restored backups go on, instead of drawing every page again."""

    def units(index: Path) -> set[str]:
        with closing(sqlite3.connect(index)) as opened:
            return {name for (name,) in opened.execute("SELECT name FROM kept")}

    for folder in ("before", "after"):
        (tmp_path / folder / "results").mkdir(parents=True, exist_ok=True)
        here = tmp_path / folder
        assert built(here / "results", here / "public", here / "index", [PAGE]).cards == 1
        if folder == "before":
            known = units(here / "index")
            here.rename(tmp_path / "after")
    assert units(here / "index") == known


def check_of(out: Path) -> Check:
    return Check.model_validate_json((out / places.card_check(*PAGE)).read_bytes())


def test_every_state_and_its_files(results: Path, tmp_path: Path) -> None:
    out = tmp_path / "public"
    found = built(results, out)
    assert found.states == {
        State.PUBLISHED: 7,
        State.HELD: 1,
        State.REFUSED: 1,
        State.REPLAYED: 1,
        State.WITHDRAWN: 1,
    }
    assert found.errors == ()
    files = files_of(out)
    assert {"index.html", "404.html", "feed.xml", "contribute/index.html", "data/index.html"} <= files.keys()
    shown = entry_id(run(0))
    assert places.record_bundle(shown) in files
    assert json.loads(files[places.record_json(shown)]) == json.loads(run(0).model_dump_json())
    withdrawn = entry_id(run(6))
    assert places.record_page(withdrawn) in files
    assert places.record_json(withdrawn) not in files
    listed = json.loads(files["files.json"])["files"]
    assert listed.keys() | {"files.json"} == files.keys()


def test_medians_are_of_published_records_alone(results: Path, tmp_path: Path) -> None:
    out = tmp_path / "public"
    built(results, out)
    check = check_of(out)
    assert check.provenance is Provenance.MEASURED
    assert {record.id for record in check.records} == {run(seed).record_id for seed in range(4)}
    assert all(
        (out / places.card_check(*PAGE)).parent.joinpath(record.path or "").is_file()
        for record in check.records
    )


def test_figures_of_refused_and_withdrawn_records_are_nowhere(results: Path, tmp_path: Path) -> None:
    out = tmp_path / "public"
    built(results, out)
    cells = pd.read_parquet(out / "data" / "cells.parquet")
    records = pd.read_csv(io.BytesIO((out / "data" / "records.csv").read_bytes()))
    assert set(records["state"]) == {"published", "held"}
    assert set(cells["id"]) == set(records["id"])
    assert entry_id(run(6)) not in set(records["id"])
    refused = run(5).cells[0].repeats[0].latency_s
    pages = [path for path, content in files_of(out).items() if str(refused).encode() in content]
    assert pages == []


def test_what_never_counts_is_marked_in_the_data(results: Path, tmp_path: Path) -> None:
    built(results, tmp_path / "public")
    records = pd.read_parquet(tmp_path / "public" / "data" / "records.parquet")
    assert set(records["apart"].dropna()) == {"random", "smoke"}
    assert set(records[records["apart"].isna()]["weight_mode"]) == {"hub"}


def test_the_same_folder_gives_the_same_bytes_from_anywhere_in_any_order(
    results: Path, tmp_path: Path
) -> None:
    built(results, tmp_path / "one", tmp_path / "index.sqlite")
    elsewhere = tmp_path / "far" / "away"
    for path in sorted((path for path in results.rglob("*") if path.is_file()), reverse=True):
        target = elsewhere / path.relative_to(results)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    built(elsewhere, tmp_path / "two")
    assert files_of(tmp_path / "one") == files_of(tmp_path / "two")


def test_step_by_step_gives_the_same_bytes_as_at_once(results: Path, tmp_path: Path) -> None:
    index, out, growing = tmp_path / "index.sqlite", tmp_path / "steps", tmp_path / "growing"
    for path in sorted(path for path in results.rglob("*") if path.is_file()):
        target = growing / path.relative_to(results)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
        built(growing, out, index)
    built(results, tmp_path / "once")
    assert files_of(out) == files_of(tmp_path / "once")


def test_an_unchanged_folder_writes_nothing(results: Path, tmp_path: Path) -> None:
    out, index = tmp_path / "public", tmp_path / "index.sqlite"
    first = built(results, out, index)
    assert first.changed == first.files
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    assert built(results, out, index).changed == 0
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*")} == before


def test_another_card_leaves_the_pages_of_this_one_alone(results: Path, tmp_path: Path) -> None:
    out, index = tmp_path / "public", tmp_path / "index.sqlite"
    built(results, out, index)
    before = {path: content for path, content in files_of(out).items() if f"/{CARD}/" in path}
    put(results, run(14, replace(RUN, card="rtx-4070")), "other", key=1)
    added = built(results, out, index)
    after = files_of(out)
    assert {path: after[path] for path in before} == before
    assert 0 < added.changed < added.files // 2


def test_files_of_a_removed_record_are_removed(results: Path, tmp_path: Path) -> None:
    out, index = tmp_path / "public", tmp_path / "index.sqlite"
    built(results, out, index)
    record = out / places.record_page(entry_id(run(9, SLOW)))
    assert record.exists()
    next(results.rglob("slow-9.bundle.json")).unlink()
    built(results, out, index)
    assert not record.parent.exists()


def test_a_file_that_somebody_removed_is_written_again(results: Path, tmp_path: Path) -> None:
    out, index = tmp_path / "public", tmp_path / "index.sqlite"
    built(results, out, index)
    page = out / places.record_page(entry_id(run(1)))
    page.unlink()
    built(results, out, index)
    assert page.exists()


def test_a_build_with_another_index_in_between_leaves_nothing_of_it(tmp_path: Path) -> None:
    results, out, index = tmp_path / "results", tmp_path / "public", tmp_path / "index.sqlite"
    put(results, run(0), "0", key=0, note="note 1")
    built(results, out, index)
    before = files_of(out)
    put(results, run(0), "0", key=0, note="note 2")
    built(results, out)
    put(results, run(0), "0", key=0, note="note 1")
    built(results, out, index)
    assert files_of(out) == before


@pytest.mark.parametrize(
    "damage",
    [
        "DELETE FROM kept WHERE name LIKE '%/cells'",
        "DELETE FROM kept WHERE name LIKE '%/data' OR name LIKE '%/records'",
        "UPDATE kept SET body = 'x'",
        "UPDATE kept SET body = -1 WHERE name LIKE '%/card/%'",
        "UPDATE kept SET body = x'ff' WHERE name LIKE 'prediction%'",
        "UPDATE merged SET body = '[7]'",
        "UPDATE cells SET body = '{}'",
        "UPDATE files SET brief = '[]'",
        "UPDATE OR REPLACE files SET path = 7",
    ],
)
def test_a_damaged_index_is_made_again(damage: str, tmp_path: Path) -> None:
    results, out, index = tmp_path / "results", tmp_path / "public", tmp_path / "index.sqlite"
    put(results, run(0), "0", key=0)
    built(results, out, index)
    put(results, run(1), "1", key=1)
    with closing(sqlite3.connect(index)) as database:
        database.execute(damage)
        database.commit()
    built(results, out, index)
    built(results, tmp_path / "fresh")
    assert files_of(out) == files_of(tmp_path / "fresh")


def test_a_held_record_is_published_by_a_decision(results: Path, tmp_path: Path) -> None:
    out, index = tmp_path / "public", tmp_path / "index.sqlite"
    built(results, out, index)
    decide(results, "published", entry_id(run(9, SLOW)), "The card is undervolted")
    assert built(results, out, index).states[State.HELD] == 0
    assert len(check_of(out).records) == 5
    assert b"undervolted" in (out / places.record_page(entry_id(run(9, SLOW)))).read_bytes()


def test_who_came_first_is_asked_of_git(tmp_path: Path) -> None:
    results = tmp_path / "results"
    thief = put(results, run(0), "a-thief", key=7)
    owner = put(results, run(0), "b-owner", key=0)
    assert not built(results, tmp_path / "unknown").order_is_known
    commit(tmp_path, owner, date="2026-11-21T00:00:00Z")
    commit(tmp_path, thief, date="2026-11-22T00:00:00Z")
    assert built(results, tmp_path / "known").order_is_known
    kept = json.loads((tmp_path / "known" / places.record_bundle(entry_id(run(0)))).read_bytes())
    assert kept == json.loads(owner.read_bytes())


def test_a_commit_of_the_last_day_of_all_dates_and_a_record_before_them_stop_nothing(tmp_path: Path) -> None:
    results = tmp_path / "results"
    put(results, run(1), key=1)
    put_edited(results, run(2), {"created_at": "0001-01-01T00:00:00+14:00"}, "old")
    commit(results, results, date="@253402300799 +0000")
    found = built(results, tmp_path / "public")
    assert found.states[State.PUBLISHED] == 1
    assert ["created_at" in str(error) for error in found.errors] == [True]


def test_a_file_that_is_no_record_is_named_and_the_rest_is_built(results: Path, tmp_path: Path) -> None:
    (results / "zip.json").write_bytes(b"PK\x03\x04")
    (error,) = built(results, tmp_path / "public").errors
    assert "zip.json" in str(error)
    assert check_of(tmp_path / "public").records


def test_without_records_there_is_a_site_of_predictions(tmp_path: Path) -> None:
    results, out = tmp_path / "results", tmp_path / "public"
    results.mkdir()
    found = built(results, out, predicted=[PAGE])
    assert (found.cards, sum(found.states.values())) == (1, 0)
    assert check_of(out).provenance is Provenance.DERIVED
    assert pd.read_parquet(out / "data" / "records.parquet").empty


def test_a_decision_that_cannot_be_read_stops_the_build(results: Path, tmp_path: Path) -> None:
    (results / "withdrawn" / "0123456789abcdef.json").write_text("{")
    with pytest.raises(RecordError, match="withdrawn"):
        built(results, tmp_path / "public")
    assert not list((tmp_path / "public").iterdir())


@pytest.mark.parametrize("out", ["results/public", "."])
def test_a_site_inside_the_results_or_around_them_is_refused(results: Path, tmp_path: Path, out: str) -> None:
    with pytest.raises(UsageError, match="--out"):
        built(results, tmp_path / out)


def test_no_such_folder(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such folder"):
        built(tmp_path / "nothing", tmp_path / "public")
    assert MODEL in places.card_page(*PAGE)


def test_many_records_are_read_by_several_processes_and_one_more_changes_one_card(tmp_path: Path) -> None:
    results, out, index = tmp_path / "results", tmp_path / "public", tmp_path / "index.sqlite"
    count = 80
    sum(make(results, count))
    first = built(results, out, index)
    assert first.states[State.PUBLISHED] == count, "all are plausible, and none repeats another"
    sum(make(results, count + 1, begin=count))
    more = built(results, out, index)
    assert more.states[State.PUBLISHED] == count + 1
