"""`bench site revoke | confirm`: people decide about keys, in a receiver or in a folder of results."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from bench.cli.command import Command
from bench.cli.options import FILE
from bench.cli.site_database import database_url, existing_database, receiver_options
from bench.cli.site_moderation import reason_option
from bench.cli.streams import echo
from bench.errors import UsageError

F = TypeVar("F", bound=Callable[..., Any])
_RESULTS: Final = click.option(
    "--results",
    metavar="DIR",
    type=FILE,
    help="Decide in this folder of results, for a site without a receiver: a file keys/KEY.json.",
)


def _options(function: F) -> F:
    return reason_option(_RESULTS(receiver_options(function)))


@click.command(cls=Command, short_help="Revoke a key, and hold what it signed.")
@click.argument("key", metavar="KEY")
@_options
def revoke(*, key: str, reason: str, results: Path | None, folder: Path | None, database: str | None) -> None:
    """Revoke a key for good: hold all that it signed, and all that it will sign.

    KEY is the id of the key, 64 hex digits, as `bench site queue` shows it.

    \b
    Examples:
      bench site revoke KEY --reason "Its owner reports it as stolen"
      bench site revoke KEY --reason "Its owner reports it as stolen" --results results/
    """
    place = _place(results, folder, database)
    from bench.receiver.key_files import write_revoked
    from bench.receiver.moderation import reason_of
    from bench.receiver.moderation import revoke as revoked

    kept, now = reason_of(reason), datetime.now(UTC)
    if isinstance(place, Path):
        write_revoked(place, key, kept, now)
        echo(f"{key}: revoked; the next build holds what it signed")
        return
    with existing_database(place) as opened:
        count = opened.write(lambda connection: revoked(connection, key, kept, now))
    echo(f"{key}: revoked; {count:,} held")


@click.command(cls=Command, short_help="Confirm the key of an account.")
@click.argument("url", metavar="URL")
@click.option(
    "--origin",
    metavar="URL",
    envvar="BENCH_ORIGIN",
    help="Address of the site, which the file must name. Default: the environment variable BENCH_ORIGIN.",
)
@_options
def confirm(
    *,
    url: str,
    origin: str | None,
    reason: str,
    results: Path | None,
    folder: Path | None,
    database: str | None,
) -> None:
    """Fetch the file at URL, and keep that its account confirms the key which signed it.

    The owner of the key makes the file: bench submit --confirm URL --to SITE. URL is https, at a public
    address. An account that the key had before is replaced. A revoked key cannot be confirmed.

    \b
    Exit codes: 0 confirmed, 1 the file is for another URL or site, or its signature does not hold,
    2 it is no such file or no such URL, 3 it cannot be fetched.

    \b
    Examples:
      bench site confirm https://ada.example/key.txt --origin https://bench.example --reason "Her page"
    """
    if origin is None:
        raise UsageError(
            "the file must name the site, and no address is given", hint="Use --origin https://HOST"
        )
    place = _place(results, folder, database)
    from bench.receiver.confirming import confirm as confirmed
    from bench.receiver.confirming import fetch_confirmation
    from bench.receiver.key_files import write_confirmed
    from bench.receiver.moderation import reason_of

    kept = reason_of(reason)
    if isinstance(place, Path):
        fetched = fetch_confirmation(url, origin)
        before = write_confirmed(place, fetched, kept, datetime.now(UTC))
    else:
        with existing_database(place) as opened:
            fetched = fetch_confirmation(url, origin)
            now = datetime.now(UTC)
            before = opened.write(lambda connection: confirmed(connection, fetched, kept, now))
    found = fetched.confirmation
    replaced = "" if before in {None, found.account.name} else f"; before: {before}"
    echo(f"{found.key_id}: confirmed by {found.account.name}{replaced}")


def _place(results: Path | None, folder: Path | None, database: str | None) -> Path | str:
    """Return the folder of results, or the URL of a database where none is named.

    Raises:
        PackageError: the extra `serve` is not installed.
        UsageError: no receiver is named.
    """
    if results is None:
        return database_url(folder, database)
    from bench.receiver.required import require_server

    require_server()
    return results
