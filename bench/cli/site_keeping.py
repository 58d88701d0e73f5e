"""`bench site export | backup | restore`: the content of a receiver's database in files, and back."""

from pathlib import Path

import click

from bench.cli.command import Command
from bench.cli.options import FILE
from bench.cli.site_database import database_option, existing_database
from bench.cli.streams import echo


@click.command(cls=Command, short_help="Write the submissions as a folder of results.")
@click.option(
    "--out", required=True, metavar="DIR", type=FILE, help="Folder of results: new, or of an earlier export."
)
@database_option
def export(*, out: Path, database: str) -> None:
    """Write what belongs on the site as a folder of results, and remove what no longer does.

    The folder has the bundles, the decisions of people, and the order in which the bundles came. Notes and
    handles that nobody has read, and addresses, are not in it. `bench site build` makes the pages.

    \b
    Examples:
      bench site export --out results/
      bench site build results/ --out public/
    """
    with existing_database(database) as opened:
        from bench.receiver.export import export as exported

        found = exported(opened, out)
    echo(f"{out}: {len(found.submissions):,} on the site; {found.changed:,} files changed")


@click.command(cls=Command, short_help="Copy the database to a file.")
@click.argument("file", metavar="FILE", type=FILE)
@database_option
def backup(*, file: Path, database: str) -> None:
    """Copy a database of SQLite to a new file, also while the receiver runs, and verify its log.

    The file contains all that the database contains, addresses included: keep it private.

    \b
    Examples:
      bench site backup receiver-2026-12-01.sqlite
    """
    from bench.receiver.backup import back_up

    head = back_up(database, file)
    echo(f"{file}: all of the database; the log verifies (entries: {head.size:,})")


@click.command(cls=Command, short_help="Put a backup in the place of the database.")
@click.argument("file", metavar="FILE", type=FILE)
@click.option("-y", "--yes", is_flag=True, help="Replace a database that has submissions.")
@database_option
def restore(*, file: Path, yes: bool, database: str) -> None:
    """Put a backup in the place of a database of SQLite, after its log has been verified.

    Stop the receiver first. What was received after the backup is lost, and whoever kept a later checkpoint
    of the log sees that. Delete again what was deleted after the backup.

    \b
    Examples:
      bench site restore receiver-2026-12-01.sqlite
    """
    from bench.receiver.backup import restore as restored

    head = restored(file, database, may_replace=yes)
    echo(f"{file}: restored; the log verifies (entries: {head.size:,})")
