"""The folder and the database of a receiver, as commands name and open them: one rule for all."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from bench.cli.options import FILE
from bench.errors import UsageError
from bench.store import naming
from bench.text import MAX_NAME, clean

if TYPE_CHECKING:
    from bench.receiver.database import Database

F = TypeVar("F", bound=Callable[..., Any])
_MOST_BYTES: Final = 4096
_FOLDER: Final = click.option(
    "--folder",
    metavar="DIR",
    type=FILE,
    envvar="BENCH_FOLDER",
    help="Folder of the receiver: its site, the results that it is built from, and its database. "
    "Default: the environment variable BENCH_FOLDER.",
)
_DATABASE: Final = click.option(
    "--database",
    metavar="URL",
    envvar="BENCH_DATABASE",
    help="Database: sqlite:///FILE, postgresql://USER@HOST/NAME, or @FILE: one of these in a file. Default: "
    f"the environment variable BENCH_DATABASE, else {naming.RECEIVER} in the folder of the receiver.",
)


def receiver_options(function: F) -> F:
    """Add `--folder` and `--database`."""
    return _FOLDER(_DATABASE(function))


def database_option(function: F) -> F:
    """Add the same two options; the function gets the URL that they name as `database`.

    Raises:
        PackageError: the extra `serve` is not installed.
        UsageError: neither of them is given.
    """

    @wraps(function)
    def called(*, folder: Path | None, database: str | None, **given: Any) -> Any:
        return function(database=database_url(folder, database), **given)

    return receiver_options(called)  # type: ignore[return-value]


def database_url(folder: Path | None, given: str | None) -> str:
    """Return the URL of a receiver's database.

    Raises:
        PackageError: the extra `serve` is not installed.
        UsageError: neither a folder nor a database is given, or the file of its URL cannot be read.
    """
    from bench.receiver.required import require_server

    require_server()
    from bench.receiver.database import url_of

    if given is not None:
        return secret(given, "--database")
    if folder is None:
        raise UsageError(
            "no receiver is named", hint="Use --folder DIR or --database URL, as for bench site serve"
        )
    return url_of(folder.absolute() / naming.RECEIVER)


def secret(text: str, name: str) -> str:
    """Return a text, or of `@FILE` what is in the file: neither a command line nor an environment shows it.

    Raises:
        UsageError: the file cannot be read. `name`: of the option or the variable.
    """
    from bench.store.untrusted import read_file

    if not text.startswith("@"):
        return text
    file = Path(text[1:])
    try:
        return read_file(file, _MOST_BYTES).decode().strip()
    except OSError as error:
        problem = error.strerror
    except UnicodeDecodeError:
        problem = "it is no text"
    raise UsageError(
        f"{name}: {clean(str(file), MAX_NAME)} cannot be read: {problem}", hint="Name the file of the secret"
    )


@contextmanager
def existing_database(url: str) -> Iterator["Database"]:
    """Open a database that a receiver has made.

    Raises:
        UsageError: there is none.
        StorageError: it does not answer.
    """
    from bench.receiver.database import Database, require_file

    require_file(url)
    with Database(url) as database:
        yield database
