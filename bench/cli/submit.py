"""`bench submit`: sign a record and hand it over, verify a bundle, look at the key."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bench.cli.command import Command
from bench.cli.options import FILE
from bench.cli.streams import can_ask, echo
from bench.cli.submit_confirmation import write_confirmation
from bench.cli.submit_online import account_of_hub, send_to_dataset, send_to_site
from bench.errors import ExitCode, GateError, UsageError
from bench.submit.destination import Dataset, Site, destination_of

if TYPE_CHECKING:
    from bench.identity.keys import SigningKey
    from bench.submit.draft import Draft
    from bench.submit.repository import Repository

_GIT = "git"
_NO_KEY = "0" * 64
_WAYS = (
    "--to URL sends the bundle to a site or to the Hub, --to git puts it onto a branch of a clone, --offline "
    "writes it to a folder"
)


@click.command(cls=Command, short_help="Sign a record and submit it.")
@click.argument("record", metavar="[RECORD]", required=False, type=FILE)
@click.option(
    "--to",
    "destination",
    metavar="URL|git",
    help="URL: send the bundle to a site (https://HOST), or open a pull request on a dataset of the Hub "
    "(hf://datasets/ORG/NAME). git: commit it to a branch of a clone.",
)
@click.option(
    "--repository",
    metavar="DIR",
    type=FILE,
    help="With --to git: clone of the repository of the results. Default: the current folder.",
)
@click.option("--offline", is_flag=True, help="Write the bundle to a folder, and send nothing.")
@click.option(
    "--out",
    metavar="DIR",
    type=FILE,
    help="With --offline: folder of the bundle (default: that of RECORD). With --confirm: folder of the file "
    "(default: the current one).",
)
@click.option("--note", metavar="TEXT", help="Remark for readers, at most 500 characters.")
@click.option(
    "--handle",
    metavar="NAME",
    help="Name to show with the record: letters, digits, and ._- inside.",
)
@click.option("--print", "print_all", is_flag=True, help="Print all that would be signed as JSON, and exit.")
@click.option("-y", "--yes", is_flag=True, help="Agree to the licence without a question.")
@click.option("--verify", "bundle", metavar="BUNDLE", type=FILE, help="Check a bundle of anybody, and exit.")
@click.option(
    "--confirm",
    "account",
    metavar="URL",
    help="Write the file that confirms your key as that of the account of URL, to be published there. "
    "Needs --to SITE.",
)
@click.option("--key-info", is_flag=True, help="Show the id and the file of your key, and exit.")
@click.option("--rotate-key", is_flag=True, help="Keep your key under its id, make a new one, and exit.")
def submit(
    *,
    record: Path | None,
    destination: str | None,
    repository: Path | None,
    offline: bool,
    out: Path | None,
    note: str | None,
    handle: str | None,
    print_all: bool,
    yes: bool,
    bundle: Path | None,
    account: str | None,
    key_info: bool,
    rotate_key: bool,
) -> int:
    """Sign a record with your key, and hand it over as a bundle. Only --to URL uses the network.

    Shows what will be signed, with its licence (CC0), and asks. A record with errors (`bench validate`) or
    with private text is refused. The key is made on first use, in your configuration folder.

    With --to URL the bundle is written next to RECORD and then sent; the same command sends the same bundle
    again, and it counts once. The receipt is kept next to it.

    \b
    Exit codes: 0 done, 1 the record has errors or the site refuses it, 2 no record or no agreement,
    3 the key cannot be used, or the site or the Hub cannot be reached.

    \b
    Examples:
      bench submit results/MOSS-Audio-4B-Instruct/rtx-4070/20261122T000554Z-quick-dc1f6524e0f0.json --to git
      bench submit my-record.json --to https://results.example.org
      bench submit my-record.json --to hf://datasets/ORG/NAME
      bench submit my-record.json --offline --note "Open case, fans at 100 %"
      bench submit my-record.json --print
      bench submit --verify their-record.bundle.json
      bench submit --confirm https://raw.githubusercontent.com/ada/notes/HEAD/key.txt --to https://results.example.org
      bench submit --key-info
    """
    modes = {
        "--verify": bundle is not None,
        "--confirm": account is not None,
        "--key-info": key_info,
        "--rotate-key": rotate_key,
    }
    chosen = [name for name, is_given in {"RECORD": record is not None, **modes}.items() if is_given]
    if len(chosen) > 1:
        raise UsageError(f"{' and '.join(chosen)} exclude each other", hint="Leave all but one out")
    if bundle is not None:
        return _verify(bundle)
    if account is not None:
        return write_confirmation(account, destination, out)
    if key_info:
        return _key_info()
    if rotate_key:
        return _rotate_key()
    if record is None:
        raise UsageError("no record is named", hint="bench submit RECORD; bench run prints the path")
    way = _way(record, destination, repository, out, offline=offline, print_all=print_all)
    return _submit(record, way, handle=handle, note=note, yes=yes)


@dataclass(frozen=True)
class _Way:
    """Where a bundle goes: a folder, and from there to a site or a dataset; a clone; or standard output."""

    folder: Path | None = None
    remote: Site | Dataset | None = None
    clone: Path | None = None


def _way(
    record: Path,
    destination: str | None,
    repository: Path | None,
    out: Path | None,
    *,
    offline: bool,
    print_all: bool,
) -> _Way:
    given = [destination is not None, offline, print_all].count(True)
    if given > 1:
        raise UsageError("--to, --offline and --print exclude each other", hint=_WAYS)
    if not given:
        raise UsageError("no way to submit is chosen", hint=_WAYS)
    if out is not None and not offline:
        raise UsageError("--out needs --offline", hint=_WAYS)
    if repository is not None and destination != _GIT:
        raise UsageError("--repository needs --to git", hint=_WAYS)
    if destination == _GIT:
        return _Way(clone=repository or Path())
    if destination is not None:
        return _Way(folder=record.parent, remote=destination_of(destination))
    return _Way() if print_all else _Way(folder=out or record.parent)


def _submit(path: Path, way: _Way, *, handle: str | None, note: str | None, yes: bool) -> int:
    from bench.cli.findings_output import finding_lines
    from bench.cli.submit_output import draft_lines
    from bench.identity.envelope import sign
    from bench.identity.keys import open_key
    from bench.records.findings import Severity
    from bench.store.bundle import render_envelope
    from bench.submit.draft import draft
    from bench.submit.repository import Repository

    made = draft(path, datetime.now(UTC), handle=handle, note=note)
    if made.findings.count(Severity.ERROR):
        for line in finding_lines(made.findings):
            echo(line)
        raise GateError("nothing was signed", hint="Only a record without errors is submitted")
    if way.folder is None and way.clone is None:
        return _print(made)
    # What can be refused is refused before a key is made.
    repository, committer = None, None
    if way.clone is not None:
        repository = Repository(way.clone)
        repository.require_new(made.record.record_id)
        committer = repository.committer()
    account = account_of_hub() if isinstance(way.remote, Dataset) else ""
    key = open_key()
    envelope = sign(made.document, key.signer, handle=made.handle, note=made.note)
    content = render_envelope(envelope)
    for line in (*draft_lines(made, key, len(content)), *finding_lines(made.findings)):
        echo(line)
    if committer is not None:
        echo(f"git       the commit shows your name and address to everybody: {committer}")
    if isinstance(way.remote, Dataset):
        echo(f"dataset   {way.remote.address}; the pull request shows your account to everybody: {account}")
    if isinstance(way.remote, Site):
        echo(f"site      {way.remote.url}")
    _agree(yes)
    if repository is not None:
        _commit(repository, made, key, content)
    elif way.folder is not None:
        bundle = _write(way.folder, made, key, content)
        if isinstance(way.remote, Dataset):
            send_to_dataset(bundle, content, made.record, way.remote, account)
        elif isinstance(way.remote, Site):
            send_to_site(bundle, content, made.record, way.remote)
    return ExitCode.DONE


def _print(made: "Draft") -> int:
    """Print the statement that would be signed, as a person can read it. No key is made for that."""
    import json

    from bench.identity.keys import find_key
    from bench.store.bundle import payload_of
    from bench.text import printable_json

    key = find_key()
    if key is None:
        echo("no key yet: the public key is shown as zeros; the first submission makes one", err=True)
    public_key = _NO_KEY if key is None else key.public_key
    payload = payload_of(made.document, public_key=public_key, handle=made.handle, note=made.note)
    echo(printable_json(json.dumps(json.loads(payload), indent=2, ensure_ascii=False)))
    return ExitCode.DONE


def _agree(yes: bool) -> None:
    """Ask whether to sign.

    Raises:
        UsageError: the answer was no, or nobody can be asked.
    """
    from bench.records.submission import LICENSE

    if yes:
        return
    if not can_ask(f"Publish this under {LICENSE}?"):
        raise UsageError(f"publishing under {LICENSE} needs your agreement", hint="Add --yes")
    if not click.confirm("", default=False, err=True):
        raise UsageError("nothing was written", hint="The record is as it was")


def _write(folder: Path, made: "Draft", key: "SigningKey", content: bytes) -> Path:
    from bench.store.record_files import write_atomically
    from bench.submit.place import name_of

    path = folder / name_of(made.record, key.key_id)
    write_atomically(path, content)
    echo(f"bundle    {path}")
    return path


def _commit(repository: "Repository", made: "Draft", key: "SigningKey", content: bytes) -> None:
    from bench.cli.submit_output import commit_lines
    from bench.submit.place import place_of

    place = place_of(made.record, key.key_id)
    for line in commit_lines(repository.commit(place, content, made.record.record_id), repository.folder):
        echo(line)


def _verify(path: Path) -> int:
    from bench.cli.findings_output import finding_lines, findings_exit_code
    from bench.cli.submit_output import bundle_lines
    from bench.identity.envelope import read_bundle
    from bench.validate.files import judge

    for line in bundle_lines(read_bundle(path)):
        echo(line)
    found = judge(path, datetime.now(UTC))
    for line in finding_lines(found):
        echo(line)
    return findings_exit_code(found)


def _key_info() -> int:
    from bench.cli.submit_output import key_lines
    from bench.identity.keys import find_key, key_path

    key = find_key()
    for line in [f"no key yet: the first submission makes {key_path()}"] if key is None else key_lines(key):
        echo(line)
    return ExitCode.DONE


def _rotate_key() -> int:
    from bench.cli.submit_output import key_lines
    from bench.identity.keys import rotate_key

    aside, key = rotate_key()
    for line in (*([] if aside is None else [f"old key   {aside}"]), *key_lines(key)):
        echo(line)
    return ExitCode.DONE
