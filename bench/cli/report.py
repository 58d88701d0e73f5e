"""`bench report`: writes pages from records."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from bench.cli.command import Command
from bench.cli.options import FILE
from bench.cli.streams import echo
from bench.errors import RecordError, UsageError
from bench.report.formats import FORMATS
from bench.store import naming

if TYPE_CHECKING:
    from bench.report.groups import Task

_WORTH_A_BAR: Final = 20


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
@click.option(
    "--index",
    metavar="FILE",
    type=FILE,
    help="Index file, so that each record is read once. Default: in the user's cache.",
)
@click.option("--no-index", is_flag=True, help="Read every record again, and write no index.")
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

    if index is not None and no_index:
        raise UsageError("--index and --no-index exclude each other", hint="Leave one of them out")
    chosen = _formats(formats)
    paths = tuple(dict.fromkeys(path for argument in records for path in find_records(argument)))
    if len(records) == 1 and not records[0].is_dir():
        _report_one(paths[0], chosen, out)
        return

    from bench.report.groups import Task

    place = None if no_index else index or _default_index()
    _report_all(Task(paths, chosen, out, each), place, ours=index is None)


def _default_index() -> Path | None:
    from bench.check.index_file import default_path

    try:
        return default_path()
    except OSError as error:
        _note(f"no index is kept ({error.strerror}); every record is read again")
        return None


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

    with _bar(len(task.paths)) as progress:
        errors = report_all(task, index, is_ours=ours, note=_note, wrote=wrote, progress=progress)
    _refuse_if_any(errors)


def _note(line: str) -> None:
    echo(f"bench: {line}", err=True)


def _refuse_if_any(errors: Sequence[RecordError]) -> None:
    """Print a line for each broken record; the last one is raised as the error of the command."""
    if errors:
        for error in errors[:-1]:
            echo(f"bench: {error}", err=True)
        raise errors[-1]


def _formats(text: str) -> tuple[str, ...]:
    words = tuple(word.strip() for word in text.split(","))
    for word in words:
        if word not in FORMATS:
            raise UsageError(f"--format: '{word}' is not a format", hint=f"Choose from {','.join(FORMATS)}")
    return words


@contextmanager
def _bar(total: int) -> Iterator[Callable[[int, int], None]]:
    """Show a bar on a terminal for many records; nothing elsewhere."""
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress, TimeRemainingColumn

    from bench.check.index_reading import no_progress

    console = Console(stderr=True)
    if total < _WORTH_A_BAR or not console.is_interactive or not console.file.isatty():
        yield no_progress
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
