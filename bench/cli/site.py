"""`bench site`: the static site of a folder of results, and the receiver of bundles."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from bench.cli import site_keeping, site_keys, site_log, site_moderation
from bench.cli.command import Command, CommandGroup
from bench.cli.options import FILE
from bench.cli.reading import bar, index_file, index_options, note, refuse_if_any
from bench.cli.site_serve import serve
from bench.cli.streams import echo
from bench.errors import UsageError
from bench.store import naming
from bench.store.cycles import without_search_for_cycles

if TYPE_CHECKING:
    from bench.site.build import Built

_KEY: Final = re.compile("[0-9a-f]{64}", re.ASCII)


@click.group(cls=CommandGroup, short_help="Build the site of results, and moderate what is sent to it.")
def site() -> None:
    """Pages, data and answers about the records of a folder, for any static host; the receiver of bundles.

    \b
    Examples:
      bench site build results/ --out public/
      bench site verify-log https://results.example.org
      bench site queue
      bench site publish 0123456789abcdef --reason "The note is harmless"
    """


for command in (
    site_moderation.queue,
    site_moderation.publish,
    site_moderation.reject,
    site_moderation.withdraw,
    site_moderation.delete,
    site_keys.revoke,
    site_keys.confirm,
    site_keeping.export,
    site_keeping.backup,
    site_keeping.restore,
    site_log.verify_log,
):
    site.add_command(command)


@site.command(cls=Command, short_help="Write pages and data from records.")
@click.argument("results", metavar="RESULTS", type=FILE)
@click.option("--out", required=True, metavar="DIR", type=FILE, help="Folder for the site.")
@click.option(
    "--receiver",
    metavar="URL",
    help="Address of the site, where it takes bundles (bench site serve). Default: it takes none.",
)
@click.option(
    "--site-key",
    metavar="KEY",
    help="Id of the key that issues this site's challenges (64 hex digits). Default: none is its own.",
)
@index_options
def build(
    *,
    results: Path,
    out: Path,
    receiver: str | None,
    site_key: str | None,
    index: Path | None,
    no_index: bool,
) -> None:
    """Write the site of all records and bundles below a folder. The same folder gives the same bytes.

    A record with errors is refused: its page lists the findings and no figures. A suspicious one is held: in
    no median until a file published/ID.json says why it counts. A file withdrawn/ID.json leaves a tombstone,
    and keys/KEY.json says which account confirms a key, or that it was revoked.
    Who came first is asked of git. docs/site.md has the rules. A file that is no record is named.

    \b
    Examples:
      bench site build results/ --out public/
      bench site build results/ --out public/ --no-index
    """
    with without_search_for_cycles():  # nothing that is imported is garbage
        from bench.site.build import Task, Watch, build_site
    from bench.submit.destination import site_of

    if site_key is not None and _KEY.fullmatch(site_key) is None:
        raise UsageError(
            "--site-key: a key has 64 hex digits as its id", hint="bench submit --key-info shows it"
        )
    address = None if receiver is None else site_of(receiver).url
    task = Task(results, out, receiver=address, site_key=site_key)
    place = index_file(index, no_index=no_index, name=naming.SITE_INDEX)
    with bar("reading records") as reading, bar("writing pages") as writing:
        built = build_site(task, place, is_ours=index is None, watch=Watch(note, reading, writing))
    echo(f"{out}: {_summary(built)}")
    if not built.order_is_known:
        note(f"{results}: no whole git history says which record came first; names decide")
    refuse_if_any(built.errors)


def _summary(built: "Built") -> str:
    counts = ", ".join(f"{count:,} {state.value}" for state, count in built.states.items() if count)
    records = f"{built.cards:,} cards; records: {counts or 'none'}"
    return f"{records}; {built.changed:,} of {built.files:,} files changed"


site.add_command(serve)
