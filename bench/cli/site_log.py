"""`bench site verify-log`: the log of a receiver, verified by anybody."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, Self

import click

from bench.cli.command import Command
from bench.cli.options import FILE
from bench.cli.reading import note
from bench.cli.streams import echo
from bench.errors import GateError, RecordError, UsageError
from bench.text import clean

if TYPE_CHECKING:
    from collections.abc import Generator

    from bench.receiver.checkpoint import Checkpoint
    from bench.receiver.ledger import Entry
    from bench.submit.destination import Site

_STANDARD_INPUT: Final = "-"


@click.command("verify-log", cls=Command, short_help="Verify the log of a receiver.")
@click.argument("source", metavar="URL|FILE")
@click.option(
    "--checkpoint",
    "kept",
    metavar="FILE",
    type=FILE,
    help="Checkpoint that the log must extend: one you kept.",
)
@click.option(
    "--key", metavar="KEY", help="Id of the site's key, 64 hex digits, which must sign checkpoints."
)
@click.option(
    "--receipt",
    metavar="FILE",
    type=FILE,
    help="Receipt of bench submit: the log must have entries about its record, and they are printed.",
)
def verify_log(*, source: str, kept: Path | None, key: str | None, receipt: Path | None) -> None:
    """Verify that no entry of a log was changed or removed. FILE is a log as downloaded; - is standard input.

    Of a URL the log and its newest checkpoint are fetched. A log shows that it lost entries at its end, or
    was made anew, only against a checkpoint that you kept, and a key that you know from elsewhere.

    \b
    Exit codes: 0 it verifies, 1 it does not, or has no entry of the receipt, 2 a file cannot be read,
    3 the site cannot be reached.

    \b
    Examples:
      bench site verify-log https://results.example.org
      bench site verify-log https://results.example.org --checkpoint kept.json --key KEY
      bench site verify-log log.jsonl --checkpoint kept.json
      bench site verify-log https://results.example.org --receipt my-record.results.example.org.receipt.json
    """
    from bench.receiver.checkpoint import verify_log as verified

    site = _site(source)
    own = None if receipt is None else _Own.of(receipt, site)
    checkpoints = list(_checkpoints(site, kept, key))
    if key is not None and not checkpoints:
        raise UsageError(
            "--key needs a checkpoint", hint="Add --checkpoint FILE, or name the URL of the site"
        )
    with closing(_lines(source, site)) as lines:
        head = verified(lines if own is None else own.watch(lines), checkpoints)
    echo(f"log         {head.size:,} entries, the last one has the hash {head.hash}")
    for each in checkpoints:
        stated = each.statement
        echo(f"checkpoint  {stated.size:,} entries at {stated.at:%Y-%m-%d %H:%M} UTC, {stated.origin}")
        echo(f"            signed by the key {each.key_id}")
    for entry in () if own is None else own.entries():
        echo(f"receipt     entry {entry.seq:,}: {entry.event} at {entry.at:%Y-%m-%d %H:%M} UTC")
    if not checkpoints:
        note("without a checkpoint nobody sees whether entries at the end are missing")
    elif key is None:
        note("keys are free: name that of the site with --key")


class _Own:
    """The entries about the record of a receipt. They are looked for while the log is verified."""

    def __init__(self, subject: str) -> None:
        self._subject = subject
        self._found: list[bytes] = []

    @classmethod
    def of(cls, path: Path, site: "Site | None") -> Self:
        """Read a receipt.

        Raises:
            RecordError: it is none.
            UsageError: it is of another site, or has no salt.
        """
        from bench.receiver.ledger import subject_of
        from bench.submit.receipt import read_receipt

        receipt = read_receipt(path)
        if site is not None and site.url != receipt.site:
            raise UsageError(f"{path}: is of another site", hint=f"That is {clean(receipt.site)}")
        if receipt.log_salt is None or receipt.content_hash is None:
            raise UsageError(
                f"{path}: has no salt, without which no entry can be found",
                hint="A site says it once, to who sends a record first",
            )
        return cls(subject_of(bytes.fromhex(receipt.log_salt), receipt.content_hash))

    def watch(self, lines: Iterable[bytes]) -> Iterator[bytes]:
        """Yield the lines, and keep those with the subject."""
        for line in lines:
            if self._subject.encode() in line:
                self._found.append(line)
            yield line

    def entries(self) -> "list[Entry]":
        """Return the entries, once the log is verified.

        Raises:
            GateError: there is none.
        """
        from bench.receiver.ledger import Entry

        found = [Entry.model_validate_json(line) for line in self._found]
        if own := [each for each in found if each.subject == self._subject]:
            return own
        raise GateError(
            "the log has no entry about the record of the receipt", hint="Keep the receipt, and ask the site"
        )


def _site(source: str) -> "Site | None":
    if "://" not in source:
        return None
    from bench.submit.destination import site_of

    return site_of(source)


def _checkpoints(site: "Site | None", kept: Path | None, key: str | None) -> "Iterator[Checkpoint]":
    """The one that a person kept, and the newest one of the site, fetched before its log."""
    from bench.receiver.checkpoint import MAX_BYTES, read_checkpoint
    from bench.store.untrusted import read_file

    if kept is not None:
        try:
            content = read_file(kept, MAX_BYTES)
        except OSError as error:
            raise RecordError(f"{kept}: cannot be read ({error.strerror})") from error
        yield read_checkpoint(content, str(kept), key)
    if site is not None:
        from bench.submit.site_log import checkpoint_of, checkpoint_url

        yield read_checkpoint(checkpoint_of(site, MAX_BYTES), checkpoint_url(site), key)


def _lines(source: str, site: "Site | None") -> "Generator[bytes, None, None]":
    if site is not None:
        from bench.submit.site_log import log_of

        yield from log_of(site)
    elif source == _STANDARD_INPUT:
        try:
            yield from _lines_of(sys.stdin.buffer)
        except OSError as error:
            raise RecordError(f"standard input: cannot be read ({error.strerror or error})") from error
    else:
        from bench.store.untrusted import open_file

        try:
            with open_file(Path(source)) as file:
                yield from _lines_of(file)
        except OSError as error:
            raise RecordError(f"{source}: cannot be read ({error.strerror})") from error


def _lines_of(file: IO[bytes]) -> Iterator[bytes]:
    """Lines of at most 4 kB: a longer one comes in parts, and is no entry."""
    from bench.submit.site_log import MAX_LINE_BYTES

    return iter(lambda: file.readline(MAX_LINE_BYTES), b"")
