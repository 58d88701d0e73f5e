"""The site follows what is decided."""

from datetime import timedelta
from pathlib import Path
from queue import SimpleQueue
from threading import Event

import psutil
import pytest

from bench.errors import BenchError
from bench.receiver import publisher as module
from bench.receiver.database import Database
from bench.receiver.intake import judge
from bench.receiver.moderation import KEEPS_ADDRESSES, moderate
from bench.receiver.publisher import Places, Publisher
from bench.receiver.states import Action, State
from bench.receiver.submissions import Request, find, receive
from bench.site.output import LOCK
from bench.store.exclusive import exclusive
from tests.identity.signers import bundled, signer
from tests.receiver.sent import NOW, do, judged, look, sent
from tests.samples.challenged import SITE_KEY, challenged
from tests.site.results import run

ORIGIN = "https://results.example.org"


@pytest.mark.servers
def test_a_valid_bundle_is_published_by_a_build_and_withdrawn_by_the_next_one(
    database: Database, served_folder: Path
) -> None:
    places = Places.below(served_folder)
    said: list[str] = []
    publisher = Publisher(database, places, ORIGIN, said.append)
    one = sent(database)
    publisher.publish()
    page = places.public / "records" / one.id / "index.html"
    assert look(database, find, one.id).state is State.PUBLISHED
    assert "Withdrawn" not in page.read_text(encoding="utf-8")
    do(database, moderate, one.id, Action.WITHDRAW, "asked for by its sender", NOW)
    publisher.publish()
    assert "asked for by its sender" in page.read_text(encoding="utf-8")
    do(database, moderate, one.id, Action.DELETE, "asked for", NOW)
    publisher.publish()
    assert not page.exists()
    publisher.publish()
    assert said == [f"the site was built, with {count} submissions" for count in (1, 1, 0)]


def test_a_build_that_fails_leaves_the_state_as_it_was(database: Database, tmp_path: Path) -> None:
    places = Places.below(tmp_path / "site")
    one = sent(database)
    places.public.parent.mkdir(parents=True)
    places.public.write_text("a file where the site should be", encoding="utf-8")
    with pytest.raises(BenchError, match="bench site build ended with"):
        Publisher(database, places, ORIGIN, pytest.fail).publish()
    assert look(database, find, one.id).state is State.VALID


def test_an_old_address_is_in_no_file_while_a_receiver_runs(database: Database, tmp_path: Path) -> None:
    old = Request(at=NOW - KEEPS_ADDRESSES - timedelta(days=1), address="192.0.2.77")
    do(database, receive, judged(), old)

    def files_with_it() -> list[str]:
        files = sorted(tmp_path.glob("receiver.sqlite*"))
        return [file.name for file in files if b"192.0.2.77" in file.read_bytes()]

    assert files_with_it() == (["receiver.sqlite-wal"] if database.engine.dialect.name == "sqlite" else [])
    Publisher(database, Places.below(tmp_path / "site"), ORIGIN, pytest.fail).forget()
    assert files_with_it() == []


@pytest.mark.servers
def test_a_decision_of_another_process_is_on_the_site_soon(
    database: Database, database_url: str, served_folder: Path
) -> None:
    """No test waits for a time: it waits for the line of the build."""
    lines: SimpleQueue[str] = SimpleQueue()
    one = sent(database, note="hello")
    with Publisher(database, Places.below(served_folder), ORIGIN, lines.put):
        assert lines.get(timeout=60) == "the site was built, with 0 submissions"
        with Database(database_url) as moderators:
            do(moderators, moderate, one.id, Action.PUBLISH, "harmless", NOW)
        assert lines.get(timeout=60) == "the site was built, with 1 submissions"
    assert (served_folder / "public" / "records" / one.id).is_dir()


@pytest.mark.servers
def test_a_page_says_whose_challenge_a_record_answers_and_how_late_it_came(
    database: Database, served_folder: Path
) -> None:
    record = challenged(run(1))
    bundle = judge(bundled(record, 1), NOW)
    one, _ = database.write(lambda connection: receive(connection, bundle, Request(at=NOW)))
    places = Places.below(served_folder)
    page = places.public / "records" / one.id / "index.html"
    for key, said in (
        (signer(SITE_KEY).public_key.keyid, "that this site issued"),
        ("0" * 64, "This site says"),
    ):
        Publisher(database, places, ORIGIN, lambda _: None, site_key=key).publish(anyway=True)
        assert said in page.read_text(encoding="utf-8")
    assert "It came here 257 h 56 min after that." in page.read_text(encoding="utf-8")


def test_a_build_that_goes_on_is_interrupted_when_the_server_stops(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The build waits for the lock of the site, which nobody gives back."""
    monkeypatch.setattr(module, "_STOPS_S", 0.0)
    places = Places.below(tmp_path / "site")
    lines: SimpleQueue[str] = SimpleQueue()
    others = psutil.Process().children()
    with exclusive(places.public / LOCK, lambda: pytest.fail("it is free")):
        with Publisher(database, places, ORIGIN, lines.put):
            while psutil.Process().children() == others:
                Event().wait(0.01)
        assert lines.get_nowait().startswith("the site was not built: bench site build ended with ")
    assert (lines.empty(), psutil.Process().children()) == (True, others)
