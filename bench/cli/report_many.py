"""Several records to merged reports: indexed, grouped by model and card, written."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bench.cli.report import Plans, linker, without_search_for_cycles
from bench.errors import RecordError

if TYPE_CHECKING:
    from bench.check.group import GroupKey
    from bench.check.index import Index, Link
    from bench.report.interface import Format, View

_WORTH_A_BAR = 20
_RUNS_READ = 3  # for memory over time: the rest of a merged page comes from the index


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be reported, and where to. `each`: the files of every single record too."""

    paths: tuple[Path, ...]
    formats: "tuple[Format, ...]"
    out: Path
    each: bool
    said: set[Path] = field(default_factory=set)
    plans: Plans = field(default_factory=Plans)


def write_all(task: Task, index: Path | None, *, is_ours: bool) -> tuple[RecordError, ...]:
    """Write the reports and say which; returns what is wrong with the records that were left out.

    `index`: where it is kept what records say; nowhere if None. `is_ours`: only `bench` puts files there.
    """
    from bench.check.index import use_index

    return use_index(index, _note, lambda opened: _report(task, opened), is_ours=is_ours)


def _note(line: str) -> None:
    click.echo(f"bench: {line}", err=True)


def _report(task: Task, index: "Index") -> tuple[RecordError, ...]:
    from bench.check.group import stems
    from bench.check.summarise import read_summary

    with _bar(len(task.paths)) as progress:
        index.update(task.paths, read_summary, progress)
    errors = list(index.faults())
    for key, stem in stems(index.groups()).items():
        try:
            _report_group(task, index, key, stem)
        except RecordError as error:  # changed or removed since it was indexed
            errors.append(error)
    return tuple(errors)


def _report_group(task: Task, index: "Index", key: "GroupKey", stem: str) -> None:
    """One record in full, or several merged; with `--each` every one of several by itself too."""
    folder, paths = task.out.joinpath(*key.folder), index.files(key)
    link = linker(folder)
    if len(paths) == 1:
        _write(task, _single(task, paths[0], link), folder, stem)
    else:
        _write(task, _merged(task, index, key, link), folder, stem)
    for path in paths if task.each else ():
        _write(task, _single(task, path, link), folder, path.stem)


def _single(task: Task, path: Path, link: "Link") -> "View":
    from bench.report.view import build_view
    from bench.store.record_files import read_record

    record = read_record(path)
    return build_view(record, link(path), task.plans.beside(path, record))


def _merged(task: Task, index: "Index", key: "GroupKey", link: "Link") -> "View":
    """With memory over time from the newest runs, where a page is wanted."""
    from bench.report.interface import Format
    from bench.report.merged.traces import traces_of
    from bench.report.merged.view import merged_view
    from bench.store.record_files import read_record

    with without_search_for_cycles():
        document = index.check(key, link)
    runs = index.runs(key)[:_RUNS_READ] if Format.HTML in task.formats else ()
    return merged_view(document, traces_of(document, map(read_record, runs)))


def _write(task: Task, view: "View", folder: Path, stem: str) -> None:
    """Say each file once, also where a damaged index made everything begin anew."""
    from bench.report.bundle import write_reports

    for path in write_reports(view, folder, task.formats, stem):
        if path not in task.said:
            task.said.add(path)
            click.echo(path)


@contextmanager
def _bar(total: int) -> Iterator[Callable[[int, int], None]]:
    """A bar on a terminal where there is much to read; nothing elsewhere."""
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress, TimeRemainingColumn

    from bench.check.index_reading import untold

    console = Console(stderr=True)
    if total < _WORTH_A_BAR or not console.is_interactive or not console.file.isatty():
        yield untold
        return
    with Progress(
        *Progress.get_default_columns()[:2],
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    ) as shown:
        bar = shown.add_task("reading records", total=None)
        yield lambda done, of: shown.update(bar, completed=done, total=of)
