"""`bench site revoke | confirm`: people decide about keys."""

from datetime import UTC, datetime

import click

from bench.cli.command import Command
from bench.cli.site_database import existing_database
from bench.cli.site_moderation import decision_options
from bench.cli.streams import echo
from bench.errors import UsageError


@click.command(cls=Command, short_help="Revoke a key, and hold what it signed.")
@click.argument("key", metavar="KEY")
@decision_options
def revoke(*, key: str, reason: str, database: str) -> None:
    """Revoke a key for good: hold all that it signed, and all that it will sign.

    KEY is the id of the key, 64 hex digits, as `bench site queue` shows it.

    \b
    Examples:
      bench site revoke KEY --reason "Its owner reports it as stolen"
    """
    with existing_database(database) as opened:
        from bench.receiver.moderation import reason_of
        from bench.receiver.moderation import revoke as revoked

        kept, now = reason_of(reason), datetime.now(UTC)
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
@decision_options
def confirm(*, url: str, origin: str | None, reason: str, database: str) -> None:
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
    with existing_database(database) as opened:
        from bench.receiver.confirming import confirm as confirmed
        from bench.receiver.confirming import fetch_confirmation
        from bench.receiver.moderation import reason_of

        kept = reason_of(reason)
        fetched = fetch_confirmation(url, origin)
        now = datetime.now(UTC)
        before = opened.write(lambda connection: confirmed(connection, fetched, kept, now))
    found = fetched.confirmation
    replaced = "" if before in {None, found.account.name} else f"; before: {before}"
    echo(f"{found.key_id}: confirmed by {found.account.name}{replaced}")
