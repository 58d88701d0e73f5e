"""What the last build made of each card: kept in the index, so that the same input is rendered once."""

import hashlib
from collections.abc import Mapping
from typing import Final, TypeVar

from pydantic import ValidationError

from bench.check.index import Index
from bench.check.index_file import DamagedError
from bench.records.base import Frozen
from bench.records.check import Check
from bench.site.feed import FeedItem
from bench.site.interface import CardSummary, State
from bench.site.lengths import Predicted
from bench.site.output import Written
from bench.site.tables import Rows, Table

_PREDICTED: Final = "predictions"


class RecordFiles(Frozen):
    """The files of one record's page, and the digest of what they were made from.

    `content`: SHA-256 of the record's own file.
    """

    state: State
    fingerprint: str
    content: str
    files: dict[str, Written]


class CardUnit(Frozen):
    """All that a card page and the pages of its records left behind."""

    fingerprint: str
    summary: CardSummary
    files: dict[str, Written]
    records: dict[str, RecordFiles]
    feed: tuple[FeedItem, ...]


class PageUnit(Frozen):
    """Any other page, or several."""

    fingerprint: str
    files: dict[str, Written]


_Unit = TypeVar("_Unit", CardUnit, PageUnit, Check, Predicted)


class Units:
    """The kept units of one site."""

    def __init__(self, index: Index, site: str) -> None:
        self._index = index
        self._site = site

    def card(self, name: str) -> CardUnit | None:
        """The unit of a card; None where there is none that can be used."""
        return self._read(name, CardUnit)

    def page(self, name: str) -> PageUnit | None:
        """The unit of other pages."""
        return self._read(name, PageUnit)

    def rows(self, name: str, table: Table) -> Rows:
        """The rows of a card that was kept.

        Raises:
            DamagedError: they are not there.
        """
        arrow, csv = (self._index.kept(self._name(f"{name}/{table}.{form}")) for form in Rows._fields)
        if arrow is None or csv is None:
            raise DamagedError("it contains a card without its rows")
        return Rows(arrow, csv)

    def prediction(self, name: str) -> Check | None:
        """A kept prediction, which depends on bench alone."""
        return self._parsed(self._index.kept(name), Check)

    def keep_prediction(self, name: str, found: Check | None) -> Check | None:
        """Keep a prediction, if there is one, and return it."""
        if found is not None:
            self._index.keep({name: found.model_dump_json().encode()})
        return found

    def predicted(self) -> Predicted | None:
        """What the front page predicts, which depends on bench alone."""
        return self._parsed(self._index.kept(_PREDICTED), Predicted)

    def keep_card(self, name: str, unit: CardUnit, rows: Mapping[Table, Rows]) -> CardUnit:
        """Keep the unit of a card with its rows. Return it as the next build will find it."""
        found = {
            self._name(f"{name}/{table}.{form}"): content
            for table, each in rows.items()
            for form, content in each._asdict().items()
        }
        kept = unit.model_dump_json().encode()
        self._index.keep({self._name(name): kept, **found})
        return CardUnit.model_validate_json(kept, strict=True)

    def keep_page(self, name: str, unit: PageUnit) -> None:
        """Keep the unit of other pages."""
        self._index.keep({self._name(name): unit.model_dump_json().encode()})

    def keep_predicted(self, found: Predicted) -> Predicted:
        """Keep what the front page predicts, and return it."""
        self._index.keep({_PREDICTED: found.model_dump_json().encode()})
        return found

    def _name(self, name: str) -> str:
        return f"{self._site}/{name}"

    def _read(self, name: str, kind: type[_Unit]) -> _Unit | None:
        return self._parsed(self._index.kept(self._name(name)), kind)

    def _parsed(self, found: bytes | None, kind: type[_Unit]) -> _Unit | None:
        try:
            return None if found is None else kind.model_validate_json(found, strict=True)
        except ValidationError:
            return None


def fingerprint(*parts: object) -> str:
    """Return a digest of values whose `repr` states all of them."""
    return hashlib.sha256(repr(parts).encode(errors="surrogatepass")).hexdigest()
