"""Records, read and checked once: the index keeps what merging needs of each until its file changes."""

import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import Final, Self, TypeVar

from bench.check.document import document
from bench.check.group import GroupKey
from bench.check.index_file import (
    MADE_BY,
    DamagedError,
    Note,
    UnusableError,
    checked,
    connect,
    parsed,
    private,
    reason_of,
    remove,
)
from bench.check.index_group import GroupCells
from bench.check.index_reading import BRIEF, Indexed, Progress, Stamp, key_of, no_progress, read_all, stamp_of
from bench.check.sources import Link, Sources
from bench.check.summary import Brief, CellSummary, RecordHead, RecordSummary
from bench.errors import RecordError
from bench.records.check import Check
from bench.records.enums import Provenance

_MOST_HEADS: Final = 4096
"""Parsed heads that are remembered: a card's are asked for twice."""
Result = TypeVar("Result")
Figures = Sequence[tuple[str, int, tuple[float | None, ...]]]
"""Cell id, place of the cell in its record, and the values of the metrics asked for."""


class Index:
    """An open index. All that comes out of it is checked again: a cache is a file that others can write."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._database = connection
        connection.execute("CREATE TEMP TABLE chosen (path BLOB PRIMARY KEY)")
        self._head = lru_cache(_MOST_HEADS)(partial(checked, RecordHead))

    def __enter__(self) -> Self:
        """The index itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the database."""
        self._database.close()

    def update(
        self,
        paths: Sequence[Path],
        read: Callable[[Path], RecordSummary],
        progress: Progress = no_progress,
    ) -> None:
        """Read the files that are new or changed, and choose these files for all that follows.

        Every batch is kept as soon as it is read, so that an interruption loses little. `read` runs in
        other processes where there is much to do. `progress` gets the files read so far and those to read.
        """
        stored = self._stamps()
        keys = list(map(key_of, paths))
        stale = [path for key, path in zip(keys, paths, strict=True) if stored.get(key) != stamp_of(path)]
        for done, batch in read_all(stale, read):
            self._keep(batch)
            progress(done, len(stale))
        self._forget_the_gone(stored.keys() - keys)
        self._choose(keys)

    def choose(self, paths: Iterable[Path]) -> None:
        """Choose the files that count in all that follows, of those read before."""
        self._choose(map(key_of, paths))

    def _choose(self, keys: Iterable[bytes]) -> None:
        with _Transaction(self._database):
            self._database.execute("DELETE FROM chosen")
            self._database.executemany("INSERT OR IGNORE INTO chosen VALUES (?)", ((key,) for key in keys))

    def faults(self) -> tuple[RecordError, ...]:
        """The faults of files that cannot be used, in the order of their names."""
        found = self._database.execute(
            "SELECT fault, hint FROM files JOIN chosen USING (path) WHERE fault IS NOT NULL ORDER BY path"
        )
        return tuple(RecordError(fault, hint=hint) for fault, hint in found)

    def groups(self) -> tuple[GroupKey, ...]:
        """Every model on every card that the chosen files have records of."""
        found = self._database.execute(
            "SELECT DISTINCT key FROM files JOIN chosen USING (path)"
            " JOIN groups ON groups.id = files.grp ORDER BY key"
        )
        return tuple(checked(GroupKey, key) for (key,) in found)

    def files(self, key: GroupKey) -> tuple[Path, ...]:
        """The files of a group, one for each record."""
        return tuple(path for _, path, _ in self._heads(key))

    def runs(self, key: GroupKey) -> tuple[Path, ...]:
        """The files of a group in which something ran, the newest first."""
        heads = self._heads(key)
        ran = [
            (head.created_at, path) for _, path, head in heads if head.provenance is not Provenance.DERIVED
        ]
        return tuple(path for _, path in sorted(ran, reverse=True))

    def briefs(self) -> Iterator[tuple[str, GroupKey, Brief]]:
        """Each chosen file that was judged by its absolute path, copies included, in the order of names."""
        rows = self._database.execute(
            "SELECT path, key, brief FROM files JOIN chosen USING (path)"
            " JOIN groups ON groups.id = files.grp WHERE brief IS NOT NULL ORDER BY path"
        )
        groups: dict[str, GroupKey] = {}
        for path, key, brief in rows:
            group = groups.get(key)
            if group is None:
                group = groups[key] = checked(GroupKey, key)
            yield os.fsdecode(path), group, parsed(BRIEF, brief)

    def heads(self, paths: Sequence[Path]) -> Iterator[RecordHead]:
        """The heads of some files, in this order. Chooses these files.

        Raises:
            RecordError: a file is gone, or it is no record.
        """
        self.choose(paths)
        rows = self._database.execute(
            "SELECT path, body FROM chosen JOIN files USING (path) JOIN heads ON heads.file = files.id"
        )
        found = dict(rows)
        for path in paths:
            body = found.get(key_of(path))
            if body is None:
                raise RecordError(f"{path}: was removed", hint="Run it again")
            yield self._head(body)

    def cells(self, path: Path) -> tuple[CellSummary, ...]:
        """The cells of a file, in the order of its record."""
        rows = self._database.execute(
            "SELECT body FROM cells JOIN files ON files.id = cells.file WHERE path = ? ORDER BY nth",
            (key_of(path),),
        )
        return tuple(checked(CellSummary, body) for (body,) in rows)

    def check(self, key: GroupKey, link: Link) -> Check:
        """The merged document of a group.

        Its cells come from the disk one by one, so that memory stays small, and only those whose records
        have changed since they were merged last.

        Raises:
            RecordError: another process has found its files gone since they were chosen.
        """
        with _Transaction(self._database):  # head and cells of one state of the file
            heads = self._heads(key)
            if not heads:
                raise RecordError(f"{key.slug}: its records were removed", hint="Run it again")
            found = {file: head.model_copy(update={"path": link(path)}) for file, path, head in heads}
            group = GroupCells(self._database, key, Sources.of(found.values()), found)
            return document(group.sources, list(group.merged()), group.contributions)

    def kept(self, name: str) -> bytes | None:
        """What was kept under a name; None if nothing was. It is checked by whoever kept it."""
        found = self._database.execute("SELECT body FROM kept WHERE name = ?", (name,)).fetchone()
        if found is not None and not isinstance(found[0], bytes):
            raise DamagedError("it contains unexpected data")
        return None if found is None else found[0]

    def keep(self, found: Mapping[str, bytes]) -> None:
        """Keep what was made of the records, by name, until a file of the index is made anew."""
        with _Transaction(self._database):
            self._database.executemany("INSERT OR REPLACE INTO kept VALUES (?, ?)", found.items())

    # --- reading --------------------------------------------------------------------------------------

    def _stamps(self) -> dict[bytes, Stamp]:
        rows = self._database.execute("SELECT path, size, mtime_ns, inode, ctime_ns FROM files")
        found = {path: (size, mtime, inode, ctime) for path, size, mtime, inode, ctime in rows}
        if not all(isinstance(path, bytes) for path in found):
            raise DamagedError("it contains unexpected data")
        return found

    def _heads(self, key: GroupKey) -> list[tuple[int, Path, RecordHead]]:
        """Each record once, under the first of its names; of equal predictions the newest."""
        rows = self._database.execute(
            "SELECT files.id, min(path), body FROM files JOIN chosen USING (path)"
            " JOIN groups ON groups.id = files.grp JOIN heads ON heads.file = files.id"
            " WHERE key = ? GROUP BY hash ORDER BY min(path)",
            (key.model_dump_json(),),
        )
        found = [(file, Path(os.fsdecode(path)), self._head(head)) for file, path, head in rows]
        kept = {head.hash for head in Sources.of(head for *_, head in found).heads} if found else set()
        return [one for one in found if one[2].hash in kept]

    # --- writing --------------------------------------------------------------------------------------

    def _keep(self, batch: Iterable[Indexed]) -> None:
        with _Transaction(self._database):
            for indexed in batch:
                self._replace(indexed)

    def _replace(self, indexed: Indexed) -> None:
        key = key_of(indexed.path)
        if self._has(key, indexed.stamp):
            return  # another process was quicker
        self._forget(key)
        group = self._group(indexed.group) if indexed.group is not None else None
        text = indexed.hash, indexed.brief, indexed.fault, indexed.hint
        row = (key, *indexed.stamp, group, *text)
        file = self._database.execute(
            "INSERT INTO files (path, size, mtime_ns, inode, ctime_ns, grp, hash, brief, fault, hint)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            row,
        ).lastrowid
        if indexed.head is not None:
            self._database.execute("INSERT INTO heads VALUES (?, ?)", (file, indexed.head))
        self._database.executemany(
            "INSERT INTO cells VALUES (?, ?, ?, ?, ?)",
            ((group, cell, file, nth, body) for nth, (cell, body) in enumerate(indexed.cells)),
        )

    def _has(self, key: bytes, stamp: Stamp) -> bool:
        found = self._database.execute(
            "SELECT size, mtime_ns, inode, ctime_ns FROM files WHERE path = ?", (key,)
        ).fetchone()
        return bool(found == stamp)

    def _forget(self, key: bytes) -> None:
        for table in ("cells", "heads"):
            self._database.execute(
                f"DELETE FROM {table} WHERE file IN (SELECT id FROM files WHERE path = ?)",  # noqa: S608
                (key,),
            )
        self._database.execute("DELETE FROM files WHERE path = ?", (key,))

    def _group(self, key: str) -> int:
        self._database.execute("INSERT OR IGNORE INTO groups (key) VALUES (?)", (key,))
        found: tuple[int] = self._database.execute("SELECT id FROM groups WHERE key = ?", (key,)).fetchone()
        return found[0]

    def _forget_the_gone(self, keys: Iterable[bytes]) -> None:
        with _Transaction(self._database):
            for key in keys:
                if not os.path.exists(key):  # noqa: PTH110  (a path for each of many files takes a second)
                    self._forget(key)


def use_index(
    path: Path | None,
    note: Note,
    work: Callable[[Index], Result],
    *,
    is_ours: bool = False,
    made_by: str = MADE_BY,
) -> Result:
    """Return what `work` makes of the index at `path`; None: of a private one that is deleted afterwards.

    If it turns out to be damaged, it is made again, with one line through `note`, and `work` begins anew. One
    that cannot be used costs such a line too: `work` gets a private one.

    Raises:
        UsageError: the file is no index.
        StorageError: the disk refused the private one.
    """
    if path is not None:
        try:
            return _use(path, note, work, is_ours=is_ours, made_by=made_by)
        except (UnusableError, DamagedError, sqlite3.DatabaseError) as error:
            note(f"{path}: the index cannot be used ({error}); every record is read again")
    with Index(private(made_by)) as index:
        return work(index)


def _use(path: Path, note: Note, work: Callable[[Index], Result], *, is_ours: bool, made_by: str) -> Result:
    try:
        with Index(connect(path, note, is_ours=is_ours, made_by=made_by)) as index:
            return work(index)
    except (DamagedError, sqlite3.DatabaseError) as error:
        if isinstance(error, sqlite3.OperationalError):  # locked, read-only, full: not damaged
            raise
        note(f"{path}: {reason_of(error)}; the index is made again")
        remove(path)
        with Index(connect(path, note, is_ours=is_ours, made_by=made_by)) as index:
            return work(index)


class _Transaction:
    """From `begin` to `COMMIT`, or back where something went wrong."""

    def __init__(self, database: sqlite3.Connection, begin: str = "BEGIN IMMEDIATE") -> None:
        self._database = database
        self._begin = begin

    def __enter__(self) -> None:
        self._database.execute(self._begin)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._database.execute("COMMIT" if kind is None else "ROLLBACK")
