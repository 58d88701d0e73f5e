"""Writes the files of a report."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from bench.check.sources import Link
from bench.report.formats import renderer
from bench.report.interface import View
from bench.report.planned import PlanFinder
from bench.report.view import view_of
from bench.store import naming
from bench.store.cycles import without_search_for_cycles
from bench.store.record_files import read_record, write_atomically


def report_one(path: Path, formats: Sequence[str], out: Path) -> tuple[Path, ...]:
    """Write the reports of one record, below `out`.

    Raises:
        RecordError: the record cannot be used.
        StorageError: the disk refused a file.
    """
    with without_search_for_cycles():
        record = read_record(path)
        folder = naming.folder(out, record.model.name, record.device.slug)
        view = view_of(record, link_from(folder)(path), PlanFinder().of(path, record))
        return write_reports(view, folder, formats, path.stem)


def write_reports(view: View, directory: Path, formats: Iterable[str], stem: str) -> tuple[Path, ...]:
    """Write `<stem>.html`, `.check.json`, `.md`, `.csv` into `directory`, each whole or not at all.

    `stem` of a page of several records is `check`, or ends in `.check`.

    Returns the paths in the order of `formats`; a format named twice is written once.

    Raises:
        StorageError: the disk refused it.
    """
    paths = []
    for chosen in dict.fromkeys(formats):
        path = directory / naming.report_name(stem, chosen)
        write_atomically(path, renderer(chosen)(view).encode())
        paths.append(path)
    return tuple(paths)


def link_from(folder: Path) -> Link:
    """Function from a record to its relative link in a report in `folder`; None outside the current folder.

    A path to anywhere else would show readers of the page the folders of its author.
    """
    here = Path.cwd()
    start = folder.resolve()

    def link(record: Path) -> str | None:
        record = record.resolve()
        if not record.is_relative_to(here) or not start.is_relative_to(here):
            return None
        path = Path(os.path.relpath(record, start)).as_posix()
        return path if path.isprintable() else None

    return link
