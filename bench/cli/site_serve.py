"""`bench site serve`: the site with a receiver of bundles behind it."""

import os
import sys
from ipaddress import ip_network
from pathlib import Path

import click

from bench.cli.command import Command
from bench.cli.site_database import database_url, receiver_options, secret
from bench.errors import UsageError
from bench.text import MAX_NAME, clean


@click.command(cls=Command, short_help="Serve the site, and receive bundles.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to answer at.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
@receiver_options
@click.option(
    "--origin",
    metavar="URL",
    envvar="BENCH_ORIGIN",
    help="Address of the site for others: https://HOST behind a proxy. Its pages, its signed log and "
    "confirmations of keys name it. Default: BENCH_ORIGIN, else http:// with host and port, here.",
)
@click.option(
    "--trust-proxy",
    metavar="L",
    envvar="BENCH_TRUST_PROXY",
    default="127.0.0.1,::1",
    show_default=True,
    help="Addresses or networks of the proxy before the site, which may state the address of a client "
    "(X-Forwarded-For). Environment variable: BENCH_TRUST_PROXY.",
)
def serve(
    *,
    host: str,
    port: int,
    folder: Path | None,
    database: str | None,
    origin: str | None,
    trust_proxy: str,
) -> None:
    """Answer with the site's pages, and receive bundles at /api/submissions.

    A bundle is judged as bench validate judges it: refused with its findings, held for a person, or shown
    after the next build, which follows at once. TLS is the task of a proxy. docs/receiver.md has the rules.
    With a token in BENCH_MODERATION_TOKEN moderators can decide over HTTP, too.

    \b
    Examples:
      bench site serve --folder /srv/bench
      bench site serve --folder /srv/bench --database postgresql://bench@localhost/bench --origin https://bench.example
    """
    url = database_url(folder, database)
    if folder is None:
        raise UsageError("the site needs a folder", hint="Add --folder DIR")
    from bench.identity.keys import open_key
    from bench.receiver.database import Database, server_of
    from bench.receiver.http.moderation import VARIABLE, token_of
    from bench.receiver.http.server import Address, serve_until_stopped
    from bench.receiver.publisher import Places

    # No process that is started here needs the token.
    token = token_of(secret(os.environ.pop(VARIABLE, ""), VARIABLE))
    places = Places.below(folder)
    address = Address(host, port, _origin(host, port, origin), _networks(trust_proxy))
    folder.mkdir(parents=True, exist_ok=True)
    with server_of(url), Database(url) as opened:
        serve_until_stopped(opened, places, address, open_key(), _log, token=token)


def _origin(host: str, port: int, given: str | None) -> str:
    """Return the address of the site.

    Raises:
        UsageError: it is none, or none is given where others can ask.
    """
    from bench.receiver.checkpoint import MAX_ORIGIN
    from bench.submit.destination import site_of

    if given is not None:
        address = site_of(given).url
        if len(address) > MAX_ORIGIN:
            raise UsageError(f"--origin: has more than {MAX_ORIGIN} characters", hint="Use a shorter address")
        return address
    own = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    try:
        return site_of(own).url
    except UsageError as error:
        raise UsageError(
            f"--host {clean(host, MAX_NAME)}: others need the address of the site",
            hint="Add --origin https://HOST",
        ) from error


def _networks(text: str) -> tuple[str, ...]:
    """Return the networks in a list.

    Raises:
        UsageError: one is none, or contains every address.
    """
    try:
        found = [ip_network(each.strip()) for each in text.split(",")]
    except ValueError as error:
        raise UsageError(
            f"--trust-proxy: '{clean(text, MAX_NAME)}' is no list of addresses",
            hint="Such as 127.0.0.1 or 172.20.0.0/24",
        ) from error
    if not all(each.prefixlen for each in found):
        raise UsageError("--trust-proxy: everybody could state any address", hint="Name the proxy alone")
    return tuple(map(str, found))


def _log(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201  (a line for each answer, of several threads)
