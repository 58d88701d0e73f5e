"""The routes of the receiver. Nothing in a path or a header of a request ever names a file."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Final

import sqlalchemy as sa
from fastapi import FastAPI, Header, Request, Response
from fastapi import Path as InPath
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, StreamingResponse
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Match, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from bench.errors import RecordError, StorageError
from bench.receiver import ledger
from bench.receiver import submissions as stored_submissions
from bench.receiver.database import Database
from bench.receiver.http.answers import Refused, Stored, stored
from bench.receiver.http.body import BodyError, read_body
from bench.receiver.http.limits import Limits
from bench.receiver.http.metrics import Metrics
from bench.receiver.http.moderation import Moderated, Moderators, moderation
from bench.receiver.http.watching import Watching
from bench.receiver.intake import RefusedError, judge
from bench.receiver.submissions import ReusedKeyError, Submission, receive, salt_of
from bench.records.submission import MOST_BYTES, Envelope

MOST_BODY_S: Final = 30.0
_AGAIN_S: Final = 5
_JUDGED_AT_ONCE: Final = 4
"""A bundle of 4 MiB can need 90 MiB while it is judged. The database has one writer at a time."""
_PART: Final = 1000
"""Entries of the log that are read at once."""
_Id = Annotated[str, InPath(pattern="^(?:[0-9a-f]{16}|[0-9a-f]{64})$")]
_Idempotency = Annotated[str | None, Header(max_length=200)]
_ERRORS: Final[dict[int | str, dict[str, Any]]] = {
    status: {"model": Refused} for status in (400, 408, 409, 413, 415, 422, 429, 503)
}
_UNAVAILABLE: Final[dict[int | str, dict[str, Any]]] = {503: {"model": Refused}}
_WHOLE: Final = Envelope.model_json_schema(by_alias=True, ref_template="#/components/schemas/{model}")
_PARTS: Final = _WHOLE.get("$defs", {})
_SCHEMA: Final = {name: each for name, each in _WHOLE.items() if name != "$defs"}
_BODY: Final = {
    "requestBody": {"required": True, "content": {"application/json": {"schema": _SCHEMA}}},
    "responses": {
        "201": {
            "links": {
                "state": {
                    "operationId": "state_of_submission",
                    "parameters": {"submission_id": "$response.body#/id"},
                }
            }
        }
    },
}


@dataclass(frozen=True, slots=True)
class Receiver:
    """What the routes use. `public`: folder of the built site. `changed` is called after a new bundle, `sign`
    makes a checkpoint of the log, `issue` a challenge. `moderators`: None where nobody moderates over HTTP.
    `most_body_s`: seconds for the whole body of a bundle.
    """

    database: Database
    public: Path
    limits: Limits
    changed: Callable[[], None]
    log: Callable[[str], None]
    sign: Callable[[ledger.Head], bytes]
    issue: Callable[[], bytes]
    moderators: Moderators | None = None
    most_body_s: float = MOST_BODY_S


def application(receiver: Receiver) -> FastAPI:
    """Return the application. It has no documentation pages: those would load scripts from elsewhere."""
    metrics = Metrics()
    app = FastAPI(
        title="Results of bench",
        summary="Receives signed records, and serves the site that is built from them.",
        version="1",
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
    )
    app.add_middleware(Watching, metrics=metrics, log=receiver.log)
    _add_errors(app)
    _add_submissions(app, receiver)
    _add_log(app, receiver)
    _add_challenges(app, receiver)
    moderated = Moderated(receiver.database, receiver.changed, receiver.log)
    app.include_router(moderation(moderated, receiver.moderators))

    @app.get("/healthz", summary="Whether the database answers", responses=_UNAVAILABLE)
    def healthz() -> dict[str, str]:
        receiver.database.read(lambda connection: connection.exec_driver_sql("SELECT 1").scalar())
        return {"status": "ok"}

    @app.get("/metrics", include_in_schema=False)
    def prometheus() -> Response:
        return Response(metrics.text(), media_type="text/plain; version=0.0.4")

    app.openapi = partial(_openapi, app.openapi)  # type: ignore[method-assign]
    pages = StaticFiles(directory=receiver.public, html=True, check_dir=False)
    # Not mounted: a mount would take requests of other methods from the routes above.
    app.router.routes.append(_Pages("/{path:path}", pages, methods=["GET", "HEAD"], include_in_schema=False))
    return app


class _Pages(Route):
    """The pages of the site. No file of it is below `api/`: there each method is a route's, or 405."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        return (Match.NONE, {}) if scope["path"].startswith("/api/") else super().matches(scope)


