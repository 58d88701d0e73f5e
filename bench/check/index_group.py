"""The cells of one group in the index: merged again only where their records have changed."""

import hashlib
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Final

from pydantic import TypeAdapter

from bench.check.group import GroupKey
from bench.check.index_file import checked, parsed
from bench.check.rows import CellContribution, MergedCell, merge_cell
from bench.check.sources import Sources
from bench.check.summary import CellSummary, RecordHead

_MERGED: Final = TypeAdapter(tuple[MergedCell, ...])


class GroupCells:
    """The cells of a group in the database, and the rows that they were merged to before."""

    def __init__(
        self, database: sqlite3.Connection, key: GroupKey, sources: Sources, heads: Mapping[int, RecordHead]
    ) -> None:
        self.sources = sources
        self._database = database
        self._id = database.execute(
            "SELECT id FROM groups WHERE key = ?", (key.model_dump_json(),)
        ).fetchone()[0]
        place = {head.hash: place for place, head in enumerate(sources.counted)}
        self._heads = {file: head for file, head in heads.items() if head.hash in place}
        self._place = {file: place[head.hash] for file, head in self._heads.items()}

    def merged(self) -> Iterator[MergedCell]:
        """The rows of all cells, in the order of the ids of cells."""
        rows = self._database.execute(
            "SELECT cell_id, file FROM cells WHERE grp = ? ORDER BY cell_id, file, nth", (self._id,)
        ).fetchall()
        for cell_id, group in groupby(rows, key=itemgetter(0)):
            files = sorted((file for _, file in group if file in self._heads), key=self._place.__getitem__)
            if files:
                yield from self._merged(cell_id, files)

    def contributions(self, cell_id: str) -> list[CellContribution]:
        """What the records say of a cell, in the order of the heads."""
        rows = self._database.execute(
            "SELECT file, body FROM cells WHERE grp = ? AND cell_id = ? ORDER BY file, nth",
            (self._id, cell_id),
        )
        found = [(file, body) for file, body in rows if file in self._heads]
        found.sort(key=lambda row: self._place[row[0]])
        return [CellContribution(self._heads[file], checked(CellSummary, body)) for file, body in found]

    def _merged(self, cell_id: str, files: Sequence[int]) -> tuple[MergedCell, ...]:
        """Merge a cell, unless that of the same records is there."""
        digest = hashlib.sha256("".join(self._heads[file].hash for file in files).encode()).hexdigest()
        kept = self._database.execute(
            "SELECT body FROM merged WHERE grp = ? AND cell_id = ? AND digest = ?",
            (self._id, cell_id, digest),
        ).fetchone()
        if kept is not None:
            return parsed(_MERGED, kept[0])
        found = merge_cell(self.sources, self.contributions(cell_id))
        row = (self._id, cell_id, digest, _MERGED.dump_json(found).decode())
        self._database.execute("INSERT OR REPLACE INTO merged VALUES (?, ?, ?, ?)", row)
        return found
