"""The database of a receiver, as commands name and open it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import click

from bench.errors import UsageError
from bench.store import naming
from bench.store.user_folders import data_folder

if TYPE_CHECKING:
    from bench.receiver.database import Database

F = TypeVar("F", bound=Callable[..., Any])


def database_option(function: F) -> F:
    """Add `--database`."""
    return click.option(
        "--database",
        metavar="URL",
        envvar="BENCH_DATABASE",
        help="Database: sqlite:///FILE or postgresql://USER@HOST/NAME. Default: the environment variable "
        f"BENCH_DATABASE, else {naming.RECEIVER} in your folder for data.",
    )(function)


def database_url(given: str | None) -> str:
    """Return the URL of the database to use.

    Raises:
        PackageError: the extra `serve` is not installed.
        UsageError: none is given, and this user has no home folder.
    """
    from bench.receiver.required import require_server

    require_server()
    from bench.receiver.database import url_of

    if given is not None:
        return given
    try:
        return url_of(data_folder() / naming.RECEIVER)
    except OSError as error:
        raise UsageError(f"no database is named, and {error.strerror}", hint="Use --database URL") from error


@contextmanager
def existing_database(given: str | None) -> Iterator["Database"]:
    """Open a database that a receiver has made.

    Raises:
        PackageError: the extra `serve` is not installed.
        UsageError: there is none.
        StorageError: it does not answer.
    """
    url = database_url(given)
    from bench.receiver.database import Database, require_file

    require_file(url)
    with Database(url) as database:
        yield database
