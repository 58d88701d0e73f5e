"""The submissions as results: the site of an export shows what people decided."""

from pathlib import Path

import pytest

from bench.errors import UsageError
from bench.receiver.database import Database
from bench.receiver.export import export
from bench.receiver.moderation import moderate
from bench.receiver.states import Action
from bench.site.interface import State
from tests.receiver.sent import NOW, bundle, do, sent
from tests.site.results import built, files_of


def test_a_build_of_the_export_shows_each_submission_in_its_state(database: Database, tmp_path: Path) -> None:
    valid, shown = sent(database, 1), sent(database, 2, note="hello")
    withdrawn, held = sent(database, 3), sent(database, 4, note="not read yet")
    for one, action in ((shown, Action.PUBLISH), (withdrawn, Action.WITHDRAW)):
        do(database, moderate, one.id, action, "why", NOW)
    found = export(database, tmp_path / "results")
    assert {one.id for one in found.submissions} == {valid.id, shown.id, withdrawn.id}
    site = built(tmp_path / "results", tmp_path / "public")
    assert site.order_is_known
    assert (site.states[State.PUBLISHED], site.states[State.WITHDRAWN]) == (2, 1)
    pages = files_of(tmp_path / "public")
    assert f"records/{valid.id}/bundle.json" in pages
    assert pages[f"records/{valid.id}/bundle.json"] == bundle(1)
    assert not any(held.id in path for path in pages)
    assert not any(b"not read yet" in content for content in pages.values())


def test_again_it_writes_only_what_changed_and_removes_what_is_gone(
    database: Database, tmp_path: Path
) -> None:
    one, _ = sent(database, 1), sent(database, 2)
    folder = tmp_path / "results"
    assert export(database, folder).changed == 3
    assert export(database, folder).changed == 0
    do(database, moderate, one.id, Action.DELETE, "asked for", NOW)
    assert export(database, folder).changed == 2, "the bundle and the list"
    assert not list(folder.rglob(f"{one.id}*"))


def test_a_folder_with_other_files_is_left_alone(database: Database, tmp_path: Path) -> None:
    (tmp_path / "mine.json").write_text("{}", encoding="utf-8")
    with pytest.raises(UsageError, match="has other files"):
        export(database, tmp_path)
    assert (tmp_path / "mine.json").exists()
