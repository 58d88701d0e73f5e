"""A folder of hostile files as results: each is refused as its case states, and no page is harmed."""

import json
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest

from bench.check.group import GroupKey
from bench.check.summary import brief_of
from bench.errors import RecordError
from bench.site.commit_order import history_of
from bench.site.decisions import Decisions
from bench.site.interface import State
from bench.site.states import in_order, place
from bench.validate.reading import read_judged
from tests.site.results import built, commit, files_of
from tools.hostile.corpus import EXPECTED, FOLDER

STATED = json.loads(EXPECTED.read_text(encoding="utf-8"))
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]")


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The hostile files, in one commit."""
    root = tmp_path_factory.mktemp("hostile")
    shutil.copytree(FOLDER, root / "results", ignore=lambda *_: {EXPECTED.name})
    commit(root, root / "results", date="2026-12-01T00:00:00Z")
    return root / "results"


def test_each_file_is_refused_as_its_case_states(results: Path) -> None:
    briefs, refused = [], set()
    for path in sorted(results.iterdir()):
        try:
            head = read_judged(path).head
            briefs.append((str(path.absolute()), GroupKey.of(head), brief_of(head)))
        except RecordError:
            refused.add(path.name)
    assert refused == {name for name, case in STATED.items() if case["exit_code"] == 2}
    placed = place(in_order(briefs, results, history_of(results)), Decisions({}, {}))
    wrong = {one.received.path for one in placed if one.state is State.REFUSED}
    known = {one.received.path for one in placed}
    assert wrong == {name for name in known if STATED[name]["exit_code"] == 1}


def test_the_site_of_them_names_what_is_no_record_and_shows_nothing_unsafe(
    results: Path, tmp_path: Path
) -> None:
    out = tmp_path / "public"
    found = built(results, out)
    assert len(found.errors) == sum(case["exit_code"] == 2 for case in STATED.values())
    assert set(pd.read_parquet(out / "data" / "records.parquet")["state"]) <= {"published", "held"}
    for path, content in files_of(out).items():
        assert not path.endswith(".html") or _UNSAFE.search(content.decode()) is None, path
        assert b"<script>alert" not in content or path.endswith(".json"), path
