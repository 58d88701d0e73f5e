"""The server itself: one process that answers, until it is asked to stop."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import uvicorn

from bench.identity.challenge import issue_challenge
from bench.receiver.checkpoint import sign_checkpoint
from bench.receiver.database import Database
from bench.receiver.http.app import Receiver, application
from bench.receiver.http.connection import Connection
from bench.receiver.http.limits import Limits, Rate
from bench.receiver.http.moderation import Moderators
from bench.receiver.publisher import Places, Publisher

if TYPE_CHECKING:
    from socket import socket

    from bench.identity.keys import SigningKey

OF_ADDRESS: Final = Rate(per_s=1.0, burst=60)
OF_ALL: Final = Rate(per_s=100.0, burst=500)
OF_WRONG_TOKENS: Final = Rate(per_s=1 / 60, burst=10)
_STOPS_S: Final = 10
MOST_AT_ONCE: Final = 400
MOST_HEADER_BYTES: Final = 16 * 1024


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server answers; `origin` is the address of the site for others, behind a proxy.

    `proxies`: networks whose members may state the address of a client (`X-Forwarded-For`).
    """

    host: str
    port: int
    origin: str
    proxies: tuple[str, ...] = ("127.0.0.1/32", "::1/128")


def serve_until_stopped(
    database: Database,
    places: Places,
    address: Address,
    key: "SigningKey",
    log: Callable[[str], None],
    *,
    token: str | None,
) -> None:
    """Answer until a signal asks to stop; then requests that have begun are answered.

    `token`: of moderators; None where nobody moderates over HTTP.
    """
    with Publisher(database, places, address.origin, log, site_key=key.key_id) as publisher:
        receiver = Receiver(
            database=database,
            public=places.public,
            limits=Limits(OF_ADDRESS, OF_ALL, time.monotonic),
            changed=publisher.changed,
            log=log,
            sign=lambda head: sign_checkpoint(head, address.origin, datetime.now(UTC), key),
            issue=lambda: issue_challenge(address.origin, datetime.now(UTC), key),
            moderators=None
            if token is None
            else Moderators(address.origin, token, Limits(OF_WRONG_TOKENS, OF_ALL, time.monotonic)),
        )
        config = uvicorn.Config(
            application(receiver),
            host=address.host,
            port=address.port,
            http=Connection,
            access_log=False,
            log_config=None,
            server_header=False,
            forwarded_allow_ips=list(address.proxies),
            limit_concurrency=MOST_AT_ONCE,
            timeout_graceful_shutdown=_STOPS_S,
            h11_max_incomplete_event_size=MOST_HEADER_BYTES,
        )
        _Server(config, lambda: log(f"{address.origin}: the site and its receiver; Ctrl-C stops")).run()


class _Server(uvicorn.Server):
    """A server that says when it answers."""

    def __init__(self, config: uvicorn.Config, started: Callable[[], None]) -> None:
        super().__init__(config)
        self._say = started

    async def startup(self, sockets: "list[socket] | None" = None) -> None:
        """Begin to listen."""
        await super().startup(sockets)
        if self.started:
            self._say()
