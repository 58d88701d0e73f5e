"""Parts of commands that read many records: their index, a bar, a line for each file that cannot be read."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from bench.cli.options import FILE
from bench.cli.streams import echo
from bench.errors import RecordError, UsageError
from bench.store import naming

F = TypeVar("F", bound=Callable[..., Any])
_WORTH_A_BAR: Final = 20


def index_options(function: F) -> F:
    """Add `--index` and `--no-index`."""
    no_index = click.option("--no-index", is_flag=True, help="Read every record again, and write no index.")
    index = click.option(
        "--index",
        metavar="FILE",
        type=FILE,
        help="Index file, so that each record is read once. Default: in the user's cache.",
    )
    return index(no_index(function))


def index_file(index: Path | None, *, no_index: bool, name: str = naming.INDEX) -> Path | None:
    """Return the index to use, by default of this name in the user's cache; None: none is kept.

    Raises:
        UsageError: both options are given.
    """
    from bench.check.index_file import default_path

    if index is not None and no_index:
        raise UsageError("--index and --no-index exclude each other", hint="Leave one of them out")
    if no_index or index is not None:
        return index
    try:
        return default_path(name)
    except OSError as error:
        note(f"no index is kept ({error.strerror}); every record is read again")
        return None


def note(line: str) -> None:
    """Print a line to standard error."""
    echo(f"bench: {line}", err=True)


def refuse_if_any(errors: Sequence[RecordError]) -> None:
    """Print a line for each broken record; the last one is raised as the error of the command."""
    if errors:
        for error in errors[:-1]:
            note(str(error))
        raise errors[-1]


@contextmanager
def bar(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show a bar on a terminal for much work; nothing elsewhere."""
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress, TimeRemainingColumn

    console = Console(stderr=True)
    if not console.is_interactive or not console.file.isatty():
        yield lambda _done, _of: None
        return
    with Progress(
        *Progress.get_default_columns()[:2],
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    ) as shown:
        task = shown.add_task(what, total=None, visible=False)
        yield lambda done, of: shown.update(task, completed=done, total=of, visible=of >= _WORTH_A_BAR)
