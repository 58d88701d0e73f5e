"""A real server in this process, on a port that the system chooses."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import httpx2
import uvicorn

from bench.identity.challenge import issue_challenge
from bench.identity.keys import SigningKey
from bench.receiver.checkpoint import sign_checkpoint
from bench.receiver.database import Database
from bench.receiver.http.app import MOST_BODY_S, Receiver, application
from bench.receiver.http.connection import Connection
from bench.receiver.http.limits import Limits, Rate
from bench.receiver.http.moderation import Moderators
from bench.receiver.http.server import MOST_AT_ONCE, MOST_HEADER_BYTES
from tests.identity.signers import signer
from tests.receiver.sent import NOW

KEY = SigningKey(signer(1), Path("tests"))
FREE = Rate(per_s=1e6, burst=10**6)


@contextmanager
def served(
    database: Database,
    public: Path,
    lines: list[str],
    *,
    of_address: Rate = FREE,
    of_all: Rate = FREE,
    moderators: Moderators | None = None,
    connection: type[Connection] = Connection,
    most_body_s: float = MOST_BODY_S,
) -> Iterator[httpx2.Client]:
    """Serve, and yield a client. `lines` gets the lines of the log, and `changed` for each new bundle."""
    limits = Limits(of_address, of_all, lambda: 0.0)
    changed, sign = (
        partial(lines.append, "changed"),
        partial(sign_checkpoint, origin="tests", at=NOW, key=KEY),
    )
    issue = partial(issue_challenge, site="http://127.0.0.1", at=NOW, key=KEY)
    receiver = Receiver(database, public, limits, changed, lines.append, sign, issue, moderators, most_body_s)
    config = uvicorn.Config(
        application(receiver),
        http=connection,
        log_config=None,
        access_log=False,
        limit_concurrency=MOST_AT_ONCE,
        h11_max_incomplete_event_size=MOST_HEADER_BYTES,
    )
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # as asyncio does for its own sockets
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        try:
            with httpx2.Client(base_url=f"http://127.0.0.1:{listening.getsockname()[1]}") as client:
                yield client
        finally:
            server.should_exit = True
            thread.join()
