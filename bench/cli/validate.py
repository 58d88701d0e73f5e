"""`bench validate`: whether a record can be believed."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bench.cli.command import Command
from bench.cli.options import FILE
from bench.cli.streams import echo
from bench.errors import ExitCode, RecordError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.records.findings import RecordFindings


@click.command(cls=Command, short_help="Check whether records can be believed.")
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=FILE)
@click.option(
    "--against",
    "others",
    metavar="DIR",
    type=FILE,
    help="Folder of records: list also figures outside the prediction, or far from others of the card.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON. Default: a line each.")
def validate(files: tuple[Path, ...], *, others: Path | None, as_json: bool) -> int:
    """Check records and bundles for contradictions, and for what no card can do. A folder: all below it.

    Everything is recomputed from the file: hashes, cell ids, cells of the suite, summaries from the raw
    repeats, bytes and operations from the architecture. A figure that is merely fast is suspicious, with
    its ratio; what cannot be is an error. The signature of a bundle is verified. docs/validating.md lists
    every finding with its slack.

    \b
    Exit codes: 0 no errors, 1 errors, 2 a file is no record; of several files the highest.

    \b
    Examples:
      bench validate results/MOSS-Audio-4B-Instruct/rtx-4070/20261122T000554Z-quick-dc1f6524e0f0.json
      bench validate results/
      bench validate sent.json --against results/
      bench validate results/ --json
    """
    from bench.cli.findings_output import finding_lines, findings_exit_code
    from bench.records.findings import FindingsDocument
    from bench.store.untrusted import kind_of
    from bench.validate.files import judged

    if others is not None and kind_of(others) != "folder":
        raise UsageError(f"--against: {others} is not a folder", hint="Name a folder of records")
    found = tuple(judged(_records(files), datetime.now(UTC), others))
    if as_json:
        echo(FindingsDocument(files=found).model_dump_json(indent=2))
    else:
        for each in found if len(found) > 1 or found[0].refusal is None else ():
            for line in finding_lines(each):
                echo(line)
        if len(found) > 1:
            echo(f"\n{len(found)} files: {_total(found)}")
    refused = [each.refusal for each in found if each.refusal is not None]
    if refused:
        are = "is no record" if len(refused) == 1 else "are no records"
        raise RecordError(refused[0] if len(found) == 1 else f"{len(refused)} of {len(found)} files {are}")
    return max(findings_exit_code(each) for each in found)


def _records(paths: tuple[Path, ...]) -> "Iterator[Path]":
    from bench.store.record_files import find_records
    from bench.store.untrusted import kind_of

    for path in paths:
        if kind_of(path) == "folder":
            yield from find_records(path)
        elif kind_of(path) is None:
            raise RecordError(f"{path}: no such file", hint="Give the path that `bench run` printed")
        else:
            yield path


def _total(found: "tuple[RecordFindings, ...]") -> str:
    from bench.cli.findings_output import findings_exit_code

    refused = sum(each.refusal is not None for each in found)
    wrong = sum(findings_exit_code(each) is ExitCode.GATE for each in found)
    return f"{len(found) - refused - wrong} without errors, {wrong} with errors, {refused} no record"
