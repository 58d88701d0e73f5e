"""The site follows what is decided."""

from pathlib import Path

import pytest

from bench.errors import BenchError
from bench.receiver.database import Database
from bench.receiver.moderation import moderate
from bench.receiver.publisher import Places, Publisher
from bench.receiver.states import Action, State
from bench.receiver.submissions import find
from tests.receiver.sent import NOW, do, look, sent

ORIGIN = "https://results.example.org"


@pytest.mark.servers
def test_a_valid_bundle_is_published_by_a_build_and_withdrawn_by_the_next_one(
    database: Database, tmp_path: Path
) -> None:
    places = Places.below(tmp_path / "site")
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
