"""`bench report`: records to pages."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bench.errors import UsageError

if TYPE_CHECKING:
    from bench.report.interface import Format

_FORMATS = ("html", "json", "md", "csv")


@click.command(short_help="Write HTML, JSON, Markdown and CSV from records.")
@click.argument("records", nargs=-1, required=True, metavar="RECORD|DIR...")
@click.option("--out", default="reports", show_default=True, metavar="DIR", help="Where the files go.")
@click.option(
    "--format", "formats", default=",".join(_FORMATS), show_default=True, metavar="L", help="Which files."
)
def report(records: tuple[str, ...], out: str, formats: str) -> None:
    """Write reports from records: one record, several, or every record below a folder.

    \b
    Examples:
      bench report results/
      bench report my-record.json --format html --out .
    """
    from bench.records.store import find_records, read_record
    from bench.report.bundle import write_reports

    chosen = _formats(formats)
    for argument in records:
        for path in find_records(Path(argument)):
            record = read_record(path)
            folder = Path(out) / record.model.name / record.device.slug
            for written in write_reports(record, folder, chosen, path.stem):
                click.echo(written)


def _formats(text: str) -> "tuple[Format, ...]":
    from bench.report.interface import Format

    for word in text.split(","):
        if word.strip() not in _FORMATS:
            raise UsageError(f"--format: '{word}' is no format", hint=f"Choose from {','.join(_FORMATS)}")
    return tuple(Format(word.strip()) for word in text.split(","))
