"""Files read for the index: in this process, or in several where there are many."""

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter

from bench.check.group import GroupKey
from bench.check.summary import Brief, CellSummary, RecordHead, RecordSummary, brief_of
from bench.errors import RecordError
from bench.text import error_line

BRIEF: Final = TypeAdapter(Brief)
BATCH: Final = 64
"""Files between two commits: what an interruption costs at most."""
_WORTH_PROCESSES: Final = 64
_MOST_PROCESSES: Final = 8

Stamp = tuple[int, int, str, int]
Progress = Callable[[int, int], None]
"""Takes the number of files read so far, and of those to read."""
_GONE: Final[Stamp] = (-1, -1, "", -1)


@dataclass(frozen=True, slots=True)
class Indexed:
    """Index entry of one file: head and cells as JSON, or the fault."""

    path: Path
    stamp: Stamp
    group: str | None = None
    hash: str | None = None
    head: str | None = None
    brief: str | None = None
    cells: tuple[tuple[str, str], ...] = ()
    fault: str | None = None
    hint: str | None = None


def read_all(
    paths: Sequence[Path], read: Callable[[Path], RecordSummary]
) -> Iterator[tuple[int, tuple[Indexed, ...]]]:
    """The files in batches, with the number of those read so far."""
    done = 0
    for batch in _batches(_read_each(paths, partial(read_one, read))):
        done += len(batch)
        yield done, batch


def _read_each(paths: Sequence[Path], read: Callable[[Path], Indexed]) -> Iterator[Indexed]:
    processes = min(_MOST_PROCESSES, os.cpu_count() or 1)
    if len(paths) < _WORTH_PROCESSES or processes == 1:
        yield from map(read, paths)
        return
    spawn = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(processes, mp_context=spawn, initializer=_leave_interrupts_to_the_parent)
    try:
        yield from pool.map(read, paths, chunksize=4)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _leave_interrupts_to_the_parent() -> None:
    """Ignore what a terminal sends to every process of a command; the parent ends this one."""
    for name in ("SIGINT", "SIGHUP"):
        if hasattr(signal, name):  # Windows has no SIGHUP
            signal.signal(getattr(signal, name), signal.SIG_IGN)


def no_progress(_done: int, _total: int) -> None:
    """No progress is shown."""


def _batches(found: Iterable[Indexed]) -> Iterator[tuple[Indexed, ...]]:
    batch: list[Indexed] = []
    for indexed in found:
        batch.append(indexed)
        if len(batch) == BATCH:
            yield tuple(batch)
            batch = []
    if batch:
        yield tuple(batch)


def read_one(read: Callable[[Path], RecordSummary], path: Path) -> Indexed:
    """One file. It is looked at before it is read: what changes meanwhile is read again the next time."""
    stamp = stamp_of(path)
    try:
        summary = read(path)
    except RecordError as error:
        return Indexed(path, stamp, fault=error_line(error.message), hint=error.hint)
    return Indexed(
        path=path,
        stamp=stamp,
        group=GroupKey.of(summary.head).model_dump_json(),
        hash=summary.head.hash,
        head=summary.head.model_dump_json(),
        brief=_brief(summary.head),
        cells=tuple((cell.cell_id, _sparse(cell)) for cell in summary.cells),
    )


def _brief(head: RecordHead) -> str | None:
    return None if head.judged is None else BRIEF.dump_json(brief_of(head)).decode()


def _sparse(cell: CellSummary) -> str:
    """The cell as JSON without fields that have their default; what they hold stays whole, codes included."""
    fields = CellSummary.model_fields.items()
    usual = {name for name, field in fields if getattr(cell, name) == field.default}
    return cell.model_dump_json(exclude=usual)


def stamp_of(path: Path) -> Stamp:
    """Size, time of modification, inode and time of change of a file; `_GONE` where it cannot be read."""
    try:
        seen = os.stat(path)  # noqa: PTH116  (pathlib takes a tenth of a second for 10,000 files)
    except OSError:
        return _GONE
    return seen.st_size, seen.st_mtime_ns, str(seen.st_ino), seen.st_ctime_ns


def key_of(path: Path) -> bytes:
    """The name of a file in the index: absolute, in the bytes of the file system."""
    text = os.fspath(path)  # joined as text: pathlib takes a second for the paths of 10,000 files
    return os.fsencode(text if os.path.isabs(text) else os.path.join(os.getcwd(), text))  # noqa: PTH109, PTH117, PTH118
