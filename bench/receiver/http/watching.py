"""What surrounds every request: security headers, a count, a line of the log, an answer to a failure."""

import json
import time
from collections.abc import Callable
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bench.receiver.http.metrics import Metrics

_HEADERS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
    (b"content-security-policy", b"frame-ancestors 'none'"),
)
"""Pages state the rest of their policy themselves. TLS, and its header, are the proxy's."""


class Watching:
    """An application around another one. `log` takes a line of JSON for each answer: no address, no name."""

    def __init__(self, app: ASGIApp, metrics: Metrics, log: Callable[[str], None]) -> None:
        self._app = app
        self._metrics = metrics
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status, begin = 500, time.perf_counter()

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message = {**message, "headers": [*message["headers"], *_HEADERS]}
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        finally:
            took_s, method = time.perf_counter() - begin, _method(scope)
            route = _route(scope)
            self._metrics.count(method, route, status, took_s)
            line = {"method": method, "route": route, "status": status, "took_s": round(took_s, 4)}
            self._log(json.dumps(line))


def _method(scope: Scope) -> str:
    method: str = scope["method"]
    return method if method in {"GET", "HEAD", "POST", "OPTIONS"} else "other"


def _route(scope: Scope) -> str:
    """The route's own pattern: an address of a page says who looks at what."""
    path = getattr(scope.get("route"), "path", "")
    return path or "page"