def _openapi(made: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """The document with the parts of the body's schema, which no route's types name."""
    document = made()
    document["components"]["schemas"] |= _PARTS
    return document


# --- submissions ------------------------------------------------------------------------------------------


def _add_submissions(app: FastAPI, receiver: Receiver) -> None:
    judging = asyncio.Semaphore(_JUDGED_AT_ONCE)

    @app.post(
        "/api/submissions",
        status_code=201,
        response_model=Stored,
        responses={**_ERRORS, 200: {"model": Stored, "description": "The record is there already"}},
        openapi_extra=_BODY,
        summary="Send a bundle",
    )
    async def submit(request: Request, idempotency_key: _Idempotency = None) -> Response:
        address = "" if request.client is None else request.client.host
        wait_s = receiver.limits.wait_s(address)
        if wait_s:
            return _refused(429, "too many requests", again_s=wait_s)
        content = await read_body(
            request.headers, request.stream(), most_bytes=MOST_BYTES, most_s=receiver.most_body_s
        )
        asked = stored_submissions.Request(datetime.now(UTC), address or None, idempotency_key)
        async with judging:
            return await run_in_threadpool(_receive, receiver, content, asked)

    @app.get(
        "/api/submissions/{submission_id}",
        operation_id="state_of_submission",
        responses={404: {"model": Refused}, 422: {"model": Refused}, 503: {"model": Refused}},
        summary="The state of a submission",
    )
    def look(submission_id: _Id) -> Stored:
        try:
            return stored(
                receiver.database.read(lambda connection: stored_submissions.find(connection, submission_id))
            )
        except RecordError as error:
            raise HTTPException(404, "no submission has this id") from error


def _receive(receiver: Receiver, content: bytes, asked: stored_submissions.Request) -> Response:
    def store(connection: sa.Connection) -> tuple[Submission, bytes | None]:
        submission, is_new = receive(connection, judged, asked)
        return submission, salt_of(connection, submission.id) if is_new else None

    try:
        judged = judge(content, asked.at)
        submission, salt = receiver.database.write(store)
    except RefusedError as error:
        return _refused(422, error.title, Refused(title=error.title, findings=error.findings))
    except ReusedKeyError:
        return _refused(409, "the idempotency key came with other bytes before")
    if salt is not None:
        receiver.changed()
    status = 200 if salt is None else 201
    return Response(stored(submission, salt).model_dump_json(), status, media_type="application/json")


# --- the log ----------------------------------------------------------------------------------------------


def _add_log(app: FastAPI, receiver: Receiver) -> None:
    @app.get("/api/log", summary="All entries of the log, as lines of JSON", response_class=StreamingResponse)
    def log() -> StreamingResponse:
        return StreamingResponse(_lines(receiver.database), media_type="application/jsonl")

    @app.get("/api/log/checkpoint", summary="The end of the log, signed by the site", responses=_UNAVAILABLE)
    def checkpoint() -> Response:
        return Response(receiver.sign(receiver.database.read(ledger.head)), media_type="application/json")


def _lines(database: Database) -> Iterator[str]:
    """The log in parts: a slow reader keeps no transaction open."""
    last = 0
    while True:
        part = database.read(partial(ledger.entries, after=last, most=_PART))
        for entry in part:
            yield entry.model_dump_json() + "\n"
        if len(part) < _PART:
            return
        last = part[-1].seq


# --- challenges -------------------------------------------------------------------------------------------


def _add_challenges(app: FastAPI, receiver: Receiver) -> None:
    @app.post(
        "/api/challenge", summary="A new nonce, signed by the site", responses={429: {"model": Refused}}
    )
    def challenge(request: Request) -> Response:
        wait_s = receiver.limits.wait_s("" if request.client is None else request.client.host)
        if wait_s:
            return _refused(429, "too many requests", again_s=wait_s)
        return Response(
            receiver.issue(), media_type="application/json", headers={"Cache-Control": "no-store"}
        )


# --- errors -----------------------------------------------------------------------------------------------


def _refused(status: int, title: str, body: Refused | None = None, *, again_s: int | None = None) -> Response:
    headers = {} if again_s is None else {"Retry-After": str(again_s)}
    content = (body or Refused(title=title)).model_dump(mode="json")
    return JSONResponse(content, status, headers)


def _add_errors(app: FastAPI) -> None:
    @app.exception_handler(BodyError)
    async def of_body(_: Request, error: BodyError) -> Response:
        return _refused(error.status, error.title)

    @app.exception_handler(ClientDisconnect)
    async def of_connection(_: Request, __: ClientDisconnect) -> Response:
        return _refused(400, "the connection ended before the body")  # for the log: nobody reads it

    @app.exception_handler(StorageError)
    async def of_database(_: Request, __: StorageError) -> Response:
        return _refused(503, "the database does not answer", again_s=_AGAIN_S)

    @app.exception_handler(RequestValidationError)
    async def of_request(_: Request, __: RequestValidationError) -> Response:
        return _refused(422, "the request has a value that is not allowed")

    @app.exception_handler(HTTPException)
    async def of_route(_: Request, error: HTTPException) -> Response:
        answer = _refused(error.status_code, str(error.detail))
        answer.headers.update(error.headers or {})
        return answer
