"""The feed of new records (Atom, RFC 4287). Dates are those of the records: no build changes them."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final
from xml.etree import ElementTree as Xml

from bench.records.base import Frozen, Utc
from bench.site import places
from bench.site.dataset import AUTHORS, TITLE
from bench.site.interface import Entry, State

MOST: Final = 50
_NAMESPACE: Final = "http://www.w3.org/2005/Atom"
_ID: Final = "urn:moss-audio-bench:results"
_NO_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 does not allow, escaped or not."""
_STATES: Final = {
    State.PUBLISHED: "Published",
    State.HELD: "Held for a person",
    State.WITHDRAWN: "Withdrawn",
}


class FeedItem(Frozen):
    """One record of the feed."""

    id: str
    hash: str
    created_at: Utc
    title: str
    summary: str


def feed_item(entry: Entry) -> FeedItem | None:
    """Return the item of an entry; None of those that the feed leaves out, and of records apart."""
    if entry.state not in _STATES or entry.apart is not None:
        return None
    head = entry.head
    suite = f", {head.suite}" if head.suite else ""
    return FeedItem(
        id=entry.id,
        hash=head.hash,
        created_at=head.created_at,
        title=f"{head.model.name} on {head.device.name}",
        summary=f"{_STATES[entry.state]}: {head.cells} cells{suite}",
    )


def newest_items(items: Iterable[FeedItem]) -> list[FeedItem]:
    """Return the newest items, the newest first."""
    return sorted(items, key=lambda item: (item.created_at, item.id), reverse=True)[:MOST]


def render(items: Iterable[FeedItem], newest: datetime) -> bytes:
    """Return the feed. Links are relative to it: the site does not know its own address."""
    feed = Xml.Element("feed", {"xmlns": _NAMESPACE})
    _add(feed, "title", TITLE)
    _add(feed, "id", _ID)
    _add(feed, "updated", _date(newest))
    _add(Xml.SubElement(feed, "author"), "name", AUTHORS)
    Xml.SubElement(feed, "link", {"rel": "alternate", "type": "text/html", "href": "./"})
    for item in newest_items(items):
        entry = Xml.SubElement(feed, "entry")
        _add(entry, "title", item.title)
        _add(entry, "id", f"urn:moss-audio-bench:{item.hash}")
        _add(entry, "updated", _date(item.created_at))
        _add(entry, "summary", item.summary)
        page = places.record_page(item.id).removesuffix("index.html")
        Xml.SubElement(entry, "link", {"rel": "alternate", "type": "text/html", "href": page})
    Xml.indent(feed, " ")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{Xml.tostring(feed, encoding="unicode")}\n'.encode()


def _add(parent: Xml.Element, name: str, text: str) -> None:
    Xml.SubElement(parent, name).text = _NO_XML.sub("\ufffd", text)


def _date(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
