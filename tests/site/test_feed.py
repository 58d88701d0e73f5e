"""The feed: valid Atom, with dates of the records."""

from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as Xml

import pytest

from bench.site import feed
from bench.site.feed import FeedItem, feed_item, newest_items
from bench.site.interface import Apart, State
from tests.site.entries import entry
from tests.site.results import run

ATOM = "{http://www.w3.org/2005/Atom}"
DAY = datetime(2026, 11, 20, tzinfo=UTC)


def item(number: int, title: str = "A card") -> FeedItem:
    return FeedItem(
        id=f"{number:016x}",
        hash=f"sha256:{number:064x}",
        created_at=DAY + timedelta(hours=number),
        title=title,
        summary="Published: 2 cells, quick 1",
    )


def test_what_rfc_4287_demands() -> None:
    root = Xml.fromstring(feed.render([item(2), item(1)], DAY))
    assert root.tag == f"{ATOM}feed"
    for parent in (root, *root.iter(f"{ATOM}entry")):
        for name in ("id", "title", "updated"):
            (found,) = parent.findall(f"{ATOM}{name}")
            assert found.text
    assert root.find(f"{ATOM}author/{ATOM}name") is not None
    ids = [each.text for each in root.iter(f"{ATOM}id")]
    assert len(ids) == len(set(ids))
    assert [link.get("href") for link in root.iter(f"{ATOM}link")] == [
        "./",
        f"records/{2:016x}/",
        f"records/{1:016x}/",
    ]


@pytest.mark.parametrize("title", ["<script>&\"'", "a\ufffeb\x00c\ud800", "]]>"])
def test_any_title_gives_valid_xml(title: str) -> None:
    root = Xml.fromstring(feed.render([item(1, title)], DAY))
    found = root.find(f"{ATOM}entry/{ATOM}title")
    assert found is not None
    assert found.text


def test_only_the_newest_are_in_it() -> None:
    items = [item(number) for number in range(feed.MOST + 5)]
    assert newest_items(items)[0] == items[-1]
    assert len(newest_items(items)) == feed.MOST


def test_what_has_no_item() -> None:
    published = entry(run(1))
    assert feed_item(published) is not None
    assert feed_item(published.model_copy(update={"apart": Apart.SMOKE})) is None
    for state in (State.REFUSED, State.REPLAYED):
        assert feed_item(published.model_copy(update={"state": state})) is None
