"""`bench report`: records to pages."""

import gc
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from bench.cli.options import FILE
from bench.errors import RecordError, UsageError
from bench.store import naming

if TYPE_CHECKING:
    from bench.report.interface import Format

_FORMATS = ("html", "json", "md", "csv")


@click.command(short_help="Write HTML, JSON, Markdown and CSV from records.")
@click.argument("records", nargs=-1, required=True, metavar="RECORD|DIR...", type=FILE)
@click.option(
    "--out",
    default=str(naming.REPORTS),
    show_default=True,
    metavar="DIR",
    type=FILE,
    help="Where the files go.",
)
@click.option(
    "--format", "formats", default=",".join(_FORMATS), show_default=True, metavar="L", help="Which files."
)
@click.option("--each", is_flag=True, help="Of several records: also the files of every single one.")
@click.option(
    "--index",
    metavar="FILE",
    type=FILE,
    help="Where it is kept what records say, so that each is read once. Default: in the user's cache.",
)
@click.option("--no-index", is_flag=True, help="Read every record again, and keep nothing.")
def report(
    *, records: tuple[Path, ...], out: Path, formats: str, each: bool, index: Path | None, no_index: bool
) -> None:
    """Write reports from records: one record, several, or every record below a folder.

    One record becomes files of its own name. Several become one report for each model on each card, with
    medians over the records. A record that cannot be used is named; the others are reported all the same.

    \b
    Examples:
      bench report results/
      bench report results/ --each
      bench report my-record.json --format html --out .
    """
    from bench.store.record_files import find_records

    if index is not None and no_index:
        raise UsageError("--index and --no-index exclude each other", hint="Leave one of them out")
    chosen = _formats(formats)
    paths = tuple(dict.fromkeys(path for argument in records for path in find_records(argument)))
    if len(records) == 1 and not records[0].is_dir():
        _report_one(paths[0], chosen, out)
        return

    from bench.check.index_file import default_path
    from bench.cli.report_many import Task, write_all

    place = None if no_index else index or default_path()
    _refuse_if_any(write_all(Task(paths, chosen, out, each), place, is_ours=index is None))


def _report_one(path: Path, chosen: "tuple[Format, ...]", out: Path) -> None:
    from bench.cli.report import Plans, linker, without_search_for_cycles
    from bench.report.bundle import write_reports
    from bench.report.view import build_view
    from bench.store.record_files import read_record

    with without_search_for_cycles():
        record = read_record(path)
        folder = naming.folder(out, record.model.name, record.device.slug)
        view = build_view(record, linker(folder)(path), Plans().beside(path, record))
        for written in write_reports(view, folder, chosen, path.stem):
            click.echo(written)


def _refuse_if_any(errors: Sequence[RecordError]) -> None:
    """One line for each broken record; the last of them is the command's own error."""
    if errors:
        for error in errors[:-1]:
            click.echo(f"bench: {error}", err=True)
        raise errors[-1]


def _formats(text: str) -> "tuple[Format, ...]":
    from bench.report.interface import Format

    words = [word.strip() for word in text.split(",")]
    for word in words:
        if word not in _FORMATS:
            raise UsageError(f"--format: '{word}' is no format", hint=f"Choose from {','.join(_FORMATS)}")
    return tuple(Format(word) for word in words)


if TYPE_CHECKING:
    from bench.records.record import Record

_LOOKED_AT: Final = 3  # the newest ones: a page is no reason to read a folder of records


class Plans:
    """Finds the plan of a run; looks into each folder once."""

    def __init__(self) -> None:
        self._found: dict[Path, tuple[Record, ...]] = {}

    def beside(self, path: Path, record: "Record") -> "Record | None":
        """The newest `bench plan` in the folder of a run that predicts its cells; None if there is none."""
        from bench.records.enums import Provenance
        from bench.report.planned import is_of

        if record.provenance is not Provenance.MEASURED:
            return None
        folder = path.parent
        if folder not in self._found:
            self._found[folder] = tuple(_read(folder))
        return next((plan for plan in self._found[folder] if is_of(plan, record)), None)


def _read(folder: Path) -> "Iterator[Record]":
    from bench.store.record_files import read_record

    for candidate in naming.plans_in(folder)[:_LOOKED_AT]:
        try:
            yield read_record(candidate)
        except RecordError:
            continue  # it was not asked for


def linker(folder: Path) -> Callable[[Path], str | None]:
    """From a report in `folder` to a record, where both lie below the current folder.

    Elsewhere a path would tell the reader of a page what folders its maker has: then there is no link.
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


@contextmanager
def without_search_for_cycles() -> Iterator[None]:
    """Python looks for unreachable cycles ever and again; over so many values that took 40 % of the time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
