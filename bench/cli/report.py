"""`bench report`: records to pages."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bench.cli.options import FILE
from bench.errors import RecordError, UsageError

if TYPE_CHECKING:
    from bench.records.schema import Record
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
def report(records: tuple[Path, ...], out: Path, formats: str) -> None:
    """Write reports from records: one record, several, or every record below a folder.

    A record that cannot be used is named; the others are reported all the same.

    \b
    Examples:
      bench report results/
      bench report my-record.json --format html --out .
    """
    from bench.records.store import find_records

    chosen = _formats(formats)
    paths = [path for argument in records for path in find_records(argument)]
    _refuse_if_any(_broken(paths, chosen, out))


def _broken(paths: Sequence[Path], chosen: "tuple[Format, ...]", out: Path) -> list[RecordError]:
    """Report every record that can be read; what is wrong with the others."""
    from bench.records.store import read_record

    errors = []
    for path in paths:
        try:
            record = read_record(path)
        except RecordError as error:
            errors.append(error)
        else:
            _write(record, path.stem, chosen, out)
    return errors


def _write(record: "Record", stem: str, chosen: "tuple[Format, ...]", out: Path) -> None:
    from bench.report.bundle import write_reports

    for written in write_reports(record, out / record.model.name / record.device.slug, chosen, stem):
        click.echo(written)


def _refuse_if_any(errors: list[RecordError]) -> None:
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
