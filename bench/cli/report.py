"""`bench report`: records to pages."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bench.cli.options import FILE
from bench.errors import RecordError, UsageError

if TYPE_CHECKING:
    from bench.report.interface import Format

_FORMATS = ("html", "json", "md", "csv")


@click.command(short_help="Write HTML, JSON, Markdown and CSV from records.")
@click.argument("records", nargs=-1, required=True, metavar="RECORD|DIR...", type=FILE)
@click.option(
    "--out", default="reports", show_default=True, metavar="DIR", type=FILE, help="Where the files go."
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
    from bench.records.store import find_records

    if index is not None and no_index:
        raise UsageError("--index and --no-index exclude each other", hint="Leave one of them out")
    chosen = _formats(formats)
    paths = tuple(dict.fromkeys(path for argument in records for path in find_records(argument)))
    if len(records) == 1 and not records[0].is_dir():
        _report_one(paths[0], chosen, out)
        return

    from bench.cli.report_many import Task, write_all
    from bench.records.index_file import default_path

    place = None if no_index else index or default_path()
    _refuse_if_any(write_all(Task(paths, chosen, out, each), place, is_ours=index is None))


def _report_one(path: Path, chosen: "tuple[Format, ...]", out: Path) -> None:
    from bench.cli.cycles import without_search_for_cycles
    from bench.cli.links import linker
    from bench.cli.plans import Plans
    from bench.records.store import read_record
    from bench.report.bundle import write_reports
    from bench.report.view import build_view

    with without_search_for_cycles():
        record = read_record(path)
        folder = out / record.model.name / record.device.slug
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
