"""`bench report`: writes pages from records."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bench.cli.command import Command
from bench.cli.options import FILE
from bench.cli.reading import bar, index_file, index_options, note, refuse_if_any
from bench.cli.streams import echo
from bench.errors import UsageError
from bench.report.formats import FORMATS
from bench.store import naming

if TYPE_CHECKING:
    from bench.report.groups import Task


@click.command(cls=Command, short_help="Write HTML, JSON, Markdown and CSV from records.")
@click.argument("records", nargs=-1, required=True, metavar="RECORD|DIR...", type=FILE)
@click.option(
    "--out",
    default=str(naming.REPORTS),
    show_default=True,
    metavar="DIR",
    type=FILE,
    help="Folder for the files.",
)
@click.option(
    "--format",
    "formats",
    default=",".join(FORMATS),
    show_default=True,
    metavar="L",
    help="Formats to write, a comma list.",
)
@click.option(
    "--each", is_flag=True, help="Write also the files of every single record. Default: merged ones only."
)
@index_options
def report(
    *, records: tuple[Path, ...], out: Path, formats: str, each: bool, index: Path | None, no_index: bool
) -> None:
    """Write reports from records: one record, several, or every record below a folder.

    One record gives files of its own name. Several give one report for each model on each card, with medians
    over the records, and index.html, which links to all of them. A record that cannot be read is named, and
    the others are still reported.

    \b
    Examples:
      bench report results/
      bench report results/ --each
      bench report my-record.json --format html --out .
    """
    from bench.store.record_files import find_records

    place = index_file(index, no_index=no_index)
    chosen = _formats(formats)
    paths = tuple(dict.fromkeys(path for argument in records for path in find_records(argument)))
    if len(records) == 1 and not records[0].is_dir():
        _report_one(paths[0], chosen, out)
        return

    from bench.report.groups import Task

    _report_all(Task(paths, chosen, out, each), place, ours=index is None)


def _report_one(path: Path, formats: tuple[str, ...], out: Path) -> None:
    from bench.report.files import report_one

    for written in report_one(path, formats, out):
        echo(written)


def _report_all(task: "Task", index: Path | None, *, ours: bool) -> None:
    from bench.report.groups import report_all

    said: set[Path] = set()

    def wrote(path: Path) -> None:
        """Print each file once, also if a damaged index made the work start again."""
        if path not in said:
            said.add(path)
            echo(path)

    with bar("reading records") as progress:
        errors = report_all(task, index, is_ours=ours, note=note, wrote=wrote, progress=progress)
    refuse_if_any(errors)


def _formats(text: str) -> tuple[str, ...]:
    words = tuple(word.strip() for word in text.split(","))
    for word in words:
        if word not in FORMATS:
            raise UsageError(f"--format: '{word}' is not a format", hint=f"Choose from {','.join(FORMATS)}")
    return words
