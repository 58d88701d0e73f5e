"""`bench submit --to URL` and `--to hf://...`: a bundle that is on disk sent, the answer printed and kept."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from bench.cli.streams import echo
from bench.errors import GateError

if TYPE_CHECKING:
    from bench.records.record import Record
    from bench.submit.destination import Dataset, Site
    from bench.submit.receipt import Receipt


def send_to_site(bundle: Path, content: bytes, record: "Record", site: "Site") -> None:
    """Send a bundle to a site and keep the receipt beside it.

    Raises:
        GateError: the site refuses the bundle; its findings are printed.
        SiteError: the site cannot be reached, or is none that takes submissions.
        StorageError: the disk refused the receipt.
    """
    from bench.cli.findings_output import lines_about
    from bench.submit.answer import Refused
    from bench.submit.receipt import Receipt
    from bench.submit.send import digest_of, send

    answer = send(content, site, _progress)
    if answer.findings:
        for line in lines_about(site.host, answer.findings):
            echo(line)
    if isinstance(answer, Refused):
        raise GateError(f"{site.url} refuses the bundle: {answer.title}", hint=f"It is kept as {bundle}")
    receipt = Receipt(
        site=site.url,
        id=answer.id,
        state=answer.state,
        url=site.url + answer.url,
        sent_at=datetime.now(UTC),
        bundle_sha256=digest_of(content),
        content_hash=record.content_hash,
        log_salt=answer.log_salt,
    )
    _keep(bundle, receipt)


def account_of_hub() -> str:
    """Return the account that opens pull requests on the Hub.

    Raises:
        SiteError: there is none, or the Hub cannot be reached.
    """
    from bench.errors import SiteError
    from bench.weights.hub_settings import set_aside

    with set_aside() as fault:
        if fault is not None:
            raise SiteError(fault.message, hint=fault.hint)
    from bench.submit.dataset import account

    return account()


def send_to_dataset(bundle: Path, content: bytes, record: "Record", dataset: "Dataset", author: str) -> None:
    """Open a pull request that adds a bundle, and keep the receipt beside it.

    Raises:
        UsageError: the dataset has the bundle already.
        SiteError: the Hub cannot be reached, or refuses.
        StorageError: the disk refused the receipt.
    """
    from bench.submit.dataset import open_pull_request
    from bench.submit.place import folder_of
    from bench.submit.receipt import Receipt
    from bench.submit.send import digest_of

    place = folder_of(record) / bundle.name
    _progress(f"opening a pull request on {dataset.address}")
    made = open_pull_request(content, place, record.record_id, dataset, author)
    receipt = Receipt(
        site=dataset.address,
        id=str(made.number),
        state=made.status,
        url=made.url,
        sent_at=datetime.now(UTC),
        bundle_sha256=digest_of(content),
    )
    _keep(bundle, receipt)


def _keep(bundle: Path, receipt: "Receipt") -> None:
    from bench.submit.receipt import write_receipt
    from bench.wording.submissions import state

    path = write_receipt(bundle, receipt)
    echo(f"sent      {receipt.site}, as {receipt.id}")
    echo(f"state     {state(receipt.state)}")
    echo(f"page      {receipt.url}")
    echo(f"receipt   {path}")


def _progress(line: str) -> None:
    """Print what happens now for a person who waits."""
    if sys.stderr.isatty():
        echo(line, err=True)
