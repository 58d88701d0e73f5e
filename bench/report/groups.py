"""Writes reports of many records: for each model on each card, on request for each record, and an index."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from bench.check.group import GroupKey, stems
from bench.check.index import Index, use_index
from bench.check.index_reading import Progress
from bench.check.sources import Link
from bench.check.summarise import read_summary
from bench.errors import RecordError
from bench.report.details import traces_of
from bench.report.files import link_from, write_reports
from bench.report.interface import View
from bench.report.overview import Entry, entry, render
from bench.report.planned import PlanFinder
from bench.report.view import build_view, view_of
from bench.store import naming
from bench.store.cycles import without_search_for_cycles
from bench.store.record_files import read_record, write_atomically

_RUNS_READ: Final = 3  # for memory over time: the rest of a page of several records comes from the index
Wrote = Callable[[Path], None]
"""Takes each file as soon as it is written."""


@dataclass(frozen=True, slots=True)
class Task:
    """Records to report, the formats and the folder for the files. `each`: also a report of every record."""

    paths: tuple[Path, ...]
    formats: tuple[str, ...]
    out: Path
    each: bool = False
    plans: PlanFinder = field(default_factory=PlanFinder)


def report_all(
    task: Task,
    index: Path | None,
    *,
    is_ours: bool,
    note: Callable[[str], None],
    wrote: Wrote,
    progress: Progress,
) -> tuple[RecordError, ...]:
    """Write the reports of every group of records; returns the errors of the records that were left out.

    `index`: the file that keeps the summaries of records; none if None. `is_ours`: only `bench` puts files
    there. `note` takes lines about a damaged index, after which everything begins anew.

    Raises:
        StorageError: the disk refused a file.
    """

    def work(opened: Index) -> tuple[RecordError, ...]:
        opened.update(task.paths, read_summary, progress)
        return _report_groups(task, opened, wrote)

    return use_index(index, note, work, is_ours=is_ours)


def _report_groups(task: Task, index: Index, wrote: Wrote) -> tuple[RecordError, ...]:
    errors = list(index.faults())
    entries: list[Entry] = []
    for key, stem in stems(index.groups()).items():
        try:
            view = _report_group(task, index, key, stem, wrote)
        except RecordError as error:  # changed or removed since it was indexed
            errors.append(error)
        else:
            entries.append(entry(view, (*key.folder, naming.report_name(stem, "html"))))
    if entries and "html" in task.formats:
        path = naming.overview(task.out)
        write_atomically(path, render(entries).encode())
        wrote(path)
    return tuple(errors)


def _report_group(task: Task, index: Index, key: GroupKey, stem: str, wrote: Wrote) -> View:
    """Write one record in full or several merged; with `each` also every record by itself.

    Returns the view of the group.
    """
    folder, paths = task.out.joinpath(*key.folder), index.files(key)
    link = link_from(folder)

    def write(view: View, name: str) -> View:
        for path in write_reports(view, folder, task.formats, name):
            wrote(path)
        return view

    found = write(_single(task, paths[0], link) if len(paths) == 1 else _merged(task, index, key, link), stem)
    for path in paths if task.each else ():
        write(_single(task, path, link), path.stem)
    return found


def _single(task: Task, path: Path, link: Link) -> View:
    record = read_record(path)
    return view_of(record, link(path), task.plans.of(path, record))


def _merged(task: Task, index: Index, key: GroupKey, link: Link) -> View:
    """The merged view, with memory over time from the newest runs if a page is requested."""
    with without_search_for_cycles():
        document = index.check(key, link)
    runs = index.runs(key)[:_RUNS_READ] if "html" in task.formats else ()
    return build_view(document, traces_of(document, map(read_record, runs)))
