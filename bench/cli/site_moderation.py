"""`bench site queue | publish | reject | withdraw | delete`: people decide about submissions."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from bench.cli.command import Command
from bench.cli.site_database import database_option, existing_database
from bench.cli.streams import can_ask, echo
from bench.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from bench.receiver.states import Action, State
    from bench.receiver.submissions import Submission

F = TypeVar("F", bound=Callable[..., Any])
_NOT_RECALLED: Final = (
    "Deleted are body, note, handle and address; a tombstone with the reason stays.",
    "Nobody can recall copies that others have: commits in git, downloaded data (Parquet, CSV, bundles),",
    "and copies on the Hub. Earlier backups of the database contain the submission.",
)


def reason_option(function: F) -> F:
    """Add `--reason`."""
    return click.option(
        "--reason", required=True, metavar="TEXT", help="Why: 1 to 500 characters, kept and shown."
    )(function)


def _with_id(function: F) -> F:
    return click.argument("submission", metavar="ID")(reason_option(database_option(function)))


# --- what waits -------------------------------------------------------------------------------------------


@click.command(cls=Command, short_help="List submissions that wait for a decision.")
@click.option(
    "--state",
    "states",
    default="held",
    metavar="L",
    help="States to list, such as held,valid. Default: held.",
)
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON. Default: some lines each.")
@database_option
def queue(*, states: str, as_json: bool, database: str) -> None:
    """List submissions in some states, the first received first.

    States: received, valid, held, published, rejected, withdrawn, deleted. docs/receiver.md explains them.

    \b
    Examples:
      bench site queue
      bench site queue --state valid,published --json
    """
    with existing_database(database) as opened:
        from bench.receiver.submissions import listed

        wanted = _states(states)
        found = opened.read(lambda connection: list(listed(connection, wanted)))
    if as_json:
        _print_json(found)
        return
    for one in found:
        for line in _lines(one):
            echo(line)
    echo(f"submissions that are {' or '.join(wanted)}: {len(found):,}")


def _states(text: str) -> "Collection[State]":
    from bench.receiver.states import State

    try:
        return tuple(State(word.strip()) for word in text.split(","))
    except ValueError as error:
        raise UsageError(f"--state: {error}", hint=f"Use {', '.join(State)}") from error


def _print_json(found: "list[Submission]") -> None:
    from pydantic import TypeAdapter

    from bench.receiver.submissions import Submission
    from bench.text import printable_json

    content = TypeAdapter(dict[str, list[Submission]]).dump_json({"submissions": found}, indent=2)
    echo(printable_json(content.decode()))


def _lines(one: "Submission") -> "Iterator[str]":
    from bench.cli.findings_output import lines_about
    from bench.text import clean

    yield f"{one.id}  {one.state}  {one.received_at:%Y-%m-%d %H:%M} UTC  {one.model}/{one.slug}"
    words = {"reason": one.reason, "key": one.key_id, "handle": one.handle, "note": one.note}
    for name, text in words.items():
        if text is not None:
            yield f"  {name:9} {clean(text)}"
    if one.findings:
        for line in lines_about("findings", one.findings):
            yield f"  {line}"


# --- decisions about a submission -------------------------------------------------------------------------


@click.command(cls=Command, short_help="Publish a submission.")
@_with_id
def publish(*, submission: str, reason: str, database: str) -> None:
    """Publish a submission that waits, was rejected or was withdrawn, or that the site holds as an outlier.

    The next build of the site shows it.

    \b
    Examples:
      bench site publish 0123456789abcdef --reason "The note is harmless"
    """
    from bench.receiver.states import Action

    _decide(submission, Action.PUBLISH, reason, database)


@click.command(cls=Command, short_help="Reject a submission that waits.")
@_with_id
def reject(*, submission: str, reason: str, database: str) -> None:
    """Reject a submission that waits for a decision. It is kept, and never shown.

    \b
    Examples:
      bench site reject 0123456789abcdef --reason "The note is an advertisement"
    """
    from bench.receiver.states import Action

    _decide(submission, Action.REJECT, reason, database)


@click.command(cls=Command, short_help="Withdraw a submission from the site.")
@_with_id
def withdraw(*, submission: str, reason: str, database: str) -> None:
    """Replace a submission on the site by a tombstone with the reason. Its body is kept.

    \b
    Examples:
      bench site withdraw 0123456789abcdef --reason "The sender measured another card"
    """
    from bench.receiver.states import Action

    _decide(submission, Action.WITHDRAW, reason, database)


@click.command(cls=Command, short_help="Delete a submission for good.")
@_with_id
@click.option("-y", "--yes", is_flag=True, help="Delete without a question.")
def delete(*, submission: str, reason: str, database: str, yes: bool) -> None:
    """Delete body, note, handle and address of a submission, on request. The log still verifies.

    It says what cannot be recalled, and asks.

    \b
    Examples:
      bench site delete 0123456789abcdef --reason "Asked for by the sender"
    """
    from bench.receiver.states import Action

    _decide(submission, Action.DELETE, reason, database, yes=yes)


def _decide(submission: str, action: "Action", reason: str, database: str, *, yes: bool = True) -> None:
    with existing_database(database) as opened:
        from bench.receiver.moderation import moderate, reason_of
        from bench.receiver.states import Action, after
        from bench.receiver.submissions import find

        kept = reason_of(reason)
        known = opened.read(lambda connection: find(connection, submission))
        after(known.state, action)  # refused before a question
        if action is Action.DELETE:
            _agree(known.id, yes=yes)
        now = datetime.now(UTC)
        found = opened.write(lambda connection: moderate(connection, submission, action, kept, now))
        echo(f"{found.id}: {found.state}")
        if action is Action.DELETE:
            opened.forget_deleted()


def _agree(submission: str, *, yes: bool) -> None:
    """Say what cannot be recalled, and ask.

    Raises:
        UsageError: the answer was no, or nobody can be asked.
    """
    for line in _NOT_RECALLED:
        echo(line, err=True)
    if yes:
        return
    if not can_ask(f"Delete {submission}?"):
        raise UsageError("a deletion cannot be undone, and needs your agreement", hint="Add --yes")
    if not click.confirm("", default=False, err=True):
        raise UsageError("nothing was deleted", hint="bench site withdraw keeps the body")
