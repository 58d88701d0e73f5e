"""`bench submit --to URL`: a bundle that is on disk sent to a site, and the answer printed and kept."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from bench.cli.streams import echo
from bench.errors import GateError

if TYPE_CHECKING:
    from bench.submit.site_address import Site


def send_bundle(bundle: Path, content: bytes, site: "Site") -> None:
    """Send a bundle and keep the receipt beside it.

    Raises:
        GateError: the site refuses the bundle; its findings are printed.
        SiteError: the site cannot be reached, or is none that takes submissions.
        StorageError: the disk refused the receipt.
    """
    from bench.cli.findings_output import lines_about
    from bench.submit.answer import Refused
    from bench.submit.receipt import page_of, write_receipt
    from bench.submit.send import digest_of, send

    answer = send(content, site, _progress)
    if answer.findings:
        for line in lines_about(site.host, answer.findings):
            echo(line)
    if isinstance(answer, Refused):
        raise GateError(f"{site.url} refuses the bundle: {answer.title}", hint=f"It is kept as {bundle}")
    receipt = write_receipt(bundle, site, answer, digest_of(content), datetime.now(UTC))
    for line in (
        f"sent      {site.url}, as {answer.id}",
        f"state     {answer.state}",
        f"page      {page_of(site, answer)}",
        f"receipt   {receipt}",
    ):
        echo(line)


def _progress(line: str) -> None:
    """Print what happens now for a person who waits."""
    if sys.stderr.isatty():
        echo(line, err=True)
