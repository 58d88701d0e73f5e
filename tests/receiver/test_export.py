"""The submissions as results: the site of an export shows what people decided."""

from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from bench.errors import UsageError
from bench.receiver.confirming import confirm, fetch_confirmation
from bench.receiver.database import Database
from bench.receiver.export import export
from bench.receiver.intake import judge
from bench.receiver.moderation import moderate, published, revoke
from bench.receiver.states import Action
from bench.receiver.submissions import receive
from bench.receiver.tables import SUBMISSIONS
from bench.site.interface import State
from tests.identity.signers import SITE, URL, bundled, confirmation
from tests.receiver import published as at_a_url
from tests.receiver.sent import NOW, REQUEST, bundle, do, sent
from tests.site.results import RUN, built, files_of, run


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


def test_accounts_and_revoked_keys_are_on_the_site_of_the_export(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = sent(database, 1, key=1), sent(database, 2, key=2)
    folder, public = tmp_path / "results", tmp_path / "public"

    def page() -> str:
        export(database, folder)
        built(folder, public, tmp_path / "index")
        return (public / "records" / one.id / "index.html").read_text(encoding="utf-8")

    assert "Unconfirmed" in page()
    with at_a_url.published(monkeypatch, tmp_path, confirmation()):
        do(database, confirm, fetch_confirmation(URL, SITE), "known", NOW)
    assert f'<a href="{URL}" rel="nofollow noreferrer">github.com/ada</a>' in page()
    assert [path.stem for path in folder.glob("keys/*")] == [one.key_id], "no other was decided about"
    assert "1 confirmed identity and 0 unconfirmed keys agree" in (
        public / "records" / other.id / "index.html"
    ).read_text(encoding="utf-8")
    do(database, revoke, one.key_id, "stolen", NOW)
    do(database, moderate, one.id, Action.PUBLISH, "sent before the theft", NOW)
    assert "The key was revoked: stolen" in page()
    assert "github.com/ada" not in page()
    do(database, moderate, one.id, Action.DELETE, "asked for", NOW)
    assert export(database, folder).changed == 4, "the bundle, the decision, the key and the list"
    assert list(folder.glob("keys/*")) == []


def test_a_folder_with_other_files_is_left_alone(database: Database, tmp_path: Path) -> None:
    (tmp_path / "mine.json").write_text("{}", encoding="utf-8")
    with pytest.raises(UsageError, match="has other files"):
        export(database, tmp_path)
    assert (tmp_path / "mine.json").exists()


@pytest.mark.parametrize("model", ["mine.json", "received.jsonl", "Received.JSONL", "keys", "withdrawn"])
def test_a_model_called_like_a_file_of_the_export_stops_nothing(
    database: Database, tmp_path: Path, model: str
) -> None:
    one, other = sent(database, 1), sent(database, 2)
    changed = sa.update(SUBMISSIONS).where(SUBMISSIONS.c.id == one.id).values(model=model)
    database.write(lambda connection: connection.execute(changed))
    folder = tmp_path / "results"
    export(database, folder)
    assert export(database, folder).changed == 0
    site = built(folder, tmp_path / "public")
    assert (site.states[State.PUBLISHED], site.errors) == (2, ())
    assert (tmp_path / "public" / "records" / one.id / "bundle.json").read_bytes() == bundle(1)
    do(database, moderate, one.id, Action.DELETE, "asked for", NOW)
    assert [each.id for each in export(database, folder).submissions] == [other.id]
    assert not list(folder.rglob(f"{one.id}*"))


@pytest.mark.parametrize("left", [b"", b"half"])
def test_a_bundle_that_a_power_cut_left_without_its_content_is_written_again(
    database: Database, tmp_path: Path, left: bytes
) -> None:
    one = sent(database, 1)
    folder = tmp_path / "results"
    export(database, folder)
    (file,) = folder.rglob(f"{one.id}.bundle.json")
    file.write_bytes(left)
    assert export(database, folder).changed == 1
    assert file.read_bytes() == bundle(1)


def test_a_record_that_the_site_holds_counts_once_it_is_published_again(
    database: Database, tmp_path: Path
) -> None:
    for seed in range(4):
        sent(database, seed, key=seed)
    slow = judge(bundled(run(9, replace(RUN, pace=2.0)), 9), NOW)
    odd, _ = do(database, receive, slow, REQUEST)
    folder = tmp_path / "results"

    def held() -> int:
        do(database, published, [one.id for one in export(database, folder).submissions], NOW)
        return built(folder, tmp_path / "public", tmp_path / "index").states[State.HELD]

    assert held() == 1
    do(database, moderate, odd.id, Action.PUBLISH, "an undervolted card", NOW)
    assert held() == 0
