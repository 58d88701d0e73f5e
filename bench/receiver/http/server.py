"""The server itself: one process that answers, until it is asked to stop."""

import time
from collections.abc import Callable
from typing import Final

import uvicorn

from bench.receiver.database import Database
from bench.receiver.http.app import Receiver, application
from bench.receiver.http.limits import Limits, Rate
from bench.receiver.publisher import Places, Publisher

OF_ADDRESS: Final = Rate(per_s=1.0, burst=60)
OF_ALL: Final = Rate(per_s=100.0, burst=500)
_STOPS_S: Final = 10
_MOST_AT_ONCE: Final = 200


def serve(database: Database, places: Places, host: str, port: int, log: Callable[[str], None]) -> None:
    """Answer until a signal asks to stop; then requests that have begun are answered.

    A proxy on this computer may state the address of a client (`X-Forwarded-For`); nobody else may.
    """
    with Publisher(database, places, log) as publisher:
        receiver = Receiver(
            database=database,
            public=places.public,
            limits=Limits(OF_ADDRESS, OF_ALL, time.monotonic),
            changed=publisher.changed,
            log=log,
        )
        config = uvicorn.Config(
            application(receiver),
            host=host,
            port=port,
            access_log=False,
            log_config=None,
            server_header=False,
            date_header=True,
            limit_concurrency=_MOST_AT_ONCE,
            timeout_graceful_shutdown=_STOPS_S,
            timeout_keep_alive=5,
            h11_max_incomplete_event_size=16 * 1024,
        )
        uvicorn.Server(config).run()
